import type { Clock, Timer } from '../lib/index.ts';
import type { Revision, Store } from './contract.ts';
import type { Fence } from './fence.ts';

export interface CompactionOptions {
  readonly store: Pick<Store, 'compact' | 'status'>;
  /** Of the duty to compact. */
  readonly fence: Fence;
  readonly clock: Clock;
  /** Told of what failed; it is tried again. */
  readonly report: (error: unknown) => void;
  /** Between two compactions, and how old what goes is at least; 5 min unless told. */
  readonly everyMs?: number;
}

const EVERY_MS = 300_000;

/**
 * Lets etcd forget revisions that are older than any server's or watch's pause should be (store.md 2.4, 12): without it its file grows for
 * ever. Embedded stores forget by themselves. Every server notes which revision stood when; the duty's holder compacts.
 */
export class Compaction implements AsyncDisposable {
  readonly #options: CompactionOptions;
  #before: Revision | null = null;
  #timer: Timer | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(options: CompactionOptions) {
    this.#options = options;
  }

  static start(options: CompactionOptions): Compaction {
    const compaction = new Compaction(options);
    if (options.store.status().engine === 'etcd') compaction.#schedule();
    return compaction;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(): void {
    const { clock, everyMs = EVERY_MS, report } = this.#options;
    if (this.#isClosed) return;
    this.#timer = clock.after(everyMs, () => {
      this.#running = this.#compact()
        .catch(report)
        .then(() => this.#schedule());
    });
  }

  async #compact(): Promise<void> {
    const { store, fence } = this.#options;
    const before = this.#before;
    const { revision, leaderKnown } = store.status();
    this.#before = revision;
    if (before !== null && before > 0 && leaderKnown && fence() !== null) await store.compact(before);
  }
}
