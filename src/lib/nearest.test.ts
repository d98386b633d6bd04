import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

const KEYS = ['id', 'environment', 'requires', 'provides', 'local_port', 'public', 'checks'];

test.each([
  ['enviroment', 'environment'],
  ['require', 'requires'],
  ['provdies', 'provides'],
  ['localport', 'local_port'],
  ['LOCAL_PORT', 'local_port'],
  ['ID', 'id'],
  ['check', 'checks'],
])('nearest() finds for %s the key %s', (word, key) => {
  expect(nearest(word, KEYS)).toBe(key);
});

test.each(['colour', 'x', 'zzzzzzzzzzz', ''])('nearest() finds nothing for %j', (word) => {
  expect(nearest(word, ['environment', 'requires', 'provides'])).toBeUndefined();
});

test('nearest() prefers the first of equally near ones', () => {
  expect(nearest('cat', ['bat', 'hat'])).toBe('bat');
});

describe('editDistance()', () => {
  test.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['abc', 'ab', 1],
    ['ab', 'abc', 1],
    ['abc', 'axc', 1],
    ['kitten', 'sitting', 3],
  ])('is right from %j to %j', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });

  test('is symmetrical, and 0 only for equal texts', () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
      { numRuns: 100 },
    );
  });
});

test('nearest() looks at the first few thousand candidates only', () => {
  function* many(): Generator<string> {
    for (let i = 0; ; i++) yield `name-${i}`;
  }
  expect(nearest('name-7x', many())).toBe('name-7');
});
