import type { Outcome, SendReceipt } from '../change/index.ts';

/** What became of a view. */
export interface Result {
  readonly outcome: Outcome;
  readonly reason?: string;
  /** For `failed` and `refused`: when it is tried again, in ms from now. */
  readonly retryInMs?: number;
}

/** Sends receipts, each new word once: trying again with the same result says nothing new. */
export class ReceiptDesk {
  readonly #send: SendReceipt;
  readonly #wall: () => number;
  #last: { readonly revision: number; readonly result: Result } | null = null;

  constructor(send: SendReceipt, wall: () => number) {
    this.#send = send;
    this.#wall = wall;
  }

  /** The last word that was sent. */
  get last(): { readonly revision: number; readonly result: Result } | null {
    return this.#last;
  }

  /** True when the last word was that everything is taken up. */
  get isSettled(): boolean {
    const outcome = this.#last?.result.outcome;
    return outcome === 'applied' || outcome === 'unchanged';
  }

  send(revision: number, result: Result): void {
    if (this.#last?.revision === revision && sameWord(this.#last.result, result)) return;
    this.#last = { revision, result };
    const { outcome, reason, retryInMs } = result;
    this.#send({
      revision,
      outcome,
      ...(reason === undefined ? {} : { reason }),
      ...(retryInMs === undefined ? {} : { retryAt: new Date(this.#wall() + retryInMs).toISOString() }),
    });
  }
}

function sameWord(before: Result, now: Result): boolean {
  const taken = (result: Result): boolean => result.outcome === 'applied' || result.outcome === 'unchanged';
  return (taken(before) && taken(now)) || (before.outcome === now.outcome && before.reason === now.reason);
}
