import { systemClock } from '../lib/index.ts';
import type { Clock, Timer } from '../lib/index.ts';
import { keyRange, prefixRange, UNFENCED } from '../store/index.ts';
import type { Entry, Fence, Revision, Store, Write } from '../store/index.ts';
import type { Feed } from './feed.ts';
import { floorKey } from './keys.ts';

/** Tombstones of one part of the store, and the floor that stands for those that were reaped. */
export interface TombstoneFamily {
  readonly prefix: string;
  readonly floor: string;
}

/** The tombstones of the registry and of KV. */
export const TOMBSTONES: readonly TombstoneFamily[] = Object.freeze([
  { prefix: 'tomb/', floor: floorKey('registry') },
  { prefix: 'kvt/', floor: floorKey('kv') },
  { prefix: 'kvtree/', floor: floorKey('kv') },
]);

/** One write of a transaction is the floor, and each tombstone is compared, as are the floor and the duty. */
const PER_TXN = 120;

export interface TombstoneReaperOptions {
  readonly store: Store;
  readonly feed: Feed;
  readonly clock?: Clock;
  /** Of the duty to reap; always unless told. */
  readonly fence?: Fence;
  /** How long a tombstone stays; 15 min unless told. */
  readonly keepMs?: number;
  /** Told of what failed; it is tried again the next time. */
  readonly report?: (error: unknown) => void;
}

/**
 * Reaps tombstones that are older than the longest a client may sleep. In the same transaction the floor rises to the
 * highest of them, below which no index falls: a client that comes back later still sees that something went.
 */
export class TombstoneReaper implements AsyncDisposable {
  readonly #store: Store;
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #fence: Fence;
  readonly #report: (error: unknown) => void;
  /** Which revision stood when: revisions have no time of their own, and the wall clock may jump. */
  #marks: { readonly revision: Revision; readonly atMs: number }[] = [];
  #timer: Timer | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(options: TombstoneReaperOptions) {
    this.#store = options.store;
    this.#feed = options.feed;
    this.#clock = options.clock ?? systemClock;
    this.#keepMs = options.keepMs ?? 900_000;
    this.#fence = options.fence ?? UNFENCED;
    this.#report = options.report ?? (() => {});
  }

  /** Reaps once a minute from now on, what has grown old since. */
  static start(options: TombstoneReaperOptions): Promise<TombstoneReaper> {
    const reaper = new TombstoneReaper(options);
    reaper.#schedule();
    return Promise.resolve(reaper);
  }

  /**
   * Reaps what is old enough; resolves with how many tombstones that were. One that may not reap remembers all the same what is
   * how old, so that it need not begin anew when it may.
   */
  async reap(): Promise<number> {
    const nowMs = this.#clock.now();
    this.#marks.push({ revision: this.#feed.revision, atMs: nowMs });
    const old = this.#marks.findLastIndex((mark) => nowMs - mark.atMs >= this.#keepMs);
    const before = this.#marks[old]?.revision;
    if (before === undefined) return 0;
    this.#marks = this.#marks.slice(old);
    return reapTombstones(this.#store, before, TOMBSTONES, this.#fence);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#clock.after(60_000, () => {
      this.#running = this.reap()
        .catch(this.#report)
        .then(() => this.#schedule());
    });
  }
}

/**
 * Deletes tombstones of revisions up to and including `before` and raises the floors to the highest of them. One that is
 * put again meanwhile stays. Resolves with how many are gone.
 */
export async function reapTombstones(
  store: Store,
  before: Revision,
  families: readonly TombstoneFamily[] = TOMBSTONES,
  fence: Fence = UNFENCED,
): Promise<number> {
  let reaped = 0;
  if (fence() === null) return 0;
  for (const family of families) {
    const { entries } = await store.read(prefixRange(family.prefix), { keysOnly: true });
    const old = entries.filter((entry) => entry.modRevision <= before);
    for (let start = 0; start < old.length; start += PER_TXN)
      reaped += await reapSome(store, family, old.slice(start, start + PER_TXN), fence);
  }
  return reaped;
}

/** 0 when somebody else was at it: what is left is reaped the next time. */
async function reapSome(
  store: Store,
  family: TombstoneFamily,
  tombstones: readonly Entry[],
  fence: Fence,
): Promise<number> {
  const { entries } = await store.read(keyRange(family.floor));
  const [floor] = entries;
  const known = floor === undefined ? 0 : (JSON.parse(floor.value) as { revision: Revision }).revision;
  const revision = tombstones.reduce((highest, one) => Math.max(highest, one.modRevision), known);
  const writes: Write[] = tombstones.map(({ key }) => ({ type: 'delete', key }));
  if (revision > known) writes.push({ type: 'put', key: family.floor, value: JSON.stringify({ revision }) });
  const duty = fence();
  if (duty === null) return 0;
  const compares = [duty, { key: family.floor, modRevision: floor?.modRevision ?? 0 }, ...tombstones];
  const outcome = await store.commit({
    compares: compares.map(({ key, modRevision }) => ({ key, modRevision })),
    writes,
  });
  return outcome.ok ? tombstones.length : 0;
}
