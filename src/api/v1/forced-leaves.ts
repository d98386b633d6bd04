import type { Clock } from '../../lib/index.ts';

/** In Consul a node that lives says so again soon after it was told to leave, and is alive once more. */
const SHOWN_MS = 30_000;

/** Nodes that were told to leave though they live: they show as leaving for a while. */
export class ForcedLeaves {
  readonly #clock: Clock;
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(node: string): void {
    this.#until.set(node, this.#clock.now() + SHOWN_MS);
  }

  has(node: string): boolean {
    const until = this.#until.get(node);
    if (until === undefined) return false;
    if (this.#clock.now() < until) return true;
    this.#until.delete(node);
    return false;
  }
}
