import { expect, test } from 'vitest';
import { isUnitName, splitGrpc, splitHostPort } from './target.ts';

test.each([
  ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
  ['[fe80::1]:8080', { host: 'fe80::1', port: 8080 }],
  ['db.example.com:5432', { host: 'db.example.com', port: 5432 }],
  [':80', { host: 'localhost', port: 80 }],
  ['80', null],
  ['[::1]', null],
  ['a b:80', null],
  ['a/b:80', null],
  ['user@a:80', null],
  ['http://a:80', null],
])('splitHostPort(%s) is %j', (address, expected) => {
  expect(splitHostPort(address)).toEqual(expected);
});

test.each([
  ['127.0.0.1:50051', { host: '127.0.0.1', port: 50051, service: '' }],
  ['127.0.0.1:50051/', { host: '127.0.0.1', port: 50051, service: '' }],
  ['[::1]:50051/my.Service', { host: '::1', port: 50051, service: 'my.Service' }],
  ['db:1/a/b', { host: 'db', port: 1, service: 'a/b' }],
  ['db/a', null],
  ['', null],
])('splitGrpc(%s) is %j', (target, expected) => {
  expect(splitGrpc(target)).toEqual(expected);
});

test.each([
  ['ssh', true],
  ['getty@tty1.service', true],
  [String.raw`dev-disk-by\x2duuid.swap`, true],
  ['--now', false],
  ['a b', false],
  ['a/b', false],
  ['', false],
  ['x'.repeat(256), false],
])('isUnitName(%j) is %s', (name, expected) => {
  expect(isUnitName(name)).toBe(expected);
});
