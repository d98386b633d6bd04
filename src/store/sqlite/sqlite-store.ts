import path from 'node:path';
import { DroverError, systemClock } from '../../lib/index.ts';
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
  StoreStatus,
  Txn,
} from '../contract.ts';
import { badRestore, storeClosed, storeFailed, storeFull, storeNewerLayout, storeUnusable } from '../errors.ts';
import { History } from '../history.ts';
import { checkTtl, Leases } from '../leases.ts';
import { Checkpoints } from './checkpoints.ts';
import { prepareDirectory } from './data-directory.ts';
import { DirectoryLock } from './directory-lock.ts';
import { failureOf } from './failure.ts';
import type { Failure } from './failure.ts';
import { GroupCommit } from './group-commit.ts';
import { Reader } from './reader.ts';
import { LAYOUT } from './store-file.ts';
import type { Refusal } from './store-file.ts';
import type { Granted } from './operation.ts';
import { Writer } from './writer.ts';

export interface SqliteStoreOptions {
  /** Made with mode 0700 when it is not there; one process at a time. */
  readonly directory: string;
  /** Leases run on it. */
  readonly clock?: Clock;
  /** How many revisions stay watchable; 10,000 unless told. */
  readonly historyRevisions?: number;
  /**
   * Raises the stored base to at least this, never lowers it. Restoring and migrating give one above every revision ever
   * given out, so that no client's index meets its own past (design 4).
   */
  readonly base?: Revision;
  /** Above this size of `store.db` writes fail with STORE_FULL; otherwise the disk is the limit. */
  readonly quotaBytes?: number;
}

/**
 * The embedded store: SQLite in `directory`, written by one thread with group commit, acknowledged when synced. After a write
 * failed it takes no more until it is started again; reads go on.
 */
export class SqliteStore implements Store {
  readonly #resources: AsyncDisposableStack;
  readonly #writer: Writer;
  readonly #reader: Reader;
  readonly #history: History;
  readonly #commits: GroupCommit;
  readonly #leases: Leases;
  readonly #clock: Clock;
  #failure: Failure | undefined;
  #failedAtMs = 0;
  #closing: Promise<void> | undefined;

  private constructor(options: SqliteStoreOptions, file: string, writer: Writer, resources: AsyncDisposableStack) {
    const { base, revision: engineRevision, leases } = writer.state;
    const revision = base + engineRevision;
    this.#writer = writer;
    this.#history = new History({ revision, capacity: options.historyRevisions });
    this.#commits = new GroupCommit({
      base,
      send: (cells) => writer.send(cells),
      publish: (batches) => this.#history.publish(batches),
    });
    this.#clock = options.clock ?? systemClock;
    this.#leases = new Leases({ clock: this.#clock, remove: (id) => this.#removeLease(id) });
    for (const [id, ttlMs] of leases) this.#leases.hold(String(id), ttlMs);
    this.#reader = resources.use(new Reader(file, base));
    resources.use(new Checkpoints(file, (failure) => this.#fail(failure)));
    this.#resources = resources.move();
    writer.listen({
      done: (outcomes) => this.#commits.settle(outcomes),
      failed: (failure) => this.#fail(failure),
    });
  }

  /**
   * Opens the store, made when it is not there.
   *
   * @throws STORE_IN_USE, STORE_NEWER_LAYOUT, STORE_UNUSABLE
   */
  static async start(options: SqliteStoreOptions): Promise<SqliteStore> {
    const directory = path.resolve(options.directory);
    prepareDirectory(directory);
    await using resources = new AsyncDisposableStack();
    resources.use(DirectoryLock.take(directory));
    const file = path.join(directory, 'store.db');
    const writer = await Writer.start({ file, base: options.base ?? 0, quotaBytes: options.quotaBytes });
    if (!(writer instanceof Writer)) throw refusalError(directory, writer);
    resources.use(writer);
    return new SqliteStore(options, file, writer, resources);
  }

  async read(range: KeyRange, options: ReadOptions = {}): Promise<{ entries: Entry[]; revision: Revision }> {
    this.#checkOpen();
    const found = await this.#reader.read(range, options).catch((error: unknown) => this.#failRead(error));
    // The snapshot may be a moment ahead of what the writer's thread has told; nobody shall see it before watchers can.
    await this.#history.reached(found.revision);
    return found;
  }

  async commit(txn: Txn): Promise<Committed | Conflict> {
    this.#checkOpen();
    checkTxn(txn);
    this.#leases.check(txn.writes);
    return this.#commits.submit({ type: 'txn', txn }) as Promise<Committed | Conflict>;
  }

  watch(range: KeyRange, after: Revision, signal: AbortSignal): AsyncIterable<Batch> {
    return this.#history.watch(range, after, signal);
  }

  async lease(ttlMs: number): Promise<Lease> {
    this.#checkOpen();
    checkTtl(ttlMs);
    const { leaseId } = (await this.#commits.submit({ type: 'grant', ttlMs })) as Granted;
    return this.#leases.hold(String(leaseId), ttlMs);
  }

  async compact(before: Revision): Promise<void> {
    this.#checkOpen();
    this.#history.compact(before);
  }

  async restore(entries: readonly Entry[], revision: Revision): Promise<Revision> {
    this.#checkOpen();
    checkRestore(entries, revision, this.#history.revision);
    const { ok, revision: reached } = await this.#commits.submit({ type: 'restore', entries, revision });
    if (!ok) throw badRestore(`the store has come to revision ${reached} meanwhile`);
    return reached;
  }

  status(): StoreStatus {
    const failure = this.#closing === undefined ? this.#failure?.why : storeClosed().message;
    return {
      engine: 'sqlite',
      leaderKnown: failure === undefined,
      lastContactMs: this.#failure === undefined ? 0 : this.#clock.now() - this.#failedAtMs,
      full: this.#failure?.full ?? false,
      version: `sqlite ${this.#writer.state.version}`,
      revision: this.#history.revision,
      compacted: this.#history.compacted,
      ...(failure === undefined ? {} : { failure }),
    };
  }

  /** Finishes the commits that are under way, then closes. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#leases.close();
    await this.#commits.drain();
    this.#history.close();
    await this.#resources.disposeAsync();
  }

  async #removeLease(id: string): Promise<void> {
    this.#checkOpen();
    await this.#commits.submit({ type: 'revoke', id: Number(id) });
  }

  #fail(failure: Failure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#failedAtMs = this.#clock.now();
    this.#commits.fail(errorOf(failure));
    this.#history.release();
  }

  #failRead(error: unknown): never {
    if (error instanceof DroverError) throw error;
    const failure = failureOf(error);
    this.#fail(failure);
    throw errorOf(failure);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw storeClosed();
  }
}

function errorOf(failure: Failure): DroverError {
  return failure.full ? storeFull() : storeFailed(failure.why);
}

function refusalError(directory: string, refusal: Refusal): DroverError {
  if (refusal.kind === 'newer-layout') return storeNewerLayout(refusal.found, LAYOUT);
  const hint = 'nothing was changed; move the directory away, start afresh and restore a snapshot';
  return storeUnusable.with({ hint }, directory, refusal.why);
}
