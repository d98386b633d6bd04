import { expect, test } from 'vitest';
import { whyFreed, type HeldPlace } from './why-freed.ts';

const held: HeldPlace = { status: 'up', heldForMs: 0, limitMs: 1_800_000, unkeptForMs: 0, isSilent: false };

test.each<[string, Partial<HeldPlace>, string | null]>([
  ['it runs', {}, null],
  ['its agent says nothing of it any more', { unkeptForMs: 60_001 }, 'its agent does not say that it runs'],
  ['its agent is suspected, and cannot say anything', { status: 'suspected', unkeptForMs: 90_000 }, null],
  ['its agent is gone: the run may live', { status: 'down', unkeptForMs: 90_000 }, null],
  ['its machine is gone', { status: 'down', isSilent: true }, 'the node is down and its machine does not answer'],
  ['its machine is slow', { status: 'up', isSilent: true }, null],
  ['the node left', { status: 'left' }, 'the node has left'],
  ['the node was removed', { status: undefined }, 'the node is gone'],
  ['its limit is over by less than it takes to end it', { status: 'down', heldForMs: 1_860_000 }, null],
  ['its limit is over', { status: 'down', heldForMs: 1_860_001 }, 'its time limit is over'],
  ['it has no limit', { status: 'down', heldForMs: 1e12, limitMs: null }, null],
])('whyFreed() when %s', (_when, more, expected) => {
  expect(whyFreed({ ...held, ...more })).toBe(expected);
});
