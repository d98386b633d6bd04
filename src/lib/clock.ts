/** A running timer; disposing or cancelling it twice is harmless. */
export interface Timer {
  cancel(): void;
}

/** Time as a parameter, so that time-dependent behaviour is tested on a fake clock. */
export interface Clock {
  /** Wall-clock time in ms since 1970: for display and records only, it may jump. */
  wall(): number;
  /** Monotonic time in ms: for every duration, deadline and throttle. */
  now(): number;
  /** Runs `task` once after `delayMs`; the timer does not keep the process alive. */
  after(delayMs: number, task: () => void): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason when aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  after: (delayMs, task) => startTimer(delayMs, task, false),
  sleep: (delayMs, signal) => sleepWith((task) => startTimer(delayMs, task, true), signal),
};

/** setTimeout fires at once when asked for more than 2^31-1 ms (24.8 days): longer waits are made of several. */
const LONGEST_MS = 2 ** 31 - 1;

function startTimer(delayMs: number, task: () => void, keepsAlive: boolean): Timer {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    timer = setTimeout(() => (leftMs > LONGEST_MS ? arm(leftMs - LONGEST_MS) : task()), Math.min(leftMs, LONGEST_MS));
    if (!keepsAlive) timer.unref();
  };
  arm(delayMs);
  return { cancel: () => clearTimeout(timer) };
}

function sleepWith(start: (task: () => void) => Timer, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = start(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

interface Scheduled {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
}

/** A clock that moves only when told: tests call `advance`. */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  readonly #wallOffset: number;
  readonly #scheduled = new Set<Scheduled>();

  constructor(options: { nowMs?: number; wallMs?: number } = {}) {
    this.#now = options.nowMs ?? 0;
    this.#wallOffset = (options.wallMs ?? Date.UTC(2026, 0, 1)) - this.#now;
  }

  wall(): number {
    return this.#now + this.#wallOffset;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): Timer {
    const scheduled: Scheduled = { at: this.#now + Math.max(0, delayMs), order: this.#order++, task };
    this.#scheduled.add(scheduled);
    return { cancel: () => void this.#scheduled.delete(scheduled) };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepWith((task) => this.after(delayMs, task), signal);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#scheduled.size;
  }

  /** Time passes and nothing runs, as while a process is stopped: what is due by then runs late, with the next `advance`. */
  skip(byMs: number): void {
    this.#now += byMs;
  }

  /** Moves time forward, running timers in the order they are due and letting promises settle between them. */
  async advance(byMs: number): Promise<void> {
    const end = this.#now + byMs;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at);
      this.#scheduled.delete(next);
      next.task();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #next(end: number): Scheduled | undefined {
    let first: Scheduled | undefined;
    for (const one of this.#scheduled) {
      if (one.at > end) continue;
      if (first === undefined || one.at < first.at || (one.at === first.at && one.order < first.order)) first = one;
    }
    return first;
  }
}

/** Lets queued microtasks and immediates run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
