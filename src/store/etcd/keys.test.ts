import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inRange, keyRange, prefixRange } from '../contract.ts';
import type { KeyRange } from '../contract.ts';
import { bytesOf, claimKey, generationOf, keyOf, META_KEY, originsPrefix, prefixOf, rawRange } from './keys.ts';

test('keyOf() and bytesOf() are each other’s opposite for any bytes', () => {
  const all = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
  expect(keyOf(bytesOf(all))).toBe(all);
  expect(bytesOf('\u{ff}a')).toEqual(Buffer.from([255, 97]));
});

test.each([
  ['/drover/1/kv/a', 0],
  ['/drover/1/', 0],
  ['/drover/1.7/kv/a', 7],
  ['/drover/1.12-claim', 12],
  ['/drover/1.3-origins/000001', 3],
  ['/drover/1.03/k', null],
  ['/drover/1.3', null],
  ['/drover/1.3-claims', null],
  ['/drover/10/k', null],
  [META_KEY, null],
])('generationOf() of %s is %s', (key, generation) => {
  expect(generationOf(key)).toBe(generation);
});

test('prefixOf(), claimKey() and originsPrefix() are of their generation', () => {
  for (const generation of [1, 2, 20])
    for (const key of [`${prefixOf(generation)}k`, claimKey(generation), `${originsPrefix(generation)}0`])
      expect(generationOf(key)).toBe(generation);
});

const key = fc.string({ unit: fc.constantFrom('a', '\0', '\u{ff}', '/'), minLength: 1, maxLength: 3 });
const range: fc.Arbitrary<KeyRange> = fc.oneof(
  key.map(prefixRange),
  key.map(keyRange),
  fc.constant(prefixRange('')),
  fc.record({
    start: fc.oneof(key, fc.constant('')),
    end: fc.oneof(key, fc.constant('\u{100}'), fc.constant('a\u{100}')),
  }),
);

test('rawRange() holds the bytes of exactly the keys that the range holds', () => {
  const prefix = '/drover/1/';
  fc.assert(
    fc.property(range, key, (one, name) => {
      const raw = rawRange(one, prefix);
      const bytes = bytesOf(prefix + name);
      const isIn = raw !== null && bytes.compare(raw.key) >= 0 && bytes.compare(raw.rangeEnd) < 0;
      expect(isIn).toBe(inRange(one, name));
    }),
    { numRuns: 300 },
  );
  expect(rawRange({ start: 'b', end: 'a' }, prefix)).toBeNull();
  expect(rawRange(prefixRange(''), prefix)).toEqual({ key: bytesOf(prefix), rangeEnd: bytesOf('/drover/10') });
});
