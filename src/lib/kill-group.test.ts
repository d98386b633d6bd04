import { expect, test } from 'vitest';
import { signalGroup } from './kill-group.ts';

test.each([0, 1, -1, -5, 1.5, Number.NaN])('signalGroup() refuses %d, which would mean somebody else', (groupId) => {
  expect(() => signalGroup(groupId, 0)).toThrow(RangeError);
});

test('signalGroup() is false when the group has no member', () => {
  // Above the largest pid that Linux gives.
  expect(signalGroup(2 ** 22 + 1, 0)).toBe(false);
});
