import { systemClock } from '../lib/index.ts';
import type { Clock, Timer } from '../lib/index.ts';
import { historyRange, prefixRange, isCompacted } from '../store/index.ts';
import type { Batch, Committed, Conflict, Entry, Revision, Store, StoreEvent, Txn } from '../store/index.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { CheckpointState } from './checkpoint-content.ts';
import { feedClosed, notApplied, storeWentBack } from './errors.ts';
import { differenceEvents } from './feed-difference.ts';
import type { AppliedChange, ChangeBuilder, Feed, Held, Holding, Projection } from './feed.ts';
import { isWriteless } from './held-transitions.ts';
import { familyOf } from './keys.ts';

/**
 * All families, also those that no projection wants: so every revision arrives and every wait for one ends. Only history is
 * not read into memory: nobody follows it, and it can be larger than all else.
 */
const EVERYTHING = prefixRange('');

export interface StoreFeedOptions {
  readonly store: Store;
  readonly projections: readonly Projection[];
  readonly clock?: Clock;
  /** Told of failed watches, which are retried, and of listeners that threw. */
  readonly report?: (error: unknown) => void;
  /** What is served while the store is away at the start, and written as long as it is there. */
  readonly checkpoint?: FeedCheckpoint;
  /** How long `commit` waits for its own revision to come back by the watch; 2 s unless told. */
  readonly appliedTimeoutMs?: number;
  /** Between two tries of a failed watch; 500 ms unless told. */
  readonly retryMs?: number;
}

/** A mirror of the store on disk. */
export interface FeedCheckpoint {
  /** What was read in a former run; null for nothing. Asked only where the store cannot be read. */
  readonly load: () => Promise<CheckpointState | null>;
  readonly mirror: Pick<Checkpoint, 'begin' | 'append'>;
}

interface Waiter {
  readonly revision: Revision;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

/** The one reader of the store in a server (see `Feed`). */
export class StoreFeed implements Feed, Holding {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #report: (error: unknown) => void;
  readonly #appliedTimeoutMs: number;
  readonly #retryMs: number;
  readonly #projections: readonly Projection[];
  /** Who wants a family. */
  readonly #takers: ReadonlyMap<string, readonly Projection[]>;
  readonly #listeners = new Set<(change: AppliedChange) => void>();
  readonly #closing = new AbortController();
  #waiters: Waiter[] = [];
  #revision: Revision = 0;
  readonly #checkpoint: FeedCheckpoint['mirror'] | undefined;
  /** What is held is of a former run, and has not been compared with the store. */
  #isStale = false;
  #resyncs: PromiseWithResolvers<void>[] = [];
  /** Ends the watch that is open, so that the store is read again. */
  #watching = new AbortController();
  #following: Promise<void> = Promise.resolve();

  private constructor(options: StoreFeedOptions) {
    this.#store = options.store;
    this.#projections = options.projections;
    const families = new Set(options.projections.flatMap((projection) => projection.families));
    this.#takers = new Map(
      [...families].map((family) => [family, this.#projections.filter((one) => one.families.includes(family))]),
    );
    this.#clock = options.clock ?? systemClock;
    this.#report = options.report ?? (() => {});
    this.#appliedTimeoutMs = options.appliedTimeoutMs ?? 2_000;
    this.#retryMs = options.retryMs ?? 500;
    this.#checkpoint = options.checkpoint?.mirror;
  }

  /** Loads every projection and follows the store. @throws what the store throws when it cannot be read. */
  static async start(options: StoreFeedOptions): Promise<StoreFeed> {
    const feed = new StoreFeed(options);
    try {
      await leaveFirstRevision(options.store);
      await feed.#load();
      feed.#checkpoint?.begin(feed.#revision);
    } catch (error) {
      const state = isWriteless(error) ? ((await options.checkpoint?.load()) ?? null) : null;
      if (state === null) throw error;
      feed.#take(state.entries, state.revision);
      feed.#isStale = true;
    }
    feed.#following = feed.#follow();
    return feed;
  }

  get revision(): Revision {
    return this.#revision;
  }

  onApplied(listen: (change: AppliedChange) => void): () => void {
    // A wrapper, so that the same function given twice is called twice and each is taken away by itself.
    const listener = (change: AppliedChange): void => listen(change);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @throws REGISTRY_NOT_APPLIED when the write stands but has not come back here in time, and what `Store.commit` throws. */
  async commit(txn: Txn): Promise<Committed | Conflict> {
    const outcome = await this.#store.commit(txn);
    if (outcome.ok) await this.applied(outcome.revision);
    return outcome;
  }

  /** @throws REGISTRY_NOT_APPLIED after the timeout, REGISTRY_FEED_CLOSED */
  applied(revision: Revision): Promise<void> {
    if (revision <= this.#revision) return Promise.resolve();
    if (this.#closing.signal.aborted) return Promise.reject(feedClosed());
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(this.#appliedTimeoutMs, () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(notApplied(revision, this.#appliedTimeoutMs));
      });
      const waiter: Waiter = { revision, resolve, reject, timer };
      // Nearly always at the end: waiters come in the order of their revisions.
      const after = this.#waiters.findLastIndex((other) => other.revision <= revision);
      this.#waiters.splice(after + 1, 0, waiter);
    });
  }

  hold(show: (change: ChangeBuilder) => boolean): void {
    const change = emptyChange();
    if (!show(change)) return;
    this.#tell({ ...change, revision: this.#revision, appliedAtMs: this.#clock.now(), held: true });
  }

  /** Every key that is in memory. */
  *held(): Iterable<Held> {
    for (const projection of this.#projections) yield* projection.held();
  }

  /** Reads the store again and takes what differs, as one revision. */
  async resync(): Promise<void> {
    if (this.#closing.signal.aborted) throw feedClosed();
    const asked = Promise.withResolvers<void>();
    this.#resyncs.push(asked);
    this.#isStale = true;
    this.#watching.abort();
    return asked.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#following;
    for (const waiter of this.#waiters.splice(0)) {
      waiter.timer.cancel();
      waiter.reject(feedClosed());
    }
    for (const { reject } of this.#resyncs.splice(0)) reject(feedClosed());
    this.#listeners.clear();
  }

  async #load(): Promise<void> {
    const { entries, revision } = await this.#store.read(EVERYTHING, { except: historyRange() });
    this.#take(entries, revision);
  }

  #take(entries: readonly Entry[], revision: Revision): void {
    const shares = this.#sharesOf(entries, ({ key }) => key);
    for (const projection of this.#projections) projection.load(shares.get(projection) ?? [], revision);
    this.#revision = revision;
  }

  /** Never rejects: a watch that fails is reported and begun again where it stopped. */
  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#watching = new AbortController();
      const watching = AbortSignal.any([signal, this.#watching.signal]);
      try {
        if (this.#isStale) await this.#catchUp();
        for await (const batch of this.#store.watch(EVERYTHING, this.#revision, watching)) this.#apply(batch);
        if (!watching.aborted) await this.#pause();
      } catch (error) {
        if (signal.aborted) return;
        if (isCompacted(error)) await this.#resync();
        else await this.#pause(error);
      }
    }
  }

  async #pause(error?: unknown): Promise<void> {
    // A store that is away says so itself.
    if (error !== undefined && !isWriteless(error)) this.#report(error);
    await this.#clock.sleep(this.#retryMs, this.#closing.signal).catch(() => {});
  }

  /** History after our revision is gone: reads everything again and applies what differs as one revision. */
  async #resync(): Promise<void> {
    try {
      const { entries, revision } = await this.#store.read(EVERYTHING, { except: historyRange() });
      const events = differenceEvents(this.#projections, entries);
      this.#apply({ revision, events }, this.#revision);
    } catch (error) {
      await this.#pause(error);
    }
  }

  /** What a former run left, or a watch had wrong, becomes what the store has, as one revision. */
  async #catchUp(): Promise<void> {
    const asked = this.#resyncs.splice(0);
    try {
      await this.#readAgain();
      for (const one of asked) one.resolve();
    } catch (error) {
      this.#resyncs.unshift(...asked);
      throw error;
    }
  }

  async #readAgain(): Promise<void> {
    await leaveFirstRevision(this.#store);
    const { entries, revision } = await this.#store.read(EVERYTHING, { except: historyRange(), linearizable: true });
    // A store that went back, or that is another one under the same name.
    if (revision < this.#revision) {
      this.#report(storeWentBack(revision, this.#revision));
      this.#revision = revision - 1;
    }
    this.#apply({ revision, events: differenceEvents(this.#projections, entries) }, this.#revision);
    this.#isStale = this.#resyncs.length > 0;
    this.#checkpoint?.begin(this.#revision);
  }

  #apply(batch: Batch, since?: Revision): void {
    // Some etcd versions repeat events when a watch is resumed.
    const isNew = batch.revision > this.#revision;
    const isReadAgain = since !== undefined && batch.revision === this.#revision;
    if (!isNew && !isReadAgain) return;
    this.#checkpoint?.append(batch);
    const change = emptyChange();
    const shares = this.#sharesOf(batch.events, keyOf);
    for (const projection of this.#projections) {
      const events = shares.get(projection);
      if (events !== undefined) this.#applyTo(projection, { revision: batch.revision, events }, change);
    }
    this.#revision = batch.revision;
    const kind = isReadAgain ? ({ held: true } as const) : since === undefined ? {} : { since };
    this.#tell({ ...change, revision: batch.revision, appliedAtMs: this.#clock.now(), ...kind });
    this.#release();
  }

  /** Each thing for the projections that want the family of its key, in one pass. */
  #sharesOf<T>(things: readonly T[], keyOf: (thing: T) => string): Map<Projection, T[]> {
    const shares = new Map<Projection, T[]>();
    for (const thing of things) {
      for (const projection of this.#takers.get(familyOf(keyOf(thing))) ?? []) {
        const share = shares.get(projection);
        if (share === undefined) shares.set(projection, [thing]);
        else share.push(thing);
      }
    }
    return shares;
  }

  #applyTo(projection: Projection, batch: Batch, change: ChangeBuilder): void {
    try {
      projection.apply(batch, change);
    } catch (error) {
      this.#report(error);
    }
  }

  #tell(change: AppliedChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  #release(): void {
    const after = this.#waiters.findIndex((waiter) => waiter.revision > this.#revision);
    for (const waiter of this.#waiters.splice(0, after < 0 ? this.#waiters.length : after)) {
      waiter.timer.cancel();
      waiter.resolve();
    }
  }
}

function emptyChange(): ChangeBuilder {
  return {
    topics: new Set(),
    nodes: new Set(),
    services: new Set(),
    definitions: new Set(),
    datastores: new Set(),
    summary: [],
  };
}

/**
 * Index 1 means "never was", so nothing that has an index may be of revision 1: a client that was told 1 would sleep past
 * it. The first revision of a fresh store goes to its layout version.
 */
async function leaveFirstRevision(store: Store): Promise<void> {
  const { revision } = await store.read(EVERYTHING, { keysOnly: true, limit: 1 });
  if (revision > 0) return;
  const key = 'meta/version';
  await store.commit({
    compares: [{ key, modRevision: 0 }],
    writes: [{ type: 'put', key, value: JSON.stringify({ layout: 1 }) }],
  });
}

function keyOf(event: StoreEvent | { type: 'put'; entry: Entry }): string {
  return event.type === 'put' ? event.entry.key : event.key;
}
