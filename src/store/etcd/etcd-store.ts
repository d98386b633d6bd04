import { systemClock } from '../../lib/index.ts';
import type { Clock } from '../../lib/index.ts';
import { checkRestore } from '../check-restore.ts';
import { checkTxn } from '../check-txn.ts';
import type {
  Batch,
  Committed,
  Conflict,
  Difference,
  Entry,
  HeldKey,
  KeyRange,
  Lease,
  ReadOptions,
  Revision,
  Store,
  StoreStatus,
  Txn,
} from '../contract.ts';
import { leaseLost, storeClosed, storeFailed, storeForeignData, storeNoLeader } from '../errors.ts';
import { History } from '../history.ts';
import { checkTtl } from '../leases.ts';
import { Batcher } from './batcher.ts';
import type { EtcdClient, TxnRequestInit } from './client.ts';
import { EtcdCallFailed } from './client.ts';
import type { Era } from './era.ts';
import { EtcdLeases } from './etcd-leases.ts';
import { EtcdReader } from './etcd-reader.ts';
import { errorOfCall } from './failure.ts';
import { Follower } from './follower.ts';
import type { KeyValue } from './generated/kv_pb.ts';
import type { ResponseHeader, TxnResponse } from './generated/rpc_pb.ts';
import { parseMeta } from './meta.ts';
import { findStranger, openPointer } from './open-pointer.ts';
import { loadEra } from './origins.ts';
import { prepareTxn } from './prepare-txn.ts';
import { restoreGeneration } from './restore-generation.ts';
import { compareKeys } from './self-check.ts';
import { sweepGenerations } from './sweep-generations.ts';
import { versionWarning } from './version.ts';

/** For so long writes wait for a leader that is gone before they are refused. */
const LEADER_PATIENCE_MS = 2_000;
/** How long a start waits for its watch, and a close for what was committed to come back by it. */
const WATCH_PATIENCE_MS = 3_000;
const RENEWED_MS = 5_000;
/**
 * Keys and values that stay watchable. Only what reads the whole store follows it, and closely: ten thousand nodes that join write several
 * times as much, and whoever is so far behind reads again.
 */
const HISTORY_BYTES = 16 * 1024 * 1024;
/** What was restored has to be read back: how long whoever restores waits for that. */
const RESTORED_MS = 120_000;

export interface EtcdStoreOptions {
  /** The store's own from now on: it ends with it. */
  readonly client: EtcdClient;
  /** Leases run on it. */
  readonly clock?: Clock;
  /** Spreads reconnections. */
  readonly random?: () => number;
  /** How many revisions stay watchable; 10,000 unless told. */
  readonly historyRevisions?: number;
  /** A store that is made here begins above this, and above etcd's own revision. */
  readonly base?: Revision;
  /** Told of what failed and is tried again. */
  readonly report?: (error: unknown) => void;
  /** Told once each what an operator should know: an etcd with known faults, a stranger's key. */
  readonly warn?: (message: string) => void;
}

/**
 * The store of a cluster: etcd v3. One watch on the whole of it feeds this process's history; writes go in batches. It takes no
 * writes while etcd has no leader, and goes on by itself when there is one again.
 */
export class EtcdStore implements Store {
  readonly #client: EtcdClient;
  readonly #clock: Clock;
  readonly #report: (error: unknown) => void;
  readonly #version: string;
  readonly #history: History;
  readonly #follower: Follower;
  readonly #batcher: Batcher;
  readonly #reader: EtcdReader;
  readonly #leases: EtcdLeases;
  readonly #background = new AbortController();
  /** What versionWarning says of the etcd that is used. */
  readonly warning: string | undefined;
  #seen: Revision;
  readonly #clusterId: bigint;
  #full = false;
  #failure: string | undefined;
  #closing: Promise<void> | undefined;
  #sweeping: Promise<unknown> = Promise.resolve();

  private constructor(options: EtcdStoreOptions, opened: { era: Era; header: ResponseHeader; version: string }) {
    const { era, header, version } = opened;
    const clock = options.clock ?? systemClock;
    const report = options.report ?? ((): void => {});
    this.#client = options.client;
    this.#clock = clock;
    this.#report = report;
    this.#version = `etcd ${version}`;
    this.warning = versionWarning(version);
    this.#clusterId = header.clusterId;
    this.#seen = era.revision(header.revision);
    this.#history = new History({ revision: this.#seen, capacity: options.historyRevisions, maxBytes: HISTORY_BYTES });
    this.#follower = new Follower({
      client: options.client,
      clock,
      report,
      random: options.random ?? Math.random,
      history: this.#history,
      era,
      from: Number(header.revision),
      clusterId: header.clusterId,
      loadEra: (kv: KeyValue) => loadEra(options.client, parseMeta(kv)),
      fail: (why) => this.#fail(why),
    });
    const eras = { era: () => this.#follower.era, renewed: (stale: Era) => this.#renewed(stale) };
    this.#reader = new EtcdReader({ client: options.client, clock, ...eras });
    // Of a lease nothing was written: what matters of a call that failed is that nobody answered.
    const errorOf = (failure: unknown): Error => errorOfCall(failure, false);
    this.#leases = new EtcdLeases({ client: options.client, clock, errorOf });
    this.#batcher = new Batcher({
      clock,
      ...eras,
      send: (request) => this.#send(request),
      prepare: (txn, now) => prepareTxn(options.client, txn, now),
      answered: ({ revision }) => {
        this.#full = false;
        this.#saw(revision);
      },
      errorOf: (failure, txn) => this.#commitError(failure, txn),
    });
  }

  /**
   * Opens the store, made where etcd holds none.
   *
   * @throws STORE_FOREIGN_DATA, STORE_NEWER_LAYOUT, STORE_NO_LEADER, STORE_ETCD_DENIED. The client is closed then.
   */
  static async start(options: EtcdStoreOptions): Promise<EtcdStore> {
    const { client } = options;
    try {
      const { version } = await client.status();
      const { pointer, header } = await openPointer(client, options.base ?? 0);
      const store = new EtcdStore(options, { era: await loadEra(client, pointer), header, version });
      await store.#settleIn(options);
      return store;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw errorOfCall(error, false);
    }
  }

  async read(range: KeyRange, options: ReadOptions = {}): Promise<{ entries: Entry[]; revision: Revision }> {
    this.#checkOpen();
    const found = await this.#reader.read(range, options).catch((error: unknown) => {
      throw this.#errorOf(error);
    });
    this.#saw(found.revision);
    return found;
  }

  async commit(txn: Txn): Promise<Committed | Conflict> {
    this.#checkOpen();
    checkTxn(txn);
    this.#leases.check(txn.writes);
    // What is committed before a close is finished by it: it stands in the queue at once.
    if (!this.#follower.connected) await this.#leaderOrRefuse();
    return await this.#batcher.submit(txn);
  }

  watch(range: KeyRange, after: Revision, signal: AbortSignal): AsyncIterable<Batch> {
    return this.#history.watch(range, after, signal);
  }

  async lease(ttlMs: number): Promise<Lease> {
    this.#checkOpen();
    checkTtl(ttlMs);
    return await this.#leases.grant(ttlMs);
  }

  async compact(before: Revision): Promise<void> {
    this.#checkOpen();
    const raw = Math.min(
      this.#follower.era.rawRevision(before),
      this.#follower.era.rawRevision(this.#history.revision),
    );
    try {
      if (raw > 0) await this.#client.compact(BigInt(raw));
    } catch (error) {
      // Somebody has compacted as far already.
      if (!(error instanceof EtcdCallFailed && error.kind === 'compacted')) throw this.#errorOf(error);
    }
    this.#history.compact(before);
  }

  async restore(entries: readonly Entry[], revision: Revision): Promise<Revision> {
    this.#checkOpen();
    const { revision: current } = await this.read({ start: '', end: '' });
    checkRestore(entries, revision, current);
    const era = this.#follower.era;
    try {
      await restoreGeneration({ client: this.#client, clock: this.#clock, era, entries, revision });
      await this.#renewed(era, RESTORED_MS);
    } catch (error) {
      throw this.#errorOf(error);
    }
    this.#saw(revision);
    await this.#sweep();
    return revision;
  }

  /**
   * Compares keys and revisions that are held in memory as of `revision` with what etcd has there (store.md 6.2): the keys that differ.
   *
   * @throws STORE_COMPACTED when that revision is gone by now
   */
  difference(held: Iterable<HeldKey>, range: KeyRange, revision: Revision): Promise<Difference[]> {
    this.#checkOpen();
    return compareKeys({ client: this.#client, era: this.#follower.era, held, range, revision });
  }

  status(): StoreStatus {
    const { health } = this.#client;
    const why = this.#closing === undefined ? (this.#failure ?? this.#leaderTrouble()) : storeClosed().message;
    return {
      engine: 'etcd',
      leaderKnown: why === undefined,
      lastContactMs: Math.max(0, Math.round(this.#clock.now() - (this.#follower.heardAtMs ?? health.lastContactAtMs))),
      full: this.#full,
      version: this.#version,
      revision: Math.max(this.#seen, this.#history.revision),
      compacted: this.#history.compacted,
      identity: `${this.#clusterId.toString(16)}.${this.#follower.era.pointer.flip}`,
      ...(why === undefined ? {} : { failure: why }),
      ...(this.warning === undefined ? {} : { warning: this.warning }),
    };
  }

  /** Finishes the commits that are under way, then closes. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#leases.close();
    this.#background.abort();
    await this.#batcher.drain();
    await this.#publishedOrTired();
    this.#history.close();
    await this.#sweeping.catch(() => {});
    await this.#follower[Symbol.asyncDispose]();
    await this.#client[Symbol.asyncDispose]();
  }

  /** Watchers are told of what was committed before they are told that this is the end. */
  async #publishedOrTired(): Promise<void> {
    if (!this.#follower.connected) return;
    const tired = Promise.withResolvers<void>();
    const timer = this.#clock.after(WATCH_PATIENCE_MS, tired.resolve);
    await Promise.race([this.#history.reached(this.#seen), tired.promise]);
    timer.cancel();
  }

  async #settleIn({ warn = () => {} }: EtcdStoreOptions): Promise<void> {
    if (this.warning !== undefined) warn(this.warning);
    await this.#within(
      WATCH_PATIENCE_MS,
      (signal) => this.#follower.changed(signal),
      () => this.#follower.connected,
    );
    const stranger = await findStranger(this.#client).catch(() => undefined);
    if (stranger !== undefined) warn(storeForeignData(stranger, 'drover leaves it alone').message);
    this.#sweeping = this.#sweep();
  }

  /** Removes what restores have left behind; it costs nothing but space when that fails. */
  async #sweep(): Promise<void> {
    const { signal } = this.#background;
    await sweepGenerations(this.#client, () => this.#follower.era, signal).catch((error: unknown) => {
      if (!signal.aborted) this.#report(error);
    });
  }

  #send(request: TxnRequestInit): Promise<TxnResponse> {
    return this.#client.txn(request);
  }

  #commitError(failure: unknown, txn: Txn): Error {
    const { writes } = txn;
    if (failure instanceof EtcdCallFailed && failure.kind === 'full') this.#full = true;
    if (!(failure instanceof EtcdCallFailed && failure.kind === 'no-lease')) return this.#errorOf(failure, txn);
    void this.#leases.askFor(writes);
    const named = writes.find((write) => write.type === 'put' && write.lease !== undefined);
    return leaseLost(named?.type === 'put' ? (named.lease?.id ?? '') : '');
  }

  #errorOf(failure: unknown, txn?: Txn): Error {
    if (this.#closing !== undefined) return storeClosed.with({ cause: failure });
    return errorOfCall(failure, this.#follower.connected, txn);
  }

  /** @throws STORE_NO_LEADER: nothing was sent */
  async #leaderOrRefuse(): Promise<void> {
    await this.#within(
      LEADER_PATIENCE_MS - this.#follower.lostForMs,
      (signal) => this.#follower.changed(signal),
      () => this.#follower.connected,
    );
    this.#checkOpen();
    if (!this.#follower.connected) throw storeNoLeader(this.#leaderTrouble() ?? '');
  }

  #leaderTrouble(): string | undefined {
    if (this.#follower.connected) return undefined;
    return this.#client.health.failure ?? 'no member answers that knows a leader';
  }

  async #renewed(stale: Era, withinMs = RENEWED_MS): Promise<void> {
    const isRenewed = (): boolean => this.#follower.era !== stale || this.#failure !== undefined;
    await this.#within(withinMs, (signal) => this.#follower.changed(signal), isRenewed);
    if (this.#failure !== undefined) throw storeFailed(this.#failure);
    if (!isRenewed()) throw storeNoLeader('the store was restored, and what it was restored to has not come here');
  }

  /** Waits for a condition that may come true with each change; at most so long. */
  async #within(ms: number, changed: (signal: AbortSignal) => Promise<void>, isSo: () => boolean): Promise<void> {
    const deadline = new AbortController();
    const timer = this.#clock.after(Math.max(0, ms), () => deadline.abort());
    while (!isSo() && !deadline.signal.aborted && !this.#follower.ended) await changed(deadline.signal);
    timer.cancel();
  }

  #saw(revision: Revision): void {
    if (revision > this.#seen) this.#seen = revision;
  }

  #fail(why: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = why;
    this.#report(storeFailed(why));
    this.#history.release();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw storeClosed();
    if (this.#failure !== undefined) throw storeFailed(this.#failure);
  }
}
