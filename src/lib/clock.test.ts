import { expect, test } from 'vitest';
import { FakeClock, systemClock } from './clock.ts';

test('FakeClock runs timers in the order they are due', async () => {
  const clock = new FakeClock();
  const seen: string[] = [];
  clock.after(20, () => seen.push(`b at ${clock.now()}`));
  clock.after(10, () => seen.push(`a at ${clock.now()}`));
  clock.after(30, () => seen.push('c')).cancel();
  await clock.advance(100);
  expect(seen).toEqual(['a at 10', 'b at 20']);
  expect(clock.now()).toBe(100);
});

test('FakeClock.sleep() rejects with the reason when aborted', async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const sleeping = clock.sleep(1_000, abort.signal);
  abort.abort(new Error('enough'));
  await expect(sleeping).rejects.toThrow('enough');
  expect(clock.pending).toBe(0);
});

test('FakeClock.advance() runs what a timer starts within the time', async () => {
  const clock = new FakeClock();
  let ticks = 0;
  const tick = (): void => {
    ticks++;
    clock.after(10, tick);
  };
  clock.after(10, tick);
  await clock.advance(55);
  expect(ticks).toBe(5);
});

test('systemClock.after() does not fire at once when asked for more than a timer can hold', async () => {
  const timer = systemClock.after(2 ** 31 + 10, () => expect.unreachable());
  await systemClock.sleep(20);
  timer.cancel();
});
