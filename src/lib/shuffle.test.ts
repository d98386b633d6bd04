import { expect, test } from 'vitest';
import { shuffle } from './shuffle.ts';

test('shuffle() gives every order, and the very items', () => {
  let state = 1;
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const orders = new Set(Array.from({ length: 200 }, () => shuffle([1, 2, 3], random).join('')));
  expect([...orders].toSorted()).toEqual(['123', '132', '213', '231', '312', '321']);
});

test('shuffle() works in place, on none and one as well', () => {
  const items = [1, 2, 3];
  expect(shuffle(items, () => 0)).toBe(items);
  expect(items).toEqual([2, 3, 1]);
  expect(shuffle([], Math.random)).toEqual([]);
  expect(shuffle([1], Math.random)).toEqual([1]);
});
