import { DroverError, messageOf } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
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
} from './contract.ts';
import { storeClosed, storeNoLeader } from './errors.ts';

export interface LateStoreOptions {
  /** Opens the store; asked again as long as it is away. */
  readonly open: () => Promise<Store>;
  readonly clock: Clock;
  /** Why the store cannot be opened, whenever the reason is another one. */
  readonly report: (why: string) => void;
  /** ms since the store was last heard of, in a former run; those since the start unless told. */
  readonly lastContactMs?: () => number;
  /** Asked once, where it is away: whether to begin without it; else it is waited for. */
  readonly mayBegin: () => Promise<boolean>;
  readonly retryMs?: number;
  readonly signal?: AbortSignal;
}

const RETRY_MS = 1_000;
/** What says that a store is away, which may come back; anything else is for the operator to mend. */
const AWAY: ReadonlySet<string> = new Set(['STORE_NO_LEADER', 'STORE_ETCD_UNREACHABLE']);

/**
 * A store that may be away when its server starts: until it can be opened it takes no writes and knows nothing, as one whose
 * leader is gone; then it is the store itself. `watch` waits for that.
 */
export class LateStore implements Store {
  readonly #options: LateStoreOptions;
  readonly #closing = new AbortController();
  readonly #startedMs: number;
  readonly #opened = Promise.withResolvers<Store>();
  #store: Store | null = null;
  #opening: Promise<void> = Promise.resolve();
  #said = '';

  /**
   * Resolves with the store when it can be opened, at once or, where it is away, later: then as soon as it is there, or, where it may begin
   * without, with one that opens by itself.
   *
   * @throws what `open` throws at first, unless that says that the store is away; the signal's reason
   */
  static async start(options: LateStoreOptions): Promise<Store> {
    const late = new LateStore(options);
    try {
      return await options.open();
    } catch (error) {
      if (!isAway(error)) throw error;
      const mayBegin = await options.mayBegin();
      late.#say(error);
      if (mayBegin) {
        late.#opening = late.#open();
        return late;
      }
    }
    late.#opening = late.#open();
    options.signal?.addEventListener('abort', () => void late[Symbol.asyncDispose](), { once: true });
    const store = await late.#opened.promise;
    late.#closing.abort();
    return store;
  }

  private constructor(options: LateStoreOptions) {
    this.#options = options;
    this.#startedMs = options.clock.now();
    this.#opened.promise.catch(() => undefined);
  }

  async read(range: KeyRange, options?: ReadOptions): Promise<{ entries: Entry[]; revision: Revision }> {
    return this.#demand().read(range, options);
  }

  async commit(txn: Txn): Promise<Committed | Conflict> {
    return this.#demand().commit(txn);
  }

  async *watch(range: KeyRange, after: Revision, signal: AbortSignal): AsyncIterable<Batch> {
    const ended = Promise.withResolvers<null>();
    const end = (): void => ended.resolve(null);
    signal.addEventListener('abort', end, { once: true });
    const store = signal.aborted ? null : await Promise.race([this.#opened.promise, ended.promise]);
    signal.removeEventListener('abort', end);
    if (store !== null) yield* store.watch(range, after, signal);
  }

  async lease(ttlMs: number): Promise<Lease> {
    return this.#demand().lease(ttlMs);
  }

  async compact(before: Revision): Promise<void> {
    return this.#demand().compact(before);
  }

  async restore(entries: readonly Entry[], revision: Revision): Promise<Revision> {
    return this.#demand().restore(entries, revision);
  }

  async difference(held: Iterable<HeldKey>, range: KeyRange, revision: Revision): Promise<Difference[]> {
    return (await this.#demand().difference?.(held, range, revision)) ?? [];
  }

  status(): StoreStatus {
    if (this.#store !== null) return this.#store.status();
    const { clock, lastContactMs = (): number => clock.now() - this.#startedMs } = this.#options;
    return {
      engine: 'etcd',
      leaderKnown: false,
      lastContactMs: lastContactMs(),
      full: false,
      version: 'etcd',
      revision: 0,
      compacted: 0,
      failure: this.#said,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#opened.reject(this.#options.signal?.reason ?? storeClosed());
    await this.#opening;
    await this.#store?.[Symbol.asyncDispose]();
  }

  #demand(): Store {
    if (this.#store === null) throw this.#closing.signal.aborted ? storeClosed() : storeNoLeader(this.#said);
    return this.#store;
  }

  /** Never rejects: what is wrong is said, and it is tried again. */
  async #open(): Promise<void> {
    const { open, clock, retryMs = RETRY_MS } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted && this.#store === null) {
      await clock.sleep(retryMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const store = await open();
        this.#store = store;
        this.#opened.resolve(store);
      } catch (error) {
        this.#say(error);
      }
    }
  }

  #say(error: unknown): void {
    const why = messageOf(error);
    if (why !== this.#said) this.#options.report(why);
    this.#said = why;
  }
}

function isAway(error: unknown): boolean {
  return error instanceof DroverError && AWAY.has(error.code);
}
