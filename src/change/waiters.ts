import type { Clock } from '../lib/index.ts';
import type { Revision } from '../store/index.ts';
import type { ConsumerTrace } from './trace.ts';

export interface WaitOptions {
  readonly timeoutMs: number;
  /** Whether provisions count: consumers of kind `listener` (`--wait-provisions`). */
  readonly provisions: boolean;
  readonly signal?: AbortSignal;
}

/** How a wait ended; `pending` names who has not taken the change up, and why. */
export interface WaitResult {
  readonly converged: boolean;
  readonly pending: readonly ConsumerTrace[];
}

/**
 * The answer that a wait has by now, or null while it goes on: done when nobody is pending, over at once when somebody
 * refused, failed or is held (semantics 6). Pure.
 */
export function waitVerdict(consumers: readonly ConsumerTrace[], provisions: boolean): WaitResult | null {
  const pending = pendingOf(consumers, provisions);
  if (pending.length === 0) return { converged: true, pending };
  return pending.some((one) => one.state !== 'late') ? { converged: false, pending } : null;
}

/** Who is waited for and has not arrived. Pure. */
export function pendingOf(consumers: readonly ConsumerTrace[], provisions: boolean): readonly ConsumerTrace[] {
  return consumers.filter(
    (one) => one.state !== 'arrived' && one.down !== true && (provisions || one.kind !== 'listener'),
  );
}

interface Waiter {
  readonly revision: Revision;
  readonly check: () => void;
}

/** Those who wait until a revision has arrived everywhere. */
export class Waiters {
  readonly #clock: Clock;
  readonly #consumers: (revision: Revision) => readonly ConsumerTrace[];
  readonly #waiting = new Set<Waiter>();

  constructor(clock: Clock, consumers: (revision: Revision) => readonly ConsumerTrace[]) {
    this.#clock = clock;
    this.#consumers = consumers;
  }

  /** Rejects with the signal's reason when it is aborted. */
  wait(revision: Revision, { timeoutMs, provisions, signal }: WaitOptions): Promise<WaitResult> {
    signal?.throwIfAborted();
    const verdict = waitVerdict(this.#consumers(revision), provisions);
    if (verdict !== null) return Promise.resolve(verdict);
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(waiter);
        settle();
      };
      const onAbort = (): void => end(() => reject(signal?.reason as Error));
      const check = (): void => {
        const now = waitVerdict(this.#consumers(revision), provisions);
        if (now !== null) end(() => resolve(now));
      };
      const giveUp = (): void => {
        const pending = pendingOf(this.#consumers(revision), provisions);
        end(() => resolve({ converged: pending.length === 0, pending }));
      };
      const waiter = { revision, check };
      const timer = this.#clock.after(timeoutMs, giveUp);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  /** To be called after every receipt and after nodes came or went. */
  check(): void {
    for (const waiter of this.#waiting) waiter.check();
  }
}
