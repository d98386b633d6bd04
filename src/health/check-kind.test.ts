import { expect, test } from 'vitest';
import type { CheckDefinition } from '../definition/index.ts';
import { checkKind, splitHostPort } from './check-kind.ts';

test.each<[CheckDefinition, string]>([
  [{ args: ['check_load', '-w', '5'] }, 'script'],
  [{ script: 'curl -s http://127.0.0.1:9200' }, 'script'],
  [{ http: 'https://user:secret@api.example.com/status?x=1' }, 'http'],
  [{ tcp: '[::1]:22' }, 'tcp'],
  [{ tcp: ':22' }, 'tcp'],
  [{ ttlMs: 10_000 }, 'ttl'],
])('checkKind() of %j is %s', (definition, kind) => {
  expect(checkKind(definition)).toBe(kind);
});

test.each<[CheckDefinition, string]>([
  [{}, 'neither args, script, http, tcp nor ttl'],
  [{ args: [] }, 'neither'],
  [{ args: [''] }, 'empty'],
  [{ script: '' }, 'empty'],
  [{ args: ['true'], script: 'true' }, 'both args and script'],
  [{ tcp: 'a:1', ttlMs: 1 }, 'several at once: tcp, ttl'],
  [{ http: 'localhost:80' }, 'not an http or https URL'],
  [{ http: 'ftp://a/' }, 'not an http or https URL'],
  [{ http: '' }, 'not an http or https URL'],
  [{ tcp: 'localhost' }, 'not host:port'],
  [{ tcp: 'a:0' }, 'not host:port'],
  [{ tcp: 'a:65536' }, 'not host:port'],
  [{ tcp: '::1:80' }, 'not host:port'],
  [{ ttlMs: 0 }, 'TTL must be > 0'],
])('checkKind() refuses %j', (definition, why) => {
  expect(() => checkKind(definition)).toThrow(`Invalid check: `);
  expect(() => checkKind(definition)).toThrow(why);
});

test.each([
  ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
  ['[fe80::1]:8080', { host: 'fe80::1', port: 8080 }],
  ['db.example.com:5432', { host: 'db.example.com', port: 5432 }],
  [':80', { host: 'localhost', port: 80 }],
  ['80', null],
  ['[::1]', null],
])('splitHostPort(%s) is %j', (address, expected) => {
  expect(splitHostPort(address)).toEqual(expected);
});
