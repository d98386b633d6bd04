import { parseDuration } from '../lib/index.ts';
import type { Clock, Timer } from '../lib/index.ts';

/** A session lives at least for its TTL after it was renewed, and at most for twice as long: this is in between. */
const FACTOR = 1.5;
/** A timer that is so late stood still with its process, which then heard nobody renew. */
const STALLED_MS = 1_000;

interface RunningTimer extends Timer {
  /** On the monotonic clock. */
  readonly dueMs: number;
}

interface Watched {
  readonly ttlMs: number;
  /** On the monotonic clock; undefined when nobody is known to have. */
  renewedAtMs: number | undefined;
  timer: RunningTimer;
  hasLapsed: boolean;
}

/** A session that somebody renewed, and how long ago. */
export type Renewal = readonly [session: string, agoMs: number];

export interface SessionTtlsOptions {
  readonly clock: Clock;
  readonly onLapse: (id: string) => void;
  /** Whether it can be said here that nobody renewed; where not, a session is looked at again later. Always, unless told. */
  readonly mayJudge?: () => boolean;
}

/** When sessions that are not renewed lapse, on the monotonic clock. Nothing of it is stored: a new server starts each in full. */
export class SessionTtls implements Disposable {
  readonly #clock: Clock;
  readonly #onLapse: (id: string) => void;
  readonly #mayJudge: () => boolean;
  readonly #timers = new Map<string, Watched>();

  constructor({ clock, onLapse, mayJudge = () => true }: SessionTtlsOptions) {
    this.#clock = clock;
    this.#onLapse = onLapse;
    this.#mayJudge = mayJudge;
  }

  /** Begins to watch a session, unless it is watched or has no TTL. */
  follow(id: string, ttl: string): void {
    const ttlMs = ttl === '' ? 0 : parseDuration(ttl);
    if (ttlMs <= 0 || this.#timers.has(id)) return;
    this.#timers.set(id, {
      ttlMs,
      renewedAtMs: undefined,
      timer: this.#start(id, ttlMs, ttlMs * FACTOR),
      hasLapsed: false,
    });
  }

  /** The session was renewed, so long ago; one that was renewed later has the longer time. */
  restart(id: string, agoMs = 0): void {
    const known = this.#timers.get(id);
    const atMs = this.#clock.now() - agoMs;
    if (known === undefined || known.hasLapsed || atMs < (known.renewedAtMs ?? -Infinity)) return;
    known.renewedAtMs = atMs;
    // What it was given when this server started or took over is never shortened.
    if (atMs + known.ttlMs * FACTOR > known.timer.dueMs) this.#rearm(id, known, known.ttlMs * FACTOR - agoMs);
  }

  /** Its record was just written: whatever was thought of it before, it has its full time from now on. */
  revive(id: string): void {
    const known = this.#timers.get(id);
    if (known === undefined) return;
    known.hasLapsed = false;
    this.restart(id);
  }

  /** Gives every session its full time once more, those too that had lapsed: whoever heard their renewals is gone. */
  restartAll(): void {
    for (const [id, known] of this.#timers) {
      known.hasLapsed = false;
      this.#rearm(id, known, known.ttlMs * FACTOR);
    }
  }

  /** Sessions that were renewed within their time. */
  *renewals(): Iterable<Renewal> {
    const nowMs = this.#clock.now();
    for (const [id, { renewedAtMs, ttlMs, hasLapsed }] of this.#timers)
      if (renewedAtMs !== undefined && !hasLapsed && nowMs - renewedAtMs < ttlMs * FACTOR)
        yield [id, nowMs - renewedAtMs];
  }

  /** Whether its TTL has not passed since it was renewed last, as far as is known here; always for one without a TTL. */
  isFresh(id: string): boolean {
    const known = this.#timers.get(id);
    if (known === undefined) return true;
    const { renewedAtMs, ttlMs, hasLapsed } = known;
    return renewedAtMs !== undefined && !hasLapsed && this.#clock.now() - renewedAtMs < ttlMs;
  }

  /** Whether its time is over. */
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

  #rearm(id: string, known: Watched, delayMs: number): void {
    known.timer.cancel();
    known.timer = this.#start(id, known.ttlMs, delayMs);
  }

  #start(id: string, ttlMs: number, delayMs: number): RunningTimer {
    const dueMs = this.#clock.now() + delayMs;
    const timer = this.#clock.after(delayMs, () => {
      const known = this.#timers.get(id);
      if (known === undefined) return;
      // Timers run before what came over the network meanwhile is read: renewals, maybe.
      if (this.#clock.now() - dueMs > STALLED_MS || !this.#mayJudge()) {
        known.timer = this.#start(id, ttlMs, ttlMs * (FACTOR - 1));
        return;
      }
      known.hasLapsed = true;
      this.#onLapse(id);
    });
    return { dueMs, cancel: () => timer.cancel() };
  }
}
