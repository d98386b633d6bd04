import { expect, test } from 'vitest';
import { whoseNode } from './whose.ts';

test.each([
  [{ server: 's1' }, 'own'],
  [{ server: 's2' }, 'other'],
  [{ server: 's3' }, 'duty'],
  [{}, 'duty'],
  [undefined, 'duty'],
] as const)('whoseNode() of %j', (owner, expected) => {
  expect(whoseNode(owner, 's1', (server) => server !== 's3')).toBe(expected);
});
