import { systemClock } from '../lib/index.ts';
import type { Clock, Timer } from '../lib/index.ts';
import { historyEntry, historyKey, historyRange, keyRange, UNFENCED } from '../store/index.ts';
import type { Entry, Fence, Store } from '../store/index.ts';

/** So many records stay at most, however young. */
export const HISTORY_RECORDS = 100_000;
/** So many characters of them stay at most: large values that are written again and again would fill the disk. */
export const HISTORY_SIZE = 2 ** 30;
const PER_TXN = 120;
const EVERY_MS = 300_000;

export interface HistoryReaperOptions {
  readonly store: Pick<Store, 'read' | 'commit'>;
  /** Of the duty to reap; always unless told. */
  readonly fence?: Fence;
  /** How long a record stays; 0: none does. */
  readonly keepMs: number;
  /** `HISTORY_RECORDS` unless told. */
  readonly maxRecords?: number;
  /** `HISTORY_SIZE` unless told. */
  readonly maxSize?: number;
  readonly clock?: Clock;
  /** What else grows old is looked after at the same times. */
  readonly alongside?: () => Promise<unknown>;
  /** Told of what failed; it is tried again the next time. */
  readonly report?: (error: unknown) => void;
}

/** Lets go of history that is too old or too much, the oldest first, every five minutes in small transactions. */
export class HistoryReaper implements AsyncDisposable {
  readonly #options: HistoryReaperOptions;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(options: HistoryReaperOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  static start(options: HistoryReaperOptions): Promise<HistoryReaper> {
    const reaper = new HistoryReaper(options);
    reaper.#schedule();
    return Promise.resolve(reaper);
  }

  /** Reaps what is due; resolves with how many records that were. */
  async reap(): Promise<number> {
    const { store, fence = UNFENCED } = this.#options;
    if (fence() === null) return 0;
    const { entries } = await store.read(historyRange(), { keysOnly: true });
    const oldestFirst = entries.toSorted((a, b) => a.createRevision - b.createRevision);
    const due = await this.#countDue(oldestFirst, this.#countSurplus(oldestFirst));
    for (let start = 0; start < due && !this.#isClosed; start += PER_TXN) {
      const keys = oldestFirst.slice(start, Math.min(due, start + PER_TXN)).map(({ key }) => key);
      const duty = fence();
      if (duty === null) return start;
      const writes = keys.map((key) => ({ type: 'delete', key }) as const);
      if (!(await store.commit({ compares: [duty], writes })).ok) return start;
    }
    return due;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #countSurplus(oldestFirst: readonly Entry[]): number {
    const { maxRecords = HISTORY_RECORDS, maxSize = HISTORY_SIZE } = this.#options;
    let kept = 0;
    for (let size = 0; kept < Math.min(maxRecords, oldestFirst.length); kept++) {
      const { key } = oldestFirst[oldestFirst.length - 1 - kept] as Entry;
      size += key.length + historyKey(key).size;
      if (size > maxSize) break;
    }
    return oldestFirst.length - kept;
  }

  /** Records are as old as their revisions are low: the first young one ends the search. */
  async #countDue(oldestFirst: readonly Entry[], surplus: number): Promise<number> {
    const before = this.#clock.wall() - this.#options.keepMs;
    let due = surplus;
    while (due < oldestFirst.length && (await this.#isOld(oldestFirst[due] as Entry, before))) due++;
    return due;
  }

  async #isOld({ key }: Entry, beforeMs: number): Promise<boolean> {
    const { entries } = await this.#options.store.read(keyRange(key));
    return entries[0] === undefined || !(Date.parse(historyEntry(entries[0]).at) > beforeMs);
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#clock.after(EVERY_MS, () => {
      this.#running = this.reap()
        .then(() => this.#options.alongside?.())
        .catch((error: unknown) => this.#options.report?.(error))
        .then(() => this.#schedule());
    });
  }
}
