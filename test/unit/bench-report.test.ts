import { expect, test } from 'vitest';
import { markdownPage, textReport, textTable, type RecordedResult } from '../../bench/report.ts';
import { median, percentile, rounded } from '../../bench/result.ts';

const RESULT: RecordedResult = {
  name: 'puts',
  bound: 'ratio ≥ 0.6 | always',
  rows: [
    { writers: 1, ratio: 0.71 },
    { writers: 16, note: 'a|b' },
  ],
  ok: false,
  at: '2026-11-21T12:00:00.000Z',
  command: 'npm run bench -- store',
  seconds: 3,
  machine: {
    cpu: 'some CPU',
    cores: 2,
    memoryGiB: 8,
    kernel: 'Linux 6.1.0',
    node: 'v26.10.0',
    disk: 'ext4',
    commit: 'abc1234',
    loadBefore: 0.1,
  },
};

test('textTable() aligns numbers to the right and leaves out what a row has not when rows differ', () => {
  expect(textTable(RESULT.rows)).toBe('writers  ratio  note\n      1   0.71\n     16         a|b');
  expect(textTable([])).toBe('');
});

test.each([
  ['a bound holds', { ok: true }, false, 'ok  '],
  ['a bound does not hold', { ok: false }, false, 'MISS'],
  ['it ran quickly, whatever the numbers', { ok: false }, true, 'ran '],
])('textReport() begins with the verdict when %s', (_, part, quick, verdict) => {
  expect(textReport({ ...RESULT, ...part }, quick).slice(0, 4)).toBe(verdict);
});

test('markdownPage() says bound, verdict, command, commit and machine of each result', () => {
  const page = markdownPage(new Map([['store', RESULT]]));
  expect(page).toContain('| [store](#store) | puts | ratio ≥ 0.6 \\| always | **does not hold** |');
  expect(page).toContain('| 16 |  | a\\|b |');
  expect(page).toContain(
    '`npm run bench -- store` · 3 s · commit abc1234 · load before 0.1 · some CPU, 2 cores, 8 GiB',
  );
});

test.each([
  [[], 0.5, Number.NaN],
  [[7], 0.99, 7],
  [[3, 1, 2], 0.5, 2],
  [[4, 3, 2, 1], 0.5, 2],
  [Array.from({ length: 100 }, (_, at) => at + 1), 0.99, 99],
  [[1, 2], 0, 1],
])('percentile() of %j is the smallest that %d of them do not exceed', (numbers, part, wanted) => {
  expect(percentile(numbers, part)).toBe(wanted);
});

test('median() is the lower middle when the count is even', () => {
  expect(median([4, 1, 3, 2])).toBe(2);
  expect(rounded(1.005, 1)).toBe(1);
});
