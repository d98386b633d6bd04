import type { Clock, Timer } from './clock.ts';

/** A timer that fires later than this was held up by the process itself. */
const LATE_MS = 50;

/**
 * Calls `onExpired` once after `delayMs`, and forgives the process its own pauses: a timer that fires late waits again
 * for as long as it was late (`delayMs` more in all, at most), because answers that came in meanwhile are read only after
 * the timers. An agent that was starved or suspended so accuses nobody of being slow.
 */
export function startDeadline(clock: Clock, delayMs: number, onExpired: () => void): Timer {
  let forgivenMs = 0;
  let timer: Timer;
  const arm = (forMs: number): void => {
    const due = clock.now() + forMs;
    timer = clock.after(forMs, () => {
      const extraMs = Math.min(clock.now() - due, delayMs - forgivenMs);
      if (extraMs <= LATE_MS) return onExpired();
      forgivenMs += extraMs;
      arm(extraMs);
    });
  };
  arm(delayMs);
  return { cancel: () => timer.cancel() };
}
