import { type Clock, type Timer, startDeadline } from '../lib/index.ts';
import type { CheckDefinition } from '../definition/index.ts';
import type { Observe } from './probe-loop.ts';
import { boundOutput, headed, outputLimitOf } from './verdict.ts';

/** A check whose status clients set; it is critical when they do not for its TTL. */
export class TtlClock {
  readonly #ttlMs: number;
  readonly #clock: Clock;
  readonly #observe: Observe;
  readonly #outputLimit: number;
  #output = '';
  #timer: Timer;

  constructor(options: { readonly definition: CheckDefinition; readonly clock: Clock; readonly observe: Observe }) {
    this.#ttlMs = options.definition.ttlMs ?? 0;
    this.#outputLimit = outputLimitOf(options.definition);
    this.#clock = options.clock;
    this.#observe = options.observe;
    this.#timer = this.#arm();
  }

  /** Sets the status and restarts the clock. */
  update(status: 'passing' | 'warning' | 'critical', output: string): void {
    this.#timer.cancel();
    this.#timer = this.#arm();
    this.#output = boundOutput(output, this.#outputLimit);
    this.#observe({ status, output: this.#output });
  }

  async stop(): Promise<void> {
    this.#timer.cancel();
  }

  #arm(): Timer {
    return startDeadline(this.#clock, this.#ttlMs, () => {
      const head = this.#output === '' ? 'TTL expired' : 'TTL expired (last output before timeout follows): ';
      this.#observe({ status: 'critical', output: headed(head, this.#output, this.#outputLimit) });
    });
  }
}
