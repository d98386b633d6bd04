import type { Clock } from '../../lib/index.ts';

/** Consul's interval of metrics. */
export const INTERVAL_MS = 10_000;

/** How many requests came, by method, in the last whole interval. */
export class RequestCounts {
  readonly #clock: Clock;
  #intervalEnds: number;
  #running = new Map<string, number>();
  #last: ReadonlyMap<string, number> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#intervalEnds = clock.now() + INTERVAL_MS;
  }

  add(method: string): void {
    this.#turn();
    this.#running.set(method, (this.#running.get(method) ?? 0) + 1);
  }

  /** Of the last whole interval; of the one that runs while there is none yet. */
  get last(): ReadonlyMap<string, number> {
    this.#turn();
    return this.#last.size === 0 ? this.#running : this.#last;
  }

  #turn(): void {
    const now = this.#clock.now();
    if (now < this.#intervalEnds) return;
    const isNext = now < this.#intervalEnds + INTERVAL_MS;
    this.#last = isNext ? this.#running : new Map();
    this.#running = new Map();
    this.#intervalEnds = now - ((now - this.#intervalEnds) % INTERVAL_MS) + INTERVAL_MS;
  }
}
