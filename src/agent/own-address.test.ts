import { expect, test } from 'vitest';
import { bracketed, ownAddress } from './own-address.ts';

test.each([
  ['http://0.0.0.0:8500', 'http://127.0.0.1:8500'],
  ['http://[::]:8500', 'http://[::1]:8500'],
  ['http://10.0.0.1:8500', 'http://10.0.0.1:8500'],
  ['unix:///run/drover.sock', 'unix:///run/drover.sock'],
])('ownAddress() reaches what answers at %s at %s', (address, own) => {
  expect(ownAddress(address)).toBe(own);
});

test('bracketed() is for addresses with colons', () => {
  expect([bracketed('127.0.0.1'), bracketed('::1')]).toEqual(['127.0.0.1', '[::1]']);
});
