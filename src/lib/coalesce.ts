import type { Clock, Timer } from './clock.ts';

export interface CoalesceOptions {
  readonly clock: Clock;
  /** A run begins this long after the last request… */
  readonly settleMs?: number;
  /** …and this long after the first at the latest. */
  readonly mostMs?: number;
  /** The task rejected; requests go on being served. */
  readonly onError?: (error: unknown) => void;
}

/** Requests that collapse into runs. */
export interface Coalesced extends AsyncDisposable {
  /** Asks for a run that begins after now: whatever changed before is seen by it. */
  request(): void;
  /** Resolves when nothing runs and nothing was asked for. */
  idle(): Promise<void>;
  readonly running: boolean;
  /** A run was asked for and has not begun. */
  readonly queued: boolean;
}

/**
 * Runs a task at most once at a time, with at most one run queued: a request while one is queued is served by that one.
 * Disposing aborts the task's signal and waits for it.
 *
 * @example
 * await using render = coalesce(async () => writeFile(path, text()), { clock, settleMs: 50, mostMs: 500 });
 * registry.onChange(() => render.request());
 */
export function coalesce(task: (signal: AbortSignal) => Promise<void>, options: CoalesceOptions): Coalesced {
  return new CoalescedTask(task, options);
}

class CoalescedTask implements Coalesced {
  readonly #task: (signal: AbortSignal) => Promise<void>;
  readonly #options: CoalesceOptions;
  readonly #stop = new AbortController();
  /** When the first request of the queued run came. */
  #askedAt: number | null = null;
  /** The queued run's time has come: it begins as soon as none runs. */
  #due = false;
  #timer: Timer | null = null;
  #run: Promise<void> | null = null;
  #waiting: (() => void)[] = [];

  constructor(task: (signal: AbortSignal) => Promise<void>, options: CoalesceOptions) {
    this.#task = task;
    this.#options = options;
  }

  get running(): boolean {
    return this.#run !== null;
  }

  get queued(): boolean {
    return this.#askedAt !== null;
  }

  request(): void {
    if (this.#stop.signal.aborted || this.#due) return;
    const { clock, settleMs = 0, mostMs = Infinity } = this.#options;
    const now = clock.now();
    this.#askedAt ??= now;
    this.#timer?.cancel();
    const delayMs = Math.max(0, Math.min(settleMs, this.#askedAt + mostMs - now));
    this.#timer = clock.after(delayMs, () => {
      this.#due = true;
      this.#begin();
    });
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#tellIdle();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    this.#askedAt = null;
    this.#due = false;
    await this.#run;
    this.#tellIdle();
  }

  #begin(): void {
    if (this.#run !== null || !this.#due) return;
    this.#due = false;
    this.#askedAt = null;
    this.#run = this.#runOnce();
  }

  async #runOnce(): Promise<void> {
    try {
      await this.#task(this.#stop.signal);
    } catch (error) {
      this.#options.onError?.(error);
    }
    this.#run = null;
    this.#begin();
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.running || this.queued) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
  }
}
