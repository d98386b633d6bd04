import { type Clock, type Timer, startDeadline } from '../lib/index.ts';
import type { Observe } from './probe-loop.ts';

/** A check whose status clients set; it is critical when they do not for `ttlMs`. */
export class TtlClock {
  readonly #ttlMs: number;
  readonly #clock: Clock;
  readonly #observe: Observe;
  #output = '';
  #timer: Timer;

  constructor(options: { readonly ttlMs: number; readonly clock: Clock; readonly observe: Observe }) {
    this.#ttlMs = options.ttlMs;
    this.#clock = options.clock;
    this.#observe = options.observe;
    this.#timer = this.#arm();
  }

  /** Sets the status and restarts the clock. */
  update(status: 'passing' | 'warning' | 'critical', output: string): void {
    this.#timer.cancel();
    this.#timer = this.#arm();
    this.#output = output;
    this.#observe({ status, output });
  }

  async stop(): Promise<void> {
    this.#timer.cancel();
  }

  #arm(): Timer {
    return startDeadline(this.#clock, this.#ttlMs, () => {
      const last = this.#output === '' ? '' : ` (last output before timeout follows): ${this.#output}`;
      this.#observe({ status: 'critical', output: `TTL expired${last}` });
    });
  }
}
