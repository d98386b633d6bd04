import { expect, test } from 'vitest';
import { reverseName } from './reverse-name.ts';

test.each([
  ['192.0.2.1', '1.2.0.192.in-addr.arpa.'],
  ['127.0.0.10', '10.0.0.127.in-addr.arpa.'],
  ['2001:db8::80', '0.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.'],
])('reverseName() of %s', (address, name) => {
  expect(reverseName(address)).toBe(name);
});
