import { expect, test } from 'vitest';
import { digest } from './digest.ts';

test('digest() is the same when the value is, and 32 hex digits long', () => {
  expect(digest(['a', 1, [null]])).toBe(digest(['a', 1, [null]]));
  expect(digest([])).toMatch(/^[0-9a-f]{32}$/);
});

test.each([
  ['order', ['a', 'b'], ['b', 'a']],
  ['type', ['1'], [1]],
  ['nesting', [['a'], 'b'], ['a', ['b']]],
  ['nothing', undefined, 'undefined'],
])('digest() is another when %s is', (_name, one, other) => {
  expect(digest(one)).not.toBe(digest(other));
});
