import type { Clock, Timer } from '../lib/index.ts';
import { prefixRange, type Entry, type Fence, type Store } from '../store/index.ts';

export interface DeploymentReaperOptions {
  readonly store: Pick<Store, 'read' | 'commit'>;
  /** Of the duty to reap. */
  readonly fence: Fence;
  /** So many of each group stay, those that were written last; 50 unless told. */
  readonly keep?: number;
  readonly clock: Clock;
  /** Told of what failed; it is tried again the next time. */
  readonly report: (error: unknown) => void;
}

/** How far each deployment over many nodes has come stands under `deploy/<id>`. */
export const DEPLOYMENTS = 'deploy/';

const KEEP = 50;
const EVERY_MS = 300_000;
const PER_TXN = 100;

/** Lets go of how far old deployments have come: the latest of each group stay. One that is gone on with meanwhile stays as well. */
export class DeploymentReaper implements AsyncDisposable {
  readonly #options: DeploymentReaperOptions;
  #timer: Timer | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  static start(options: DeploymentReaperOptions): DeploymentReaper {
    const reaper = new DeploymentReaper(options);
    reaper.#schedule();
    return reaper;
  }

  private constructor(options: DeploymentReaperOptions) {
    this.#options = options;
  }

  /** Reaps what is due; resolves with how many that were. */
  async reap(): Promise<number> {
    const { store, fence, keep = KEEP } = this.#options;
    if (fence() === null) return 0;
    const { entries } = await store.read(prefixRange(DEPLOYMENTS));
    const due = surplusOf(entries, keep);
    for (let start = 0; start < due.length; start += PER_TXN) {
      const some = due.slice(start, start + PER_TXN);
      const duty = fence();
      if (duty === null || this.#isClosed) return start;
      const compares = [duty, ...some.map(({ key, modRevision }) => ({ key, modRevision }))];
      const writes = some.map(({ key }) => ({ type: 'delete', key }) as const);
      if (!(await store.commit({ compares, writes })).ok) return start;
    }
    return due.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.after(EVERY_MS, () => {
      this.#running = this.reap()
        .catch(this.#options.report)
        .then(() => this.#schedule());
    });
  }
}

/** All but the latest of each group. Pure. */
function surplusOf(entries: readonly Entry[], keep: number): Entry[] {
  const groups = Map.groupBy(entries, groupOf);
  return [...groups.values()].flatMap((all) => all.toSorted((a, b) => b.modRevision - a.modRevision).slice(keep));
}

/** Those that nobody can read are a group of their own, as those over every node are. */
function groupOf({ value }: Entry): unknown {
  try {
    return (JSON.parse(value) as { readonly group?: unknown } | null)?.group;
  } catch {
    return undefined;
  }
}
