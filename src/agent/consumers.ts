import type { Consumer } from '../change/index.ts';
import type { NodeView } from '../registry/index.ts';

/**
 * Hands views to a node's consumers in the given order and waits for each to decide before the next sees the view, so
 * that a provision starts only after the others have decided (design 6). While a view is being taken up, only the newest
 * that arrived meanwhile is kept: consumers apply states, not edits.
 */
export class Consumers implements AsyncDisposable {
  readonly #consumers: readonly Consumer[];
  readonly #failed: (consumer: Consumer, error: unknown) => void;
  #next: NodeView | null = null;
  #busy: Promise<void> | null = null;
  #closed = false;

  constructor(consumers: readonly Consumer[], failed: (consumer: Consumer, error: unknown) => void) {
    this.#consumers = consumers;
    this.#failed = failed;
  }

  /** Queues a view; never waits. */
  offer(view: NodeView): void {
    if (this.#closed) return;
    this.#next = view;
    this.#busy ??= this.#run();
  }

  /** Resolves when nothing is queued and the consumers have decided about the last view. */
  async settled(): Promise<void> {
    while (this.#busy !== null) await this.#busy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#next = null;
    await this.#busy;
    for (const consumer of this.#consumers.toReversed()) await consumer[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    while (this.#next !== null) {
      const view = this.#next;
      this.#next = null;
      for (const consumer of this.#consumers) {
        await consumer.offer(view).catch((error: unknown) => this.#failed(consumer, error));
      }
    }
    this.#busy = null;
  }
}
