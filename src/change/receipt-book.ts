import type { Revision } from '../store/index.ts';
import { consumerKey } from './change-log.ts';
import type { LoggedChange } from './change-log.ts';
import { CONSUMER_KINDS } from './receipt.ts';
import type { Outcome, Receipt } from './receipt.ts';

interface Standing {
  /** Everything up to here is applied. */
  applied: Revision;
  /** The last word that was not `applied` or `unchanged`, until a later one is. */
  trouble: Receipt | undefined;
  /** Changes that this consumer has still to take up, in order. */
  readonly pending: LoggedChange[];
}

/** A change that a receipt settled. */
export interface Settled {
  readonly change: LoggedChange;
  readonly tookMs: number;
}

/**
 * What each consumer has said, and what it still owes. A receipt at revision r settles only what was committed up to r:
 * it is never early (semantics 6).
 */
export class ReceiptBook {
  readonly #standings = new Map<string, Standing>();

  /** A change is expected of everyone interested. */
  expect(change: LoggedChange): void {
    for (const key of change.interested.keys()) this.#standing(key).pending.push(change);
  }

  /** A change is no longer remembered. */
  forget(change: LoggedChange): void {
    for (const key of change.interested.keys()) {
      const pending = this.#standings.get(key)?.pending ?? [];
      const at = pending.indexOf(change);
      if (at >= 0) pending.splice(at, 1);
      // Names of nodes come and go with a fleet: what nobody waits for is not kept. A later receipt begins anew.
      if (pending.length === 0) this.#standings.delete(key);
    }
  }

  /** A node is gone: what its consumers owe is kept until the changes are forgotten, for it may come back; nothing else is. */
  leave(node: string): void {
    for (const kind of CONSUMER_KINDS) {
      const key = consumerKey({ node, kind });
      if (this.#standings.get(key)?.pending.length === 0) this.#standings.delete(key);
    }
  }

  /** How many consumers are remembered. */
  get size(): number {
    return this.#standings.size;
  }

  /** Takes a receipt down and returns which changes it settled. `nowMs` is monotonic. */
  take(receipt: Receipt, nowMs: number): readonly Settled[] {
    const standing = this.#standing(consumerKey(receipt));
    if (!isDone(receipt.outcome)) {
      const isNews = receipt.revision > standing.applied && receipt.revision >= (standing.trouble?.revision ?? 0);
      if (isNews) standing.trouble = receipt;
      return [];
    }
    standing.applied = Math.max(standing.applied, receipt.revision);
    if ((standing.trouble?.revision ?? 0) <= standing.applied) standing.trouble = undefined;
    return settle(standing, receipt.outcome, consumerKey(receipt), nowMs);
  }

  /** Up to which revision the consumer has applied everything; 0 when it never said. */
  applied(key: string): Revision {
    return this.#standings.get(key)?.applied ?? 0;
  }

  /** Why the consumer has not applied the revision, if it said so. */
  trouble(key: string, revision: Revision): Receipt | undefined {
    const trouble = this.#standings.get(key)?.trouble;
    return trouble !== undefined && trouble.revision >= revision ? trouble : undefined;
  }

  /** Consumers that owe something, with the first change they owe. */
  *owing(): Iterable<readonly [key: string, first: LoggedChange]> {
    for (const [key, { pending }] of this.#standings) {
      const [first] = pending;
      if (first !== undefined) yield [key, first];
    }
  }

  #standing(key: string): Standing {
    const known = this.#standings.get(key);
    if (known !== undefined) return known;
    const fresh: Standing = { applied: 0, trouble: undefined, pending: [] };
    this.#standings.set(key, fresh);
    return fresh;
  }
}

function isDone(outcome: Outcome): outcome is 'applied' | 'unchanged' {
  return outcome === 'applied' || outcome === 'unchanged';
}

function settle(standing: Standing, outcome: 'applied' | 'unchanged', key: string, nowMs: number): Settled[] {
  const end = standing.pending.findIndex((change) => change.revision > standing.applied);
  const changes = standing.pending.splice(0, end < 0 ? standing.pending.length : end);
  return changes.map((change) => {
    const tookMs = Math.max(0, nowMs - change.appliedAtMs);
    change.arrivals.set(key, { outcome, tookMs });
    change.missing.delete(key);
    return { change, tookMs };
  });
}
