import { DroverError, messageOf } from '../lib/index.ts';
import type { Clock, Timer } from '../lib/index.ts';
import { outcomeUnknown, storeFailed, storeFull, storeNoLeader } from '../store/index.ts';
import { mergeCheck } from './amend-node.ts';
import type { Catalog } from './catalog.ts';
import { notApplied } from './errors.ts';
import type { Check } from './catalog-reader.ts';
import type { Holding } from './feed.ts';
import type { CheckRecord } from './records.ts';

export interface HeldTransitionsOptions {
  readonly catalog: Pick<Catalog, 'hold' | 'nodeState'>;
  readonly feed: Holding;
  /** Writes what is held of a node, as of when it is written. */
  readonly write: (node: string, held: () => readonly CheckRecord[], epoch: number | undefined) => Promise<unknown>;
  /** Whether the store takes writes, as far as is known. */
  readonly takesWrites: () => boolean;
  readonly clock: Clock;
  /** Told of what could not be written for another reason than the store. */
  readonly report: (error: unknown) => void;
  /** Between two looks at the store; 250 ms unless told. */
  readonly everyMs?: number;
}

/** What a node said of its checks that the store does not have. */
interface Held {
  readonly checks: Map<string, CheckRecord>;
  epoch: number | undefined;
}

const EVERY_MS = 250;
const OTHERS_TIME_MS = 1_000;
const WRITELESS: ReadonlySet<string> = new Set([storeNoLeader.code, storeFull.code, storeFailed.code]);

/** Whether an error says that the store takes no writes now. */
export function isWriteless(error: unknown): boolean {
  return error instanceof DroverError && WRITELESS.has(error.code);
}

const UNSURE: ReadonlySet<string> = new Set([outcomeUnknown.code, notApplied.code]);

/** Whether a write may not have happened, or has and is not seen here yet, for a reason that passes: it is made once more. */
export function isToBeMadeAgain(error: unknown): boolean {
  return isWriteless(error) || (error instanceof DroverError && UNSURE.has(error.code));
}

/**
 * Transitions of checks that nodes report while the store takes no writes: shown on this server at once, so that what is dead leaves
 * its DNS and balancers, and written as soon as the store takes writes. What a node says later counts, and what the store says.
 */
export class HeldTransitions implements Disposable {
  readonly #options: HeldTransitionsOptions;
  readonly #held = new Map<string, Held>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: HeldTransitionsOptions) {
    this.#options = options;
  }

  /** How many checks are held. */
  get size(): number {
    let size = 0;
    for (const { checks } of this.#held.values()) size += checks.size;
    return size;
  }

  /** Shows checks as a node says that they are, and writes them when that can be done. Only those that the region knows. */
  hold(node: string, checks: readonly CheckRecord[], epoch: number | undefined): void {
    const { catalog, feed } = this.#options;
    const known = catalog.nodeState(node);
    const differing = checks.filter(({ id, status }) => {
      const check = known?.check(id);
      if (check === undefined || status === 'unknown') return false;
      // One that is shown so was about to be written, and still is to be.
      return check.record.status !== status || check.stored !== undefined;
    });
    if (differing.length === 0) return;
    const held = this.#held.get(node) ?? { checks: new Map<string, CheckRecord>(), epoch };
    held.epoch = epoch;
    this.#held.set(node, held);
    const shown = differing.map((said) => {
      const check = known?.check(said.id) as Check;
      const stored = check.stored ?? check.record;
      const merged = check.record.status === said.status ? check.record : mergeCheck(stored, said);
      // As the store has it, once more: there is nothing to be written.
      if (merged === stored) held.checks.delete(said.id);
      else held.checks.set(said.id, merged);
      return merged;
    });
    if (held.checks.size === 0) this.#held.delete(node);
    feed.hold((change) => catalog.hold(node, shown, change));
    this.#schedule();
  }

  /** A later word of the node, about some checks or all, is about to be written: what was held before it is not. */
  supersede(node: string, ids?: Iterable<string>): void {
    const held = this.#held.get(node);
    if (held === undefined) return;
    for (const id of ids ?? [...held.checks.keys()]) held.checks.delete(id);
    if (held.checks.size === 0) this.#held.delete(node);
  }

  /** The store has what the node says of these checks, or of all: what it has is shown. */
  settle(node: string, ids?: Iterable<string>): void {
    const { catalog, feed } = this.#options;
    const known = catalog.nodeState(node);
    this.supersede(node, ids);
    if (known === undefined) return;
    const stored = [...(ids ?? known.checkIds())].flatMap((id) => known.check(id)?.stored ?? []);
    if (stored.length > 0) feed.hold((change) => catalog.hold(node, stored, change));
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#isClosed || this.#timer !== undefined || this.#held.size === 0) return;
    const { clock, everyMs = EVERY_MS } = this.#options;
    this.#timer = clock.after(everyMs, () => {
      void this.#flush().then(() => {
        this.#timer = undefined;
        this.#schedule();
      });
    });
  }

  /** Never rejects. */
  async #flush(): Promise<void> {
    if (!this.#options.takesWrites()) return;
    await Promise.all([...this.#held.keys()].map((node) => this.#write(node)));
  }

  async #write(node: string): Promise<void> {
    const { write, report } = this.#options;
    const held = this.#held.get(node);
    if (held === undefined) return;
    const ids = [...held.checks.keys()];
    const written = new Map(held.checks);
    try {
      await write(node, () => [...held.checks.values()], held.epoch);
      // Not those of which something else was said meanwhile.
      this.settle(
        node,
        ids.filter((id) => held.checks.get(id) === written.get(id)),
      );
    } catch (error) {
      if (isToBeMadeAgain(error)) return;
      report(new Error(`what was held of node ${node} is not written: ${messageOf(error)}`, { cause: error }));
      // Another start of its agent speaks for it, through another server maybe, and says all of it in a moment.
      this.supersede(node);
      this.#options.clock.after(OTHERS_TIME_MS, () => {
        if (!this.#isClosed && !this.#held.has(node)) this.settle(node);
      });
    }
  }
}
