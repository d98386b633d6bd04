import { parseDuration } from '../lib/index.ts';
import type { Clock, Timer } from '../lib/index.ts';

/** A session lives at least for its TTL after it was renewed, and at most for twice as long: this is in between. */
const FACTOR = 1.5;
/** A timer that is so late stood still with its process, which then heard nobody renew. */
const STALLED_MS = 1_000;

interface Watched {
  readonly ttlMs: number;
  timer: Timer;
  hasLapsed: boolean;
}

export interface SessionTtlsOptions {
  readonly clock: Clock;
  readonly onLapse: (id: string) => void;
}

/** When sessions that are not renewed lapse, on the monotonic clock. Nothing of it is stored: a new server starts each in full. */
export class SessionTtls implements Disposable {
  readonly #clock: Clock;
  readonly #onLapse: (id: string) => void;
  readonly #timers = new Map<string, Watched>();

  constructor(options: SessionTtlsOptions) {
    this.#clock = options.clock;
    this.#onLapse = options.onLapse;
  }

  /** Begins to watch a session, unless it is watched or has no TTL. */
  follow(id: string, ttl: string): void {
    const ttlMs = ttl === '' ? 0 : parseDuration(ttl);
    if (ttlMs <= 0 || this.#timers.has(id)) return;
    this.#timers.set(id, { ttlMs, timer: this.#start(id, ttlMs), hasLapsed: false });
  }

  /** The session was renewed. */
  restart(id: string): void {
    const known = this.#timers.get(id);
    if (known === undefined || known.hasLapsed) return;
    known.timer.cancel();
    known.timer = this.#start(id, known.ttlMs);
  }

  /** Whether its time is over: nothing brings it back. */
  hasLapsed(id: string): boolean {
    return this.#timers.get(id)?.hasLapsed === true;
  }

  forget(id: string): void {
    this.#timers.get(id)?.timer.cancel();
    this.#timers.delete(id);
  }

  /** How many are watched. */
  get size(): number {
    return this.#timers.size;
  }

  [Symbol.dispose](): void {
    for (const id of this.#timers.keys()) this.forget(id);
  }

  #start(id: string, ttlMs: number, delayMs = ttlMs * FACTOR): Timer {
    const dueMs = this.#clock.now() + delayMs;
    return this.#clock.after(delayMs, () => {
      const known = this.#timers.get(id);
      if (known === undefined) return;
      // Timers run before what came over the network meanwhile is read: renewals, maybe.
      if (this.#clock.now() - dueMs > STALLED_MS) {
        known.timer = this.#start(id, ttlMs, ttlMs * (FACTOR - 1));
        return;
      }
      known.hasLapsed = true;
      this.#onLapse(id);
    });
  }
}
