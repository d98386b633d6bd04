import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

test('TokenBucket.take() gives its capacity at once, then one each refill', () => {
  const bucket = new TokenBucket({ capacity: 2, refillMs: 100, nowMs: 0 });
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([true, true, false]);
  expect(bucket.waitMs(40)).toBe(60);
  expect(bucket.take(99)).toBe(false);
  expect(bucket.take(100)).toBe(true);
  expect(bucket.take(10_000) && bucket.take(10_000)).toBe(true);
  expect(bucket.take(10_000)).toBe(false);
});

test('TokenBucket.overdraw() makes what comes later wait', () => {
  const bucket = new TokenBucket({ capacity: 1, refillMs: 100, nowMs: 0 });
  bucket.overdraw(0);
  bucket.overdraw(0);
  expect(bucket.waitMs(0)).toBe(200);
  expect(bucket.take(200)).toBe(true);
});

test('TokenBucket never gives more than its capacity plus one a refill in any stretch of time', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 60 }), (gaps) => {
      const bucket = new TokenBucket({ capacity: 3, refillMs: 100, nowMs: 0 });
      let nowMs = 0;
      const taken: number[] = [];
      for (const gap of gaps) {
        nowMs += gap;
        if (bucket.take(nowMs)) taken.push(nowMs);
      }
      for (const [first, from] of taken.entries())
        for (const [last, until] of taken.entries())
          if (last >= first) expect(last - first + 1).toBeLessThanOrEqual(3 + (until - from) / 100);
    }),
    { numRuns: 50 },
  );
});
