import type { Worker } from 'node:worker_threads';
import { messageOf, startWorker } from '../../lib/index.ts';
import type { Failure } from './failure.ts';
import type { Refusal } from './store-file.ts';
import type { Cell } from './tape.ts';
import type { FromWriter, ToWriter, WriterSetup, WriterState } from './writer-messages.ts';

export interface WriterListener {
  /** The batch is durable. */
  done(outcomes: readonly Cell[]): void;
  /** The batch is not written, or nobody knows; nothing will be. */
  failed(failure: Failure): void;
}

/** The main thread's end of the thread that writes. */
export class Writer {
  readonly state: WriterState;
  readonly #worker: Worker;
  readonly #exited: Promise<unknown>;

  private constructor(worker: Worker, state: WriterState) {
    this.#worker = worker;
    this.state = state;
    this.#exited = new Promise((resolve) => worker.once('exit', resolve));
  }

  /** Opens the file in its thread; gives the refusal when it is not a store that can be used. */
  static async start(setup: WriterSetup): Promise<Writer | Refusal> {
    const worker = startWorker('store-writer', {
      module: new URL('./writer-worker.ts', import.meta.url),
      workerData: setup,
    });
    const first = await new Promise<FromWriter>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the writer of the store ended before it began')));
    });
    if (first.type === 'ready') return new Writer(worker, first);
    await worker.terminate();
    return first.type === 'refused' ? first.refusal : { kind: 'unusable', why: `its writer said ${first.type}` };
  }

  /** Who hears of each batch. Called once, before the first batch. */
  listen(listener: WriterListener): void {
    const lost = (why: string): void => listener.failed({ full: false, damaged: false, why });
    this.#worker.on('message', (message: FromWriter) => {
      if (message.type === 'done') listener.done(message.outcomes);
      else if (message.type === 'failed') listener.failed(message.failure);
    });
    this.#worker.on('error', (error) => lost(`its writer died: ${messageOf(error)}`));
    this.#worker.on('exit', () => lost('its writer has ended'));
  }

  send(batch: readonly Cell[]): void {
    this.#worker.postMessage(batch satisfies ToWriter);
  }

  /** Closes the file after the batches that were sent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.postMessage(null satisfies ToWriter);
    await this.#exited;
  }
}
