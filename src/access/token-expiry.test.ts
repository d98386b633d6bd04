import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { TokenExpiry } from './token-expiry.ts';

test('TokenExpiry deletes again and again, goes on after a failure, and ends when disposed of', async () => {
  const clock = new FakeClock();
  const failures: unknown[] = [];
  let asked = 0;
  const writes = {
    deleteExpired: (): Promise<number> => (++asked === 1 ? Promise.reject(new Error('no leader')) : Promise.resolve(1)),
  };
  const expiry = TokenExpiry.start({ writes, clock, everyMs: 1_000, report: (error) => void failures.push(error) });
  await clock.advance(999);
  expect(asked).toBe(0);
  await clock.advance(1);
  await clock.advance(1_000);
  expect([asked, failures.length]).toEqual([2, 1]);
  await expiry[Symbol.asyncDispose]();
  await clock.advance(10_000);
  expect(asked).toBe(2);
});
