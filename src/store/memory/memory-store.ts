import { SortedMap, systemClock } from '../../lib/index.ts';
import type { Clock } from '../../lib/index.ts';
import { checkRestore } from '../check-restore.ts';
import { checkTxn } from '../check-txn.ts';
import type {
  Batch,
  Committed,
  Conflict,
  Entry,
  KeyRange,
  Lease,
  ReadOptions,
  Revision,
  Store,
  StoreEvent,
  StoreStatus,
  Txn,
} from '../contract.ts';
import { storeClosed } from '../errors.ts';
import { History } from '../history.ts';
import { checkTtl, Leases } from '../leases.ts';
import { applyWrites, conflictOf, readRange, replaceAll } from './apply-txn.ts';
import type { MemoryState } from './apply-txn.ts';

export interface MemoryStoreOptions {
  /** Leases run on it. */
  readonly clock?: Clock;
  /** How many revisions stay watchable; 10,000 unless told. */
  readonly historyRevisions?: number;
  /** What the first revision follows: see `meta/base` in design 4. */
  readonly base?: Revision;
}

/** A store in the heap of this process, for tests and `--dev`: gone when the process is. */
export class MemoryStore implements Store {
  readonly #state: MemoryState = { entries: new SortedMap<Entry>(), leaseOf: new Map(), keysOf: new Map() };
  readonly #history: History;
  readonly #leases: Leases;
  #leaseCount = 0;
  #closed = false;

  private constructor(options: MemoryStoreOptions) {
    this.#history = new History({ revision: options.base ?? 0, capacity: options.historyRevisions });
    this.#leases = new Leases({
      clock: options.clock ?? systemClock,
      remove: (id) => this.#removeLease(id),
    });
  }

  /** An empty store. */
  static start(options: MemoryStoreOptions = {}): Promise<MemoryStore> {
    return Promise.resolve(new MemoryStore(options));
  }

  async read(range: KeyRange, options: ReadOptions = {}): Promise<{ entries: Entry[]; revision: Revision }> {
    this.#checkOpen();
    return { entries: readRange(this.#state, range, options), revision: this.#history.revision };
  }

  async commit(txn: Txn): Promise<Committed | Conflict> {
    this.#checkOpen();
    checkTxn(txn);
    this.#leases.check(txn.writes);
    const entries = conflictOf(this.#state, txn);
    if (entries !== undefined) return { ok: false, revision: this.#history.revision, entries };
    this.#publish(applyWrites(this.#state, txn.writes, this.#history.revision + 1));
    return { ok: true, revision: this.#history.revision };
  }

  watch(range: KeyRange, after: Revision, signal: AbortSignal): AsyncIterable<Batch> {
    return this.#history.watch(range, after, signal);
  }

  async lease(ttlMs: number): Promise<Lease> {
    this.#checkOpen();
    checkTtl(ttlMs);
    const id = String(++this.#leaseCount);
    this.#state.keysOf.set(id, new Set());
    return this.#leases.hold(id, ttlMs);
  }

  async compact(before: Revision): Promise<void> {
    this.#checkOpen();
    this.#history.compact(before);
  }

  async restore(entries: readonly Entry[], revision: Revision): Promise<Revision> {
    this.#checkOpen();
    checkRestore(entries, revision, this.#history.revision);
    replaceAll(this.#state, entries);
    this.#history.publish([{ revision, events: [] }]);
    return revision;
  }

  status(): StoreStatus {
    return {
      engine: 'memory',
      leaderKnown: !this.#closed,
      lastContactMs: 0,
      full: false,
      version: 'memory',
      revision: this.#history.revision,
      compacted: this.#history.compacted,
      ...(this.#closed ? { failure: storeClosed().message } : {}),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#leases.close();
    this.#history.close();
  }

  async #removeLease(id: string): Promise<void> {
    this.#checkOpen();
    const keys = [...(this.#state.keysOf.get(id) ?? [])].toSorted();
    this.#state.keysOf.delete(id);
    const writes = keys.map((key) => ({ type: 'delete', key }) as const);
    this.#publish(applyWrites(this.#state, writes, this.#history.revision + 1));
  }

  #publish(events: readonly StoreEvent[]): void {
    if (events.length > 0) this.#history.publish([{ revision: this.#history.revision + 1, events }]);
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed();
  }
}
