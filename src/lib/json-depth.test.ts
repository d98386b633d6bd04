import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nestsDeeper } from './json-depth.ts';

test.each([
  ['', 0],
  ['1', 0],
  ['[]', 1],
  ['{"a":{"b":[1]}}', 3],
  ['[[],[],[[]]]', 3],
  ['"[[[["', 0],
  [String.raw`{"a\"[[":"\\","b":["\"]"]}`, 2],
])('nestsDeeper() finds the levels of %s', (text, levels) => {
  expect(nestsDeeper(text, levels)).toBe(false);
  if (levels > 0) expect(nestsDeeper(text, levels - 1)).toBe(true);
});

test('nestsDeeper() agrees with a walk through the value', () => {
  const depthOf = (value: unknown): number =>
    value === null || typeof value !== 'object' ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf));
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(4), (value, levels) => {
      expect(nestsDeeper(JSON.stringify(value), levels)).toBe(depthOf(value) > levels);
    }),
  );
});

test('nestsDeeper() ends at the first level too many, and with an unfinished string', () => {
  expect(nestsDeeper('['.repeat(1_000_000), 64)).toBe(true);
  expect(nestsDeeper('"[[[[', 1)).toBe(false);
  expect(nestsDeeper('"\\', 1)).toBe(false);
});
