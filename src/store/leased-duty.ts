import { Backoff, messageOf } from '../lib/index.ts';
import type { Clock, Timer } from '../lib/index.ts';
import type { Compare, Entry, Revision, Store } from './contract.ts';
import { dutyKey, dutyRecord } from './duty-key.ts';
import type { Duty } from './duty.ts';
import type { LeaseKeeper } from './lease-keeper.ts';

export interface LeasedDutyOptions {
  readonly name: string;
  /** This server's name. */
  readonly holder: string;
  readonly store: Pick<Store, 'commit'>;
  readonly keeper: LeaseKeeper;
  readonly clock: Clock;
  /** How long to wait before the next try to get it, in ms: servers that try at once would burden each other. */
  readonly delayMs: () => number;
  /** One that has the store for itself takes over from whoever had it in a former run. */
  readonly isAlone: boolean;
  readonly report?: (error: unknown) => void;
}

/** A try that failed is followed by others, ever later: a store that is full is so for long. */
const RETRY = { firstMs: 50, mostMs: 2_000 } as const;

/** A duty's key as it was last seen. */
interface Seen {
  /** 0: nobody has it. */
  readonly modRevision: Revision;
  /** The lease it is under; null where there is none that could be told. */
  readonly lease: string | null;
}

/**
 * One duty: a key under this server's lease. It is got by a transaction that succeeds only where nobody has it, and counts only
 * while the lease does. `Duties` makes it and tells it what becomes of its key.
 */
export class LeasedDuty implements Duty {
  readonly name: string;
  readonly #options: LeasedDutyOptions;
  readonly #key: string;
  readonly #listeners = new Set<(isHeld: boolean) => void>();
  readonly #stop: () => void;
  /** null before it was looked at. */
  #seen: Seen | null = null;
  #seenAt: Revision = 0;
  #told = false;
  #timer: Timer | undefined;
  readonly #failures = new Backoff(RETRY);
  #pauseMs = 0;
  #said = '';
  #isTrying = false;
  #hasTried = false;
  #isClosed = false;

  constructor(options: LeasedDutyOptions) {
    this.#options = options;
    this.name = options.name;
    this.#key = dutyKey(options.name);
    this.#stop = options.keeper.onChange(() => this.#look());
  }

  get fence(): Compare | null {
    const { lease } = this.#options.keeper;
    const isHeld = lease !== null && this.#seen?.lease === lease.id && !this.#isClosed;
    return isHeld ? { key: this.#key, modRevision: (this.#seen as Seen).modRevision } : null;
  }

  onChange(listen: (isHeld: boolean) => void): () => void {
    const listener = (isHeld: boolean): void => listen(isHeld);
    this.#listeners.add(listener);
    listen(this.fence !== null);
    return () => void this.#listeners.delete(listener);
  }

  /** What its key is as of a revision: an entry, or null where there is none. Also of a try that was never answered. */
  see(entry: Entry | null, revision: Revision): void {
    if (revision < this.#seenAt) return;
    this.#seenAt = revision;
    this.#seen = { modRevision: entry?.modRevision ?? 0, lease: (entry && dutyRecord(entry)?.lease) ?? null };
    this.#look();
  }

  /** Ends it: nothing is written for it any more. The lease is the keeper's to give back. */
  close(): void {
    this.#isClosed = true;
    this.#stop();
    this.#timer?.cancel();
    this.#tell();
    this.#listeners.clear();
  }

  /** Tells who listens, and tries to get the duty where nobody has it. */
  #look(): void {
    this.#tell();
    if (!this.#mayTry()) return;
    this.#timer?.cancel();
    if (!this.#hasTried) void this.#try();
    else this.#timer = this.#options.clock.after(this.#pauseMs + this.#options.delayMs(), () => void this.#try());
  }

  #mayTry(): boolean {
    const { keeper, isAlone } = this.#options;
    if (this.#isClosed || this.#isTrying || this.#seen === null || keeper.lease === null) return false;
    const isTaken = this.#seen.modRevision !== 0;
    return !isTaken || (isAlone && this.#seen.lease !== keeper.lease.id);
  }

  /** Never rejects. What became of a try that was not answered is told by the watch. */
  async #try(): Promise<void> {
    const { lease } = this.#options.keeper;
    if (lease === null || !this.#mayTry()) return;
    this.#isTrying = true;
    this.#hasTried = true;
    const { holder, store } = this.#options;
    const value = JSON.stringify({ holder, lease: lease.id });
    try {
      const outcome = await store.commit({
        compares: [{ key: this.#key, modRevision: this.#seen?.modRevision ?? 0 }],
        writes: [{ type: 'put', key: this.#key, value, lease }],
      });
      this.#isTrying = false;
      this.#failures.reset();
      [this.#pauseMs, this.#said] = [0, ''];
      const { revision } = outcome;
      const written = { key: this.#key, value, createRevision: revision, modRevision: revision };
      this.see((outcome.ok ? written : outcome.entries.find(({ key }) => key === this.#key)) ?? null, revision);
    } catch (error) {
      this.#isTrying = false;
      this.#pauseMs = this.#failures.next();
      this.#say(error);
      this.#look();
    }
  }

  /** Once in a row. */
  #say(error: unknown): void {
    const why = messageOf(error);
    if (!this.#isClosed && why !== this.#said)
      this.#options.report?.(new Error(`cannot get the duty ${this.name}: ${why}`, { cause: error }));
    this.#said = why;
  }

  #tell(): void {
    const isHeld = this.fence !== null;
    if (isHeld === this.#told) return;
    this.#told = isHeld;
    for (const listen of this.#listeners) listen(isHeld);
  }
}
