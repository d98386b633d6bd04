import type { Batch, Revision } from '../contract.ts';
import { readOutcome, writeOperation } from './operation.ts';
import type { Answer, Operation, Outcome } from './operation.ts';
import { Tape } from './tape.ts';
import type { Cell } from './tape.ts';

/** So many operations share one commit at most, so that none waits long behind others. */
const MOST_OPERATIONS = 1_024;

interface Pending {
  readonly operation: Operation;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

export interface GroupCommitOptions {
  readonly base: Revision;
  /** Hands a batch to the writer, whose answer comes by `settle`. */
  readonly send: (cells: readonly Cell[]) => void;
  /** Tells watchers, before those who committed. */
  readonly publish: (batches: readonly Batch[]) => void;
}

/**
 * Collects operations while a batch is under way and sends them as the next one: the more writers, the more share one sync.
 * It knows the order of all, and tells watchers and callers only what is durable.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #queue: Pending[] = [];
  #sent: readonly Pending[] = [];
  #scheduled = false;
  #failure: Error | undefined;
  #drained: (() => void) | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Resolves when the outcome is durable and published. */
  submit(operation: Operation): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#queue.push({ operation, resolve, reject });
      this.#schedule();
    });
  }

  /** The writer's answer to the batch that was sent. */
  settle(cells: readonly Cell[]): void {
    const sent = this.#sent;
    this.#sent = [];
    const tape = new Tape(cells);
    const outcomes = sent.map(({ operation }) => readOutcome(tape, operation, this.#options.base));
    this.#send();
    this.#options.publish(batchesOf(outcomes));
    for (const [index, outcome] of outcomes.entries()) sent[index]?.resolve(outcome.answer);
    this.#checkDrained();
  }

  /** Nothing is written any more: every operation, now and later, is rejected. */
  fail(error: Error): void {
    this.#failure ??= error;
    const lost = [...this.#sent, ...this.#queue];
    this.#sent = [];
    this.#queue = [];
    for (const pending of lost) pending.reject(this.#failure);
    this.#checkDrained();
  }

  /** Resolves when nothing is under way. */
  async drain(): Promise<void> {
    if (this.#sent.length + this.#queue.length === 0) return;
    await new Promise<void>((resolve) => (this.#drained = resolve));
  }

  // In a microtask, so that what one turn of the loop commits shares a batch.
  #schedule(): void {
    if (this.#scheduled || this.#sent.length > 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#sent.length > 0 || this.#queue.length === 0) return;
    this.#sent = this.#queue.splice(0, MOST_OPERATIONS);
    const cells: Cell[] = [];
    for (const { operation } of this.#sent) writeOperation(cells, operation, this.#options.base);
    this.#options.send(cells);
  }

  #checkDrained(): void {
    if (this.#sent.length + this.#queue.length === 0) this.#drained?.();
  }
}

function batchesOf(outcomes: readonly Outcome[]): Batch[] {
  const changing = outcomes.filter((outcome) => outcome.events.length > 0 || outcome.replaced === true);
  return changing.map(({ answer, events }) => ({ revision: answer.revision, events }));
}
