import { expect, test } from 'vitest';
import { type Clock, FakeClock, type Timer } from './clock.ts';
import { startDeadline } from './deadline.ts';

/** A clock whose timers fire late, as they do in a process that was held up. */
function lateClock(clock: FakeClock, lateMs: () => number): Clock {
  return {
    wall: () => clock.wall(),
    now: () => clock.now(),
    after: (delayMs, task): Timer => clock.after(delayMs + lateMs(), task),
    sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
  };
}

test('startDeadline() expires once, when its time is up', async () => {
  const clock = new FakeClock();
  const expired: number[] = [];
  startDeadline(clock, 100, () => expired.push(clock.now()));
  await clock.advance(1_000);
  expect(expired).toEqual([100]);
});

test('startDeadline() never expires when cancelled', async () => {
  const clock = new FakeClock();
  startDeadline(clock, 100, () => expect.unreachable()).cancel();
  await clock.advance(1_000);
  expect(clock.pending).toBe(0);
});

test('startDeadline() waits again for as long as the process was held up', async () => {
  const clock = new FakeClock();
  const delays = [400, 0];
  const expired: number[] = [];
  startDeadline(
    lateClock(clock, () => delays.shift() ?? 0),
    1_000,
    () => expired.push(clock.now()),
  );
  await clock.advance(5_000);
  expect(expired).toEqual([1_400 + 400]);
});

test('startDeadline() forgives no more than its own length in all', async () => {
  const clock = new FakeClock();
  const expired: number[] = [];
  startDeadline(
    lateClock(clock, () => 5_000),
    1_000,
    () => expired.push(clock.now()),
  );
  await clock.advance(60_000);
  // 1 s and 5 s late; 1 s more and 5 s late again; then nothing is left to forgive.
  expect(expired).toEqual([12_000]);
});

test('startDeadline() can be cancelled while it waits again', async () => {
  const clock = new FakeClock();
  const deadline = startDeadline(
    lateClock(clock, () => 500),
    1_000,
    () => expect.unreachable(),
  );
  await clock.advance(1_600);
  deadline.cancel();
  await clock.advance(60_000);
  expect(clock.pending).toBe(0);
});
