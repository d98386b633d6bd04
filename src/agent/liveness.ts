import { messageOf, type Clock, type Timer, type Timing } from '../lib/index.ts';
import type { AliveRecord, CatalogReader, Registry } from '../registry/index.ts';
import type { Log } from './log.ts';

export interface LivenessOptions {
  readonly catalog: Pick<CatalogReader, 'node' | 'nodes'>;
  readonly registry: Pick<Registry, 'setAlive'>;
  readonly timing: Pick<Timing, 'suspectedAfterMs' | 'graceMs'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a node must be to become something: one that is down is not suspected again, one that left is let be. */
const FOLLOWS: Readonly<Record<'up' | 'suspected' | 'down', readonly AliveRecord['status'][]>> = {
  up: ['up', 'suspected', 'down', 'left'],
  suspected: ['up'],
  down: ['up', 'suspected'],
};

/**
 * Says which nodes live (design 5): one whose link is gone is suspected after a silence and down after the grace; one that
 * links again is up. Nodes that no agent vouches for, and those that left, are let be.
 */
export class Liveness implements Disposable {
  readonly #options: LivenessOptions;
  readonly #timers = new Map<string, Timer>();
  #isResting = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** Nodes that the region knows from before get a grace to link; then they are suspected. */
  expectAll(): void {
    const { catalog, timing } = this.#options;
    const text = 'it has not linked since the server started';
    for (const { record } of catalog.nodes()) this.#after(timing.graceMs, record.name, text);
  }

  linked(node: string): void {
    this.#timers.get(node)?.cancel();
    this.#timers.delete(node);
    // Also where it is up by its greeting: a suspicion may have been on its way.
    this.#say(node, 'up', 'it is linked');
  }

  unlinked(node: string, reason: string): void {
    this.#after(this.#options.timing.suspectedAfterMs, node, `its link is gone: ${reason}`);
  }

  /** Says nothing any more: when a server stops, its own nodes go with it and are not lost. */
  rest(): void {
    this.#isResting = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  [Symbol.dispose](): void {
    this.rest();
  }

  #after(delayMs: number, node: string, evidence: string): void {
    if (this.#isResting || this.#timers.has(node)) return;
    const { clock, timing } = this.#options;
    const timer = clock.after(delayMs, () => {
      this.#say(node, 'suspected', evidence);
      this.#timers.set(
        node,
        clock.after(timing.graceMs, () => {
          this.#timers.delete(node);
          this.#say(node, 'down', evidence);
        }),
      );
    });
    this.#timers.set(node, timer);
  }

  #say(node: string, status: 'up' | 'suspected' | 'down', evidence: string): void {
    const { catalog, registry, clock, log } = this.#options;
    const known = catalog.node(node);
    if (this.#isResting || known === undefined || known.record.external) return;
    if (!FOLLOWS[status].includes(known.alive.status)) return;
    const alive: AliveRecord = { status, since: new Date(clock.wall()).toISOString(), evidence };
    registry.setAlive(node, alive).catch((error: unknown) => log.warn({ node }, messageOf(error)));
  }
}
