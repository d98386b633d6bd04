import { expect, test } from 'vitest';
import { tokenIn } from './token-of.ts';

test.each([
  ['/v1/kv/a?token=x', {}, 'x'],
  ['/v1/kv/a?tok%65n=x', {}, 'x'],
  ['/v1/kv/a?%74oken=%78&token=y', { 'x-consul-token': 'z' }, 'x'],
  ['/v1/kv/a?token=', { 'x-consul-token': 'z' }, 'z'],
  ['/v1/kv/token', { authorization: 'Bearer b' }, 'b'],
  ['/v1/kv/a%3Ftoken=x', {}, ''],
  ['/v1/kv/a', {}, ''],
])('tokenIn() of %s and %o is %j, as the server reads it', (url, headers, token) => {
  expect(tokenIn(url, headers)).toBe(token);
});
