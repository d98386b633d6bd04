import { expect, test } from 'vitest';
import { Overlay } from './overlay.ts';

test('get() is what was changed last, else what is below', () => {
  const below = new Map([
    ['a', 1],
    ['b', 2],
  ]);
  const overlay = new Overlay((key) => below.get(key));
  overlay.set('a', 10);
  overlay.delete('b');
  overlay.set('c', 3);
  expect(['a', 'b', 'c', 'd'].map((key) => overlay.get(key))).toEqual([10, undefined, 3, undefined]);
  expect(['a', 'b', 'd'].map((key) => overlay.has(key))).toEqual([true, false, false]);
  overlay.set('b', 4);
  expect([...overlay.changes]).toEqual([
    ['a', 10],
    ['b', 4],
    ['c', 3],
  ]);
  expect([...below.values()]).toEqual([1, 2]);
});
