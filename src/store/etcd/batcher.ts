import type { Clock } from '../../lib/index.ts';
import type { Txn } from '../contract.ts';
import type { TxnRequestInit } from './client.ts';
import { EtcdCallFailed } from './client.ts';
import type { Era } from './era.ts';
import type { TxnResponse } from './generated/rpc_pb.ts';
import { planBatch } from './plan-batch.ts';
import { outcomesOf, requestOf } from './translate.ts';
import type { Outcome, PreparedTxn } from './translate.ts';

/** So many batches are under way at once at most; those that touch what one of them writes wait for its answer. */
const MOST_IN_FLIGHT = 4;
/** For so long a transaction that was certainly not done is tried again, the time in the queue included: who waits behind others waits no longer. */
const TRY_AGAIN_MS = 2_000;
const PAUSE_MS = 100;

interface Pending {
  readonly txn: Txn;
  /** When it came, on the monotonic clock. */
  readonly atMs: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
}

export interface BatcherOptions {
  readonly clock: Clock;
  readonly send: (request: TxnRequestInit) => Promise<TxnResponse>;
  readonly era: () => Era;
  /** Resolves when another era than this one holds. */
  readonly renewed: (era: Era) => Promise<void>;
  /** What has to be looked up before a transaction can be sent, put into it. */
  readonly prepare: (txn: Txn, era: Era) => Promise<PreparedTxn>;
  /** Told of each outcome, before who committed. */
  readonly answered: (outcome: Outcome) => void;
  /** What a failed call means to who called. */
  readonly errorOf: (failure: unknown, txn: Txn) => Error;
}

/**
 * Packs transactions into batches. The first goes at once; what comes while others are under way, and touches nothing that they write,
 * goes with the next. A batch whose outcome is unknown is never sent again: who called is told so.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  #queue: Pending[] = [];
  readonly #inFlight = new Set<readonly Pending[]>();
  #scheduled = false;
  #drained: (() => void)[] = [];

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** Resolves when etcd has answered. */
  submit(txn: Txn): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ txn, atMs: this.#options.clock.now(), resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  async drain(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  // In a microtask, so that what one turn of the loop commits shares a batch.
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#fill();
    });
  }

  #fill(): void {
    while (this.#inFlight.size < MOST_IN_FLIGHT && this.#queue.length > 0) {
      const [waiting, underWay] = [this.#queue, [...this.#inFlight].flat()].map((all) => all.map(({ txn }) => txn));
      // A compare of what came with a restore becomes two.
      const comparesEach = this.#options.era().origins.size > 0 ? 2 : 1;
      const places = new Set(planBatch(waiting ?? [], underWay, comparesEach));
      if (places.size === 0) return;
      const batch = this.#queue.filter((_, place) => places.has(place));
      this.#queue = this.#queue.filter((_, place) => !places.has(place));
      void this.#run(batch);
    }
  }

  async #run(batch: readonly Pending[]): Promise<void> {
    this.#inFlight.add(batch);
    await this.#settle(batch);
    this.#inFlight.delete(batch);
    this.#fill();
    if (this.#isIdle()) for (const resolve of this.#drained.splice(0)) resolve();
  }

  async #settle(batch: readonly Pending[]): Promise<void> {
    try {
      const outcomes = await this.#commit(batch);
      for (const outcome of outcomes) this.#options.answered(outcome);
      for (const [index, pending] of batch.entries()) pending.resolve(outcomes[index] as Outcome);
    } catch (error) {
      // One of them is not for etcd: the others need not suffer.
      if (batch.length > 1 && isRefused(error)) for (const pending of batch) await this.#settle([pending]);
      else for (const { txn, reject } of batch) reject(this.#options.errorOf(error, txn));
    }
  }

  async #commit(batch: readonly Pending[]): Promise<Outcome[]> {
    const txns = batch.map(({ txn }) => txn);
    const deadlineMs = Math.min(...batch.map(({ atMs }) => atMs)) + TRY_AGAIN_MS;
    for (;;) {
      const era = this.#options.era();
      try {
        const prepared = await Promise.all(txns.map((txn) => this.#options.prepare(txn, era)));
        const outcomes = outcomesOf(prepared, await this.#options.send(requestOf(prepared, era)), era);
        if (outcomes !== null) return outcomes;
        await this.#options.renewed(era);
      } catch (error) {
        if (!isUndone(error) || this.#options.clock.now() >= deadlineMs) throw error;
        await this.#options.clock.sleep(PAUSE_MS);
      }
    }
  }

  #isIdle(): boolean {
    return this.#queue.length === 0 && this.#inFlight.size === 0;
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof EtcdCallFailed && (error.kind === 'invalid' || error.kind === 'no-lease');
}

/** Certainly not done, for a reason that may pass. */
function isUndone(error: unknown): boolean {
  return error instanceof EtcdCallFailed && error.kind === 'unavailable' && error.outcome === 'none';
}
