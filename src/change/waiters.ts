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
 * refused, failed or is held (semantics 6), and over with its time. Pure.
 */
function verdictOf(consumers: readonly ConsumerTrace[], provisions: boolean, isLast: boolean): WaitResult | null {
  const pending = pendingOf(consumers, provisions);
  const isOver = isLast || pending.length === 0 || pending.some((one) => one.state !== 'late');
  return isOver ? { converged: pending.length === 0, pending } : null;
}

/** Who is waited for and has not arrived. Pure. */
export function pendingOf(consumers: readonly ConsumerTrace[], provisions: boolean): readonly ConsumerTrace[] {
  return consumers.filter(
    (one) => one.state !== 'arrived' && one.down !== true && (provisions || one.kind !== 'listener'),
  );
}

/** What is waited on. */
export interface WaitedOn {
  /** Whether the revision is yet to be applied here, remembered, or no longer remembered. */
  memory(revision: Revision): 'coming' | 'known' | 'forgotten';
  /** How far everybody is with it. */
  consumers(revision: Revision): readonly ConsumerTrace[];
  /** Whether it is known and somebody has yet to take it up; found without looking at everybody. */
  isAwaited(revision: Revision, provisions: boolean): boolean;
  /** The error for a revision that did not come in time, or is no longer remembered. */
  unknown(revision: Revision): Error;
}

/** Those who wait until a revision has arrived everywhere. */
export class Waiters {
  readonly #clock: Clock;
  readonly #on: WaitedOn;
  readonly #waits = new Set<{ readonly goesOn: () => boolean; readonly check: (isLast: boolean) => void }>();

  constructor(clock: Clock, on: WaitedOn) {
    this.#clock = clock;
    this.#on = on;
  }

  /** Rejects with the signal's reason when aborted, and when the revision did not come in time. */
  async wait(revision: Revision, { timeoutMs, provisions, signal }: WaitOptions): Promise<WaitResult> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<WaitResult>();
    const check = (isLast: boolean): void => {
      const memory = this.#on.memory(revision);
      // A change that was let go while waited for may have arrived or not: saying that it has would be early.
      if (memory === 'forgotten' || (memory === 'coming' && isLast)) return reject(this.#on.unknown(revision));
      if (memory === 'coming') return undefined;
      const verdict = verdictOf(this.#on.consumers(revision), provisions, isLast);
      if (verdict !== null) resolve(verdict);
    };
    const onAbort = (): void => reject(signal?.reason as Error);
    const timer = this.#clock.after(timeoutMs, () => check(true));
    signal?.addEventListener('abort', onAbort, { once: true });
    const wait = { goesOn: () => this.#on.isAwaited(revision, provisions), check };
    this.#waits.add(wait);
    check(false);
    return await promise.finally(() => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      this.#waits.delete(wait);
    });
  }

  /** To be called when somebody refused, failed, was held, came or went. */
  check(): void {
    for (const { check } of this.#waits) check(false);
  }

  /** To be called after every other change and receipt: where somebody is still awaited, nothing is over. */
  checkArrivals(): void {
    for (const { goesOn, check } of this.#waits) if (!goesOn()) check(false);
  }
}
