import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../message/testing.ts';
import { shuffle } from '../lib/index.ts';
import { shuffleByWeight } from './shuffle.ts';

const weights = fc.array(fc.integer({ min: 1, max: 65_535 }), { maxLength: 20 });

test('shuffleByWeight() keeps every item once', () => {
  const check = (some: number[], seed: number): void => {
    const items = some.map((weight) => ({ weight }));
    const order = shuffleByWeight([...items], seededRandom(seed));
    expect(new Set(order)).toEqual(new Set(items));
    expect(order).toHaveLength(items.length);
  };
  fc.assert(fc.property(weights, fc.integer(), check));
});

/** How often each item comes first, in percent. */
function shares(some: readonly number[]): number[] {
  const random = seededRandom(1);
  const firsts = some.map(() => 0);
  const rounds = 20_000;
  for (let round = 0; round < rounds; round++) {
    const items = some.map((weight, index) => ({ weight, index }));
    const first = shuffleByWeight(items, random)[0];
    if (first !== undefined) firsts[first.index] = (firsts[first.index] ?? 0) + 1;
  }
  return firsts.map((count) => Math.round((100 * count) / rounds));
}

test.each([
  [
    [1, 1, 1, 1],
    [25, 25, 25, 25],
  ],
  [
    [7, 2, 1],
    [70, 20, 10],
  ],
  [
    [65_535, 1],
    [100, 0],
  ],
  [[5], [100]],
])('shuffleByWeight() of weights %j puts first in shares of %j', (some, expected) => {
  for (const [index, share] of shares(some).entries())
    expect(Math.abs(share - (expected[index] as number))).toBeLessThan(2);
});

test('shuffle() gives each order the same chance', () => {
  const random = seededRandom(2);
  const counts = new Map<string, number>();
  for (let round = 0; round < 6_000; round++) {
    const order = shuffle([1, 2, 3], random).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});
