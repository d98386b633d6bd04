import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeClock } from './clock.ts';
import { type CoalesceOptions, type Coalesced, coalesce } from './coalesce.ts';

/** A task that takes this long and notes when it began. */
function startTask(
  tookMs: number,
  options: Omit<CoalesceOptions, 'clock'> = {},
): {
  clock: FakeClock;
  runs: number[];
  task: Coalesced;
} {
  const clock = new FakeClock();
  const runs: number[] = [];
  const task = coalesce(
    async (signal) => {
      runs.push(clock.now());
      await clock.sleep(tookMs, signal);
    },
    { clock, ...options },
  );
  return { clock, runs, task };
}

test('coalesce() runs once for many requests', async () => {
  const { clock, runs, task } = startTask(100);
  for (let i = 0; i < 1_000; i++) task.request();
  expect(task.queued).toBe(true);
  await clock.advance(1_000);
  expect(runs).toEqual([0]);
});

test('coalesce() queues one run while one runs, and begins it when that ends', async () => {
  const { clock, runs, task } = startTask(100);
  task.request();
  await clock.advance(50);
  task.request();
  task.request();
  expect([task.running, task.queued]).toEqual([true, true]);
  await clock.advance(1_000);
  expect(runs).toEqual([0, 100]);
});

test('coalesce() waits until requests settle, and no longer than the most', async () => {
  const { clock, runs, task } = startTask(10, { settleMs: 50, mostMs: 200 });
  for (let i = 0; i < 10; i++) {
    task.request();
    await clock.advance(40);
  }
  await clock.advance(1_000);
  expect(runs).toEqual([200, 400]);
});

test('coalesce() lets the queued run settle too', async () => {
  const { clock, runs, task } = startTask(100, { settleMs: 50 });
  task.request();
  await clock.advance(140);
  task.request();
  await clock.advance(1_000);
  expect(runs).toEqual([50, 190]);
});

test('coalesce() goes on after a task that failed, and says so', async () => {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  let runs = 0;
  const task = coalesce(
    async () => {
      if (++runs === 1) throw new Error('first');
    },
    { clock, onError: (error) => errors.push(error) },
  );
  task.request();
  await clock.advance(1);
  task.request();
  await clock.advance(1);
  expect(runs).toBe(2);
  expect(errors).toEqual([new Error('first')]);
});

test('Coalesced.idle() resolves when nothing runs and nothing was asked for', async () => {
  const { clock, task } = startTask(100, { settleMs: 50 });
  await task.idle();
  task.request();
  let idle = false;
  void task.idle().then(() => (idle = true));
  await clock.advance(149);
  expect(idle).toBe(false);
  await clock.advance(1);
  expect(idle).toBe(true);
});

test('disposing a Coalesced aborts what runs, drops what waits and takes no more', async () => {
  const { clock, runs, task } = startTask(1_000, { settleMs: 10 });
  task.request();
  await clock.advance(20);
  task.request();
  const idle = task.idle();
  await task[Symbol.asyncDispose]();
  await idle;
  task.request();
  await clock.advance(5_000);
  expect(runs).toEqual([10]);
  expect(clock.pending).toBe(0);
});

test('coalesce() always begins a run at or after the last request, and never two at once', async () => {
  const gaps = fc.array(fc.nat(120), { minLength: 1, maxLength: 15 });
  await fc.assert(
    fc.asyncProperty(gaps, fc.nat(150), fc.nat(60), async (waits, tookMs, settleMs) => {
      const { clock, runs, task } = startTask(tookMs, { settleMs, mostMs: 150 });
      let last = 0;
      for (const waitMs of waits) {
        task.request();
        last = clock.now();
        await clock.advance(waitMs);
      }
      await clock.advance(2_000);
      expect(runs.at(-1)).toBeGreaterThanOrEqual(last);
      expect(runs.length).toBeLessThanOrEqual(waits.length);
      for (const [i, at] of runs.entries())
        if (i > 0) expect(at - (runs[i - 1] as number)).toBeGreaterThanOrEqual(tookMs);
      expect([task.running, task.queued]).toEqual([false, false]);
    }),
    { numRuns: 25 },
  );
});
