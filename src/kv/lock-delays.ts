import type { Clock } from '../lib/index.ts';
import type { Revision } from '../store/index.ts';

interface Delay {
  readonly modRevision: Revision;
  /** On the monotonic clock. */
  readonly untilMs: number;
}

/**
 * Keys that nobody may lock for a while, since the session that held them ended. Each delay runs in full from when this
 * server heard of it: after a restart once more.
 */
export class LockDelays {
  readonly #clock: Clock;
  readonly #delays = new Map<string, Delay>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the key may not be locked yet. */
  has(key: string): boolean {
    const delay = this.#delays.get(key);
    return delay !== undefined && delay.untilMs > this.#clock.now();
  }

  set(key: string, delayMs: number, modRevision: Revision): void {
    this.#delays.set(key, { modRevision, untilMs: this.#clock.now() + delayMs });
  }

  delete(key: string): void {
    this.#delays.delete(key);
  }

  clear(): void {
    this.#delays.clear();
  }

  /** Delays that are over, whose entries can go. */
  elapsed(): { readonly key: string; readonly modRevision: Revision }[] {
    const nowMs = this.#clock.now();
    return [...this.#delays]
      .filter(([, { untilMs }]) => untilMs <= nowMs)
      .map(([key, { modRevision }]) => ({ key, modRevision }));
  }

  /** When the next one is over; undefined when there is none. */
  nextMs(): number | undefined {
    let next: number | undefined;
    for (const { untilMs } of this.#delays.values()) if (next === undefined || untilMs < next) next = untilMs;
    return next;
  }

  *entries(): Iterable<{ readonly key: string; readonly modRevision: Revision }> {
    for (const [key, { modRevision }] of this.#delays) yield { key, modRevision };
  }
}
