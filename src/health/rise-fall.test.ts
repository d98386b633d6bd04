import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CheckStatus } from '../registry/index.ts';
import { type Standing, type Thresholds, judge, thresholdsOf } from './rise-fall.ts';

type Result = 'passing' | 'warning' | 'critical';

const WORDS: Readonly<Record<string, Result>> = { p: 'passing', w: 'warning', c: 'critical' };

function statuses(from: CheckStatus, results: readonly Result[], thresholds: Thresholds): CheckStatus[] {
  let standing: Standing = { status: from, successes: 0, failures: 0 };
  return results.map((result) => (standing = judge(standing, result, thresholds)).status);
}

const at = (passing: number, warning: number, critical: number): Thresholds => ({
  successBeforePassing: passing,
  failuresBeforeWarning: warning,
  failuresBeforeCritical: critical,
});

test.each<[CheckStatus, string, Thresholds, string]>([
  ['unknown', 'pcwp', at(0, 0, 0), 'pcwp'],
  ['unknown', 'pcwp', at(1, 1, 1), 'pcwp'],
  ['unknown', 'ppp', at(3, 0, 0), 'uup'],
  ['critical', 'ppcppp', at(3, 0, 0), 'cccccp'],
  ['critical', 'pwp', at(3, 0, 0), 'ccp'],
  ['passing', 'ccpccc', at(0, 3, 3), 'pppppc'],
  ['passing', 'cccc', at(0, 2, 4), 'pwwc'],
  ['unknown', 'ccc', at(0, 1, 3), 'uuc'],
  ['critical', 'pccc', at(2, 1, 3), 'cccc'],
  ['warning', 'cp', at(0, 2, 2), 'wp'],
])('judge() takes %s through %s with %j to %s', (from, results, thresholds, expected) => {
  const seen = statuses(
    from,
    results.split('').map((letter) => WORDS[letter] as Result),
    thresholds,
  );
  expect(seen.map((status) => status[0]).join('')).toBe(expected);
});

const results = fc.array(fc.constantFrom<Result>('passing', 'warning', 'critical'), { maxLength: 40 });
const small = fc.integer({ min: 0, max: 4 });
const thresholds = fc.tuple(small, small, small).map(([passing, warning, critical]) => at(passing, warning, critical));

test('judge() never makes a check better on a failure nor worse on a pass', () => {
  const rank: Readonly<Record<CheckStatus, number>> = { passing: 0, warning: 1, unknown: 2, critical: 3 };
  fc.assert(
    fc.property(results, thresholds, (given, limits) => {
      let standing: Standing = { status: 'unknown', successes: 0, failures: 0 };
      for (const result of given) {
        const next = judge(standing, result, limits);
        if (result === 'critical') expect(rank[next.status]).toBeGreaterThanOrEqual(rank[standing.status]);
        if (result === 'passing') expect(rank[next.status]).toBeLessThanOrEqual(rank[standing.status]);
        standing = next;
      }
    }),
    { numRuns: 200 },
  );
});

test('judge() turns critical exactly when enough failures came in a row', () => {
  fc.assert(
    fc.property(results, thresholds, (given, limits) => {
      const seen = statuses('unknown', given, limits);
      const needed = Math.max(1, limits.failuresBeforeCritical);
      for (const [i, status] of seen.entries()) {
        const last = given.slice(Math.max(0, i + 1 - needed), i + 1);
        const failed = last.length === needed && last.every((result) => result === 'critical');
        if (failed) expect(status).toBe('critical');
        else if (status === 'critical') expect(seen[i - 1]).toBe('critical');
      }
    }),
    { numRuns: 200 },
  );
});

test('judge() shows the last result once enough successes came in a row', () => {
  fc.assert(
    fc.property(results, thresholds, (given, limits) => {
      const seen = statuses('critical', given, limits);
      const needed = Math.max(1, limits.successBeforePassing);
      for (const [i, status] of seen.entries()) {
        const last = given.slice(Math.max(0, i + 1 - needed), i + 1);
        if (last.length === needed && last.every((result) => result !== 'critical')) expect(status).toBe(given[i]);
      }
    }),
    { numRuns: 200 },
  );
});

test('thresholdsOf() warns no earlier than it is critical unless told', () => {
  expect(thresholdsOf({})).toEqual(at(0, 0, 0));
  expect(thresholdsOf({ failuresBeforeCritical: 3 })).toEqual(at(0, 3, 3));
  expect(thresholdsOf({ failuresBeforeCritical: 3, failuresBeforeWarning: 1, successBeforePassing: 2 })).toEqual(
    at(2, 1, 3),
  );
});
