import { expect, test } from 'vitest';
import { parseRecursor } from './recursor-address.ts';

test.each([
  ['192.0.2.1', '192.0.2.1', 53],
  ['192.0.2.1:5353', '192.0.2.1', 5_353],
  ['fd00::1', 'fd00::1', 53],
  ['FD00:0::1', 'fd00::1', 53],
  ['[fd00::1]', 'fd00::1', 53],
  ['[fd00::1]:8600', 'fd00::1', 8_600],
])('parseRecursor() reads %s', (text, address, port) => {
  expect(parseRecursor(text)).toEqual({ address, port });
});

test.each([
  '',
  'localhost',
  'dns.example:53',
  '192.0.2.1:',
  '192.0.2.1:0',
  '192.0.2.1:65536',
  '[192.0.2.1]:53',
  'fd00::1%eth0',
  '[fd00::1]:x',
  '192.0.2.1 ',
])('parseRecursor() finds no resolver in %j', (text) => {
  expect(parseRecursor(text)).toBeNull();
});
