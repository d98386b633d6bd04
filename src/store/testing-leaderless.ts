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
  StoreStatus,
  Txn,
} from './contract.ts';
import { storeNoLeader } from './errors.ts';

/**
 * A server's way to a store that others use too, which a test cuts: while it is cut, writes, leases and linearizable reads fail as
 * etcd's do without a quorum, other reads and watches go on.
 */
export class LeaderlessStore implements Store {
  readonly #store: Store;
  /** What was given out, and what the store knows it by. */
  readonly #leases = new WeakMap<Lease, Lease>();
  #isCut = false;
  #cutAtMs = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  cut(isCut = true): void {
    this.#isCut = isCut;
    this.#cutAtMs = performance.now();
  }

  async read(range: KeyRange, options: ReadOptions = {}): Promise<{ entries: Entry[]; revision: Revision }> {
    if (options.linearizable === true) this.#demand();
    return this.#store.read(range, options);
  }

  async commit(txn: Txn): Promise<Committed | Conflict> {
    this.#demand();
    const writes = txn.writes.map((write) =>
      write.type === 'put' && write.lease !== undefined
        ? { ...write, lease: this.#leases.get(write.lease) ?? write.lease }
        : write,
    );
    return this.#store.commit({ ...txn, writes });
  }

  watch(range: KeyRange, after: Revision, signal: AbortSignal): AsyncIterable<Batch> {
    return this.#store.watch(range, after, signal);
  }

  async lease(ttlMs: number): Promise<Lease> {
    this.#demand();
    const lease = await this.#store.lease(ttlMs);
    const { id, lost } = lease;
    const given: Lease = {
      id,
      ttlMs: lease.ttlMs,
      lost,
      keepAlive: async () => {
        this.#demand();
        return lease.keepAlive();
      },
      revoke: async () => {
        this.#demand();
        return lease.revoke();
      },
    };
    this.#leases.set(given, lease);
    return given;
  }

  async compact(before: Revision): Promise<void> {
    this.#demand();
    return this.#store.compact(before);
  }

  async restore(entries: readonly Entry[], revision: Revision): Promise<Revision> {
    this.#demand();
    return this.#store.restore(entries, revision);
  }

  status(): StoreStatus {
    const status = this.#store.status();
    if (!this.#isCut) return status;
    return { ...status, leaderKnown: false, lastContactMs: performance.now() - this.#cutAtMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #demand(): void {
    if (this.#isCut) throw storeNoLeader('a test cut it off');
  }
}
