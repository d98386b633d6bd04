import { describe, expect, test } from 'vitest';
import { dueInMs, outdated, savedSnapshots, snapshotName } from './snapshot-files.ts';

const AT = Date.UTC(2026, 10, 21, 9, 8, 7);
const NAMES = [1, 3, 2].map((hours) => snapshotName('dc-1', hours * 100, AT + hours * 3_600_000));

test('snapshotName() tells region, revision and time', () => {
  expect(snapshotName('dc1', 42, AT + 999)).toBe('drover-dc1-42-20261121T090807Z.snap');
});

describe('savedSnapshots()', () => {
  test('gives those of the region, newest first', () => {
    expect(savedSnapshots(NAMES, 'dc-1').map(({ revision }) => revision)).toEqual([300, 200, 100]);
    expect(savedSnapshots([snapshotName('a', 7, AT)], 'a')).toEqual([
      { name: 'drover-a-7-20261121T090807Z.snap', revision: 7, atMs: AT },
    ]);
  });

  test.each([
    'drover-dc-2-1-20261121T090807Z.snap',
    'drover-dc-1-1-20261121T090807Z.snap.bak',
    '.drover-dc-1-1-20261121T090807Z.snap.ab.drover-tmp',
    'drover-dc-1-x-20261121T090807Z.snap',
    'drover-dc-1-1-20269921T090807Z.snap',
    'notes.txt',
  ])('leaves %s alone', (name) => expect(savedSnapshots([name], 'dc-1')).toEqual([]));
});

test('outdated() are all but the newest, of which one always stays', () => {
  const saved = savedSnapshots(NAMES, 'dc-1');
  expect(outdated(saved, 2).map(({ revision }) => revision)).toEqual([100]);
  expect(outdated(saved, 3)).toEqual([]);
  expect(outdated(saved, 0)).toHaveLength(2);
  expect(outdated([], 1)).toEqual([]);
});

test('outdated() leaves those of a store that was lost since', () => {
  const anew = [4, 5, 6].map((hours) => snapshotName('dc-1', hours, AT + hours * 3_600_000));
  expect(outdated(savedSnapshots([...NAMES, ...anew], 'dc-1'), 1).map(({ revision }) => revision)).toEqual([5, 4]);
  const restored = snapshotName('dc-1', 1_000_000, AT + 7 * 3_600_000);
  expect(outdated(savedSnapshots([...NAMES, ...anew, restored], 'dc-1'), 1)).toHaveLength(6);
});

test.each([
  ['at once when there is none', undefined, 0],
  ['after the rest of the interval', AT - 400, 600],
  ['at once when it is late', AT - 5000, 0],
  ['after a whole interval when the clock went back', AT + 90_000, 1000],
])('dueInMs() says %s', (_, atMs, expected) => {
  const newest = atMs === undefined ? undefined : { name: '', revision: 1, atMs };
  expect(dueInMs(newest, 1000, AT)).toBe(expected);
});
