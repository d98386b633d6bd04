import { inRange } from '../store/index.ts';
import type { Compare, KeyRange, Put, Revision, Txn, Unchanged, Write } from '../store/index.ts';
import { tombKey } from './keys.ts';

/** Writes that belong into one transaction, with what they rely on. A tombstone or a compare asked for twice counts once. */
export class TxnPlan {
  readonly #compares = new Map<string, Compare>();
  readonly #writes = new Map<string, Write>();
  /** By where they start. */
  readonly #unchanged = new Map<string, Unchanged>();

  /** The transaction happens only while the key has this modification revision; 0 = while it does not exist. */
  expect(key: string, modRevision: Revision): this {
    this.#compares.set(key, { key, modRevision });
    return this;
  }

  /** The transaction happens only while no key of the range was put after this revision. */
  expectUnchanged(range: KeyRange, since: Revision): this {
    this.#unchanged.set(range.start, { range, since });
    return this;
  }

  put(key: string, record: unknown): this {
    this.#writes.set(key, { type: 'put', key, value: JSON.stringify(record) });
    return this;
  }

  /** Writes that are made already, such as those of history. */
  add(...puts: readonly Put[]): this {
    for (const put of puts) this.#writes.set(put.key, put);
    return this;
  }

  delete(key: string): this {
    this.#writes.set(key, { type: 'delete', key });
    return this;
  }

  /** Puts the tombstones of topics that a deletion changes. */
  tomb(...topics: readonly string[]): this {
    for (const topic of topics) this.put(tombKey(topic), {});
    return this;
  }

  get isEmpty(): boolean {
    return this.#writes.size === 0;
  }

  deletes(key: string): boolean {
    return this.#writes.get(key)?.type === 'delete';
  }

  /** Whether it deletes a key of the range. */
  deletesIn(range: KeyRange): boolean {
    return this.#writes.entries().some(([key, { type }]) => type === 'delete' && inRange(range, key));
  }

  /** Whether the key has to be at some revision for this plan. */
  expects(key: string): boolean {
    return this.#compares.has(key);
  }

  /** Notes in `written` what the keys are at now that this plan was committed at `revision`. */
  note(written: Map<string, Revision>, revision: Revision): void {
    for (const [key, write] of this.#writes) written.set(key, write.type === 'put' ? revision : 0);
  }

  /** Takes over all of another plan, if both together stay within `limit` compares and writes. */
  absorb(other: TxnPlan, limit: number): boolean {
    const compares = grown(this.#compares, other.#compares) + grown(this.#unchanged, other.#unchanged);
    if (grown(this.#writes, other.#writes) > limit || compares > limit) return false;
    for (const [key, write] of other.#writes) this.#writes.set(key, write);
    for (const [key, compare] of other.#compares) this.#compares.set(key, compare);
    for (const [start, range] of other.#unchanged) this.#unchanged.set(start, range);
    return true;
  }

  /** `written` are keys that earlier transactions of the same plan put, with their revisions. */
  toTxn(written: ReadonlyMap<string, Revision> = new Map()): Txn {
    const compares = [...this.#compares.values()].map(({ key, modRevision }) => ({
      key,
      modRevision: written.get(key) ?? modRevision,
    }));
    const writes = [...this.#writes.values()];
    return this.#unchanged.size === 0
      ? { compares, writes }
      : { compares, unchanged: [...this.#unchanged.values()], writes };
  }
}

function grown(into: ReadonlyMap<string, unknown>, from: ReadonlyMap<string, unknown>): number {
  let size = into.size;
  for (const key of from.keys()) if (!into.has(key)) size++;
  return size;
}

/**
 * Packs plans, in their order, into as few transactions as the limit allows.
 */
export function packPlans(plans: readonly TxnPlan[], limit: number): TxnPlan[] {
  const packed: TxnPlan[] = [];
  for (const plan of plans) {
    if (plan.isEmpty || packed.at(-1)?.absorb(plan, limit) === true) continue;
    const fresh = new TxnPlan();
    fresh.absorb(plan, Infinity);
    packed.push(fresh);
  }
  return packed;
}
