import type { Clock, Timer } from '../lib/index.ts';
import { prefixRange, isCompacted } from '../store/index.ts';
import type { Difference, HeldKey, Revision, Store } from '../store/index.ts';
import { cacheDiverged } from './errors.ts';
import type { Held } from './feed.ts';
import { familyOf } from './keys.ts';

export interface CacheCheckOptions {
  readonly feed: {
    readonly revision: Revision;
    /** Every key that is in memory. */
    held(): Iterable<Held>;
    /** Reads the store again, and takes what differs. */
    resync(): Promise<void>;
  };
  readonly store: Pick<Store, 'difference' | 'status'>;
  readonly clock: Clock;
  /** From 0 up to 1: servers do not all look at once. */
  readonly random: () => number;
  /** Told of what differs, and of checks that failed. */
  readonly report: (error: unknown) => void;
  /** 5 min unless told. */
  readonly everyMs?: number;
}

const EVERY_MS = 300_000;
/** So many keys are looked at in one turn of the event loop. */
const KEYS_PER_TURN = 10_000;
/** Families of which every key is held. */
const CHECKED = ['node/', 'own/', 'alive/', 'inst/', 'chk/', 'def/', 'ds/', 'names/', 'kv/', 'acl/'] as const;

/**
 * Compares what is in memory with the store now and then (store.md 6.2): some versions of etcd lose events of a watch. What differs is
 * counted, and read again; who waits for it is woken.
 */
export class CacheCheck implements AsyncDisposable {
  readonly #options: CacheCheckOptions;
  #timer: Timer | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #divergence = 0;
  /** What still differed after it had been read again: nothing to be mended here, such as entries that cannot be read. */
  #known: ReadonlySet<string> = new Set();
  readonly #closing = Promise.withResolvers<void>();
  #isClosed = false;

  private constructor(options: CacheCheckOptions) {
    this.#options = options;
  }

  /** Does nothing over a store whose every event surely arrives. */
  static start(options: CacheCheckOptions): CacheCheck {
    const check = new CacheCheck(options);
    check.#schedule();
    return check;
  }

  /** How many keys have been found to differ since the start. */
  get divergence(): number {
    return this.#divergence;
  }

  /** Compares, and mends; resolves with how many keys differed. */
  async check(): Promise<number> {
    const found = await this.#differing();
    if (found.length === 0) return 0;
    this.#divergence += found.length;
    this.#options.report(cacheDiverged(found.length, found[0]?.key ?? ''));
    // A store that went away is read again when it is back; nobody's end waits for that.
    await Promise.race([this.#options.feed.resync(), this.#closing.promise]);
    if (this.#isClosed) return found.length;
    this.#known = new Set((await this.#compare()).map(keyOf));
    return found.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#closing.resolve();
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(): void {
    const { clock, random, everyMs = EVERY_MS, store, report } = this.#options;
    if (this.#isClosed || store.difference === undefined) return;
    this.#timer = clock.after(everyMs * (0.8 + random() * 0.4), () => {
      const isThere = store.status().leaderKnown;
      this.#running = (isThere ? this.check() : Promise.resolve(0))
        .catch((error: unknown) => {
          if (!isCompacted(error)) report(error);
        })
        .then(() => this.#schedule());
    });
  }

  /** Keys change while they are looked at in turns: what differs is looked at again at once. */
  async #differing(): Promise<Difference[]> {
    const { feed } = this.#options;
    const seen = await this.#differences(await inTurns(feed.held()), feed.revision);
    return seen.length === 0 ? [] : this.#compare();
  }

  async #compare(): Promise<Difference[]> {
    const { feed } = this.#options;
    const held = [...feed.held()].map(heldKey);
    return (await this.#differences(held, feed.revision)).filter(({ key }) => !this.#known.has(key));
  }

  async #differences(held: readonly HeldKey[], revision: Revision): Promise<Difference[]> {
    const families = Map.groupBy(held, ([key]) => familyOf(key));
    const found: Difference[] = [];
    for (const family of CHECKED) {
      const differing = await this.#options.store.difference?.(
        families.get(family) ?? [],
        prefixRange(family),
        revision,
      );
      found.push(...(differing ?? []));
    }
    return found;
  }
}

async function inTurns(all: Iterable<Held>): Promise<HeldKey[]> {
  const held: HeldKey[] = [];
  for (const one of all) {
    held.push(heldKey(one));
    if (held.length % KEYS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return held;
}

function heldKey({ key, modRevision }: Held): HeldKey {
  return [key, modRevision];
}

function keyOf({ key }: Difference): string {
  return key;
}
