import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestEntries, findDifference } from './compare-entries.ts';
import type { Entry } from './contract.ts';

const entry = (key: string, value = 'v', createRevision = 1, modRevision = 2): Entry => ({
  key,
  value,
  createRevision,
  modRevision,
});
const TWO = [entry('a'), entry('b')];

describe('findDifference()', () => {
  test('finds none in what is equal', () => {
    expect(findDifference(TWO, structuredClone(TWO))).toBeNull();
    expect(findDifference([], [])).toBeNull();
  });

  test.each([
    ['one that is missing', [entry('a')], /"b" is missing/],
    ['one that is too many', [...TWO, entry('c')], /"c" is too many/],
    ['another order', TWO.toReversed(), /"b" stands where "a" should/],
    ['another value', [entry('a'), entry('b', 'w')], /value of "b"/],
    ['another mod revision', [entry('a', 'v', 1, 3), entry('b')], /"a" has revisions 1 and 3, not 1 and 2/],
    ['another create revision', [entry('a', 'v', 2, 2), entry('b')], /"a" has revisions 2 and 2/],
    ['a key that is too long to be said', [entry('x'.repeat(500))], /"x{80}…"/],
  ])('finds %s', (_, found, expected) => expect(findDifference(TWO, found)).toMatch(expected));
});

test('digestEntries() is another for every difference', async () => {
  const some = fc.array(
    fc.record({ key: fc.string(), value: fc.string(), createRevision: fc.nat(3), modRevision: fc.nat(3) }),
    { maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(some, some, async (one, other) => {
      const isEqual = findDifference(one, other) === null;
      return ((await digestEntries(one)) === (await digestEntries(other))) === isEqual;
    }),
    { numRuns: 50 },
  );
});
