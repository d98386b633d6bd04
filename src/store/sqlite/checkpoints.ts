import type { Worker } from 'node:worker_threads';
import { messageOf, startWorker } from '../../lib/index.ts';
import type { CheckpointSetup } from './checkpoint-worker.ts';
import type { Failure } from './failure.ts';

/** Often enough that the log stays small, rarely enough to cost nothing (`docs/decisions/010-embedded-store-sqlite.md`). */
const EVERY_MS = 100;

/** The main thread's end of the thread that checkpoints. */
export class Checkpoints {
  readonly #worker: Worker;
  readonly #exited: Promise<unknown>;

  constructor(file: string, failed: (failure: Failure) => void) {
    const setup: CheckpointSetup = { file, everyMs: EVERY_MS };
    this.#worker = startWorker('store-checkpoint', {
      module: new URL('./checkpoint-worker.ts', import.meta.url),
      workerData: setup,
    });
    this.#worker.on('message', failed);
    this.#worker.on('error', (error) => failed({ full: false, damaged: false, why: messageOf(error) }));
    this.#exited = new Promise((resolve) => this.#worker.once('exit', resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.postMessage('end');
    await this.#exited;
  }
}
