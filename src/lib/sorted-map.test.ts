import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedMap } from './sorted-map.ts';

test('SortedMap keeps latin1 keys in byte order', () => {
  const keys = fc.uniqueArray(
    fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) }),
  );
  fc.assert(
    fc.property(keys, (some) => {
      const map = new SortedMap<number>();
      for (const [index, key] of some.entries()) map.set(key, index);
      const bytes = some.map((key) => Buffer.from(key, 'latin1')).toSorted((a, b) => Buffer.compare(a, b));
      expect(map.keysArray()).toEqual(bytes.map((key) => key.toString('latin1')));
    }),
    { numRuns: 50 },
  );
});

test('SortedMap.getRange() ends before its upper key', () => {
  const map = new SortedMap<number>();
  for (const key of ['a', 'b', 'c']) map.set(key, 1);
  expect(map.getRange('a', 'c', false).map(([key]) => key)).toEqual(['a', 'b']);
});
