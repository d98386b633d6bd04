import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstDelayMs, nextDelayMs } from './cadence.ts';

test.each([
  [10_000, 1, 0.999, 5],
  [10_000, 1_000, 0.999, 4_995],
  [10_000, 100_000, 0.999, 9_990],
  [10, 1_000, 0.999, 10],
  [10_000, 1_000, 0, 0],
])(
  'firstDelayMs() of an interval of %i ms among %i checks is within %f of %i ms',
  (intervalMs, count, random, atMost) => {
    expect(firstDelayMs({ intervalMs }, count, () => random)).toBeLessThanOrEqual(atMost);
  },
);

test.each([
  [10_000, { runs: 2, tookMs: 0 }, 0, 10_000],
  [10_000, { runs: 2, tookMs: 0 }, 1, 9_500],
  [10_000, { runs: 1, tookMs: 0 }, 1, 5_000],
  [10_000, { runs: 2, tookMs: 4_000 }, 0, 6_000],
  [10_000, { runs: 2, tookMs: 34_000 }, 0, 6_000],
  [10, { runs: 2, tookMs: 0 }, 0, 1_000],
])('nextDelayMs() of an interval of %i ms after %j with random %f is %i ms', (intervalMs, run, random, delayMs) => {
  expect(nextDelayMs({ intervalMs }, run, () => random)).toBe(delayMs);
});

test('nextDelayMs() takes 10 s where no interval is given', () => {
  expect(nextDelayMs({}, { runs: 5, tookMs: 0 }, () => 0)).toBe(10_000);
});

test('nextDelayMs() is above 0 and never more than the interval, so that a failure is seen within it', () => {
  const unit = fc.double({ min: 0, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.nat(100_000),
      fc.integer({ min: 1, max: 5 }),
      unit,
      (intervalMs, tookMs, runs, random) => {
        const delayMs = nextDelayMs({ intervalMs }, { runs, tookMs }, () => random);
        expect(delayMs).toBeGreaterThan(0);
        expect(delayMs).toBeLessThanOrEqual(Math.max(1_000, intervalMs));
      },
    ),
    { numRuns: 200 },
  );
});
