import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import { SessionTtls } from './session-ttls.ts';

/** A clock whose process stands still: timers that fall due meanwhile run when it goes on. */
class StallingClock implements Clock {
  readonly #clock = new FakeClock();
  #stoodStillMs = 0;

  wall(): number {
    return this.#clock.wall() + this.#stoodStillMs;
  }

  now(): number {
    return this.#clock.now() + this.#stoodStillMs;
  }

  after(delayMs: number, task: () => void): ReturnType<Clock['after']> {
    const due = this.now() + delayMs;
    let timer = this.#clock.after(delayMs, task);
    this.#timers.push({
      due,
      again: (): void => {
        timer.cancel();
        timer = this.#clock.after(Math.max(0, due - this.now()), task);
      },
    });
    return { cancel: () => timer.cancel() };
  }

  readonly #timers: { readonly due: number; again(): void }[] = [];

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(delayMs, signal);
  }

  advance(byMs: number): Promise<void> {
    return this.#clock.advance(byMs);
  }

  /** So long nothing ran. */
  standStill(forMs: number): void {
    this.#stoodStillMs += forMs;
    for (const one of this.#timers) if (one.due > this.now() - forMs) one.again();
  }
}

test('a session lapses half a TTL after its TTL, and not when it was renewed', async () => {
  const clock = new FakeClock();
  const lapsed: string[] = [];
  using ttls = new SessionTtls({ clock, onLapse: (id) => void lapsed.push(id) });
  ttls.follow('a', '10s');
  ttls.follow('b', '10s');
  ttls.follow('none', '');
  await clock.advance(14_000);
  ttls.restart('b');
  await clock.advance(1_000);
  expect([lapsed, ttls.hasLapsed('a'), ttls.hasLapsed('b'), ttls.size]).toEqual([['a'], true, false, 2]);
  ttls.forget('a');
  expect(ttls.hasLapsed('a')).toBe(false);
});

test('a server that stood still itself first hears who renewed meanwhile', async () => {
  const clock = new StallingClock();
  const lapsed: string[] = [];
  using ttls = new SessionTtls({ clock, onLapse: (id) => void lapsed.push(id) });
  ttls.follow('renewed', '10s');
  ttls.follow('left', '10s');
  await clock.advance(5_000);
  clock.standStill(60_000);
  // Its timers run before it reads what came over the network.
  await clock.advance(1);
  expect(lapsed).toEqual([]);
  ttls.restart('renewed');
  await clock.advance(5_000);
  expect(lapsed).toEqual(['left']);
  await clock.advance(10_000);
  expect(lapsed).toEqual(['left', 'renewed']);
});
