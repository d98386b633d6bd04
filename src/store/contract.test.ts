import { expect, test } from 'vitest';
import { inRange, keyRange, prefixRange } from './contract.ts';

test.each([
  ['a/', ['a/', 'a/b', 'a/\u{ff}'], ['a', 'a0', 'b', '']],
  ['a\u{ff}', ['a\u{ff}', 'a\u{ff}\u{ff}'], ['a', 'b', 'a\u{fe}']],
  ['\u{ff}', ['\u{ff}', '\u{ff}\u{ff}'], ['\u{fe}', 'a']],
  ['', ['\0', 'a', '\u{ff}\u{ff}'], []],
])('prefixRange(%j) holds just the keys that begin so', (prefix, within, without) => {
  const range = prefixRange(prefix);
  expect(within.filter((key) => !inRange(range, key))).toEqual([]);
  expect(without.filter((key) => inRange(range, key))).toEqual([]);
});

test('keyRange() holds one key', () => {
  expect(['k', 'k\0', 'j', 'ka'].filter((key) => inRange(keyRange('k'), key))).toEqual(['k']);
});
