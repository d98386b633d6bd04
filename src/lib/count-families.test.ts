import { expect, test } from 'vitest';
import { countFamilies } from './count-families.ts';

test.each([
  [[], {}],
  [['kv/a/b', 'node/x', 'kv/', 'alone', 'kv/c'], { alone: 1, kv: 3, node: 1 }],
  [['/x', '__proto__/x'], { '': 1, ['__proto__']: 1 }],
])('countFamilies() counts %j by what stands before the first slash', (keys, expected) => {
  expect(countFamilies(keys)).toEqual(expected);
});
