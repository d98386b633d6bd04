import type { Clock } from '../lib/index.ts';
import { haproxyEnded } from './errors.ts';

const FIRST_MS = 500;
const MOST_MS = 10_000;
/** One that ran this long is well: the next restart comes at once again. */
const HEALTHY_AFTER_MS = 30_000;

/** Spaces the starts of a HAProxy that keeps dying: at least 0.5 s between two, doubling to 10 s. */
export class RestartPace {
  readonly #clock: Clock;
  #lastAt: number | null = null;
  #delayMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long until a start is due; 0: now. */
  get waitMs(): number {
    if (this.#lastAt === null) return 0;
    return Math.max(0, this.#lastAt + this.#delayMs - this.#clock.now());
  }

  /** @throws BALANCER_HAPROXY_ENDED when it is too early for a start */
  check(): void {
    if (this.waitMs > 0) throw haproxyEnded(`it ended again; the next start is in ${Math.ceil(this.waitMs)} ms`);
  }

  /** Counts a start. */
  count(): void {
    const now = this.#clock.now();
    const wasWell = this.#lastAt === null || now - this.#lastAt >= HEALTHY_AFTER_MS;
    this.#delayMs = wasWell ? FIRST_MS : Math.min(MOST_MS, this.#delayMs * 2);
    this.#lastAt = now;
  }

  /** Forgets the starts so far: the one that ran was stopped on purpose. */
  reset(): void {
    this.#lastAt = null;
  }
}
