import { Worker } from 'node:worker_threads';

export interface WorkerOptions {
  /** The thread's code: `new URL('./store-worker.ts', import.meta.url)`. */
  readonly module: URL;
  /** What the thread finds in `workerData`; it is cloned. */
  readonly workerData?: unknown;
}

/**
 * Starts a thread that plays `role`, such as `store-writer`. Every thread of drover starts here: from source the role only
 * names it (in debuggers and `/proc`), and the single executable, which has no files, finds its code by the role alone.
 */
export function startWorker(role: string, options: WorkerOptions): Worker {
  return new Worker(options.module, { name: role, workerData: options.workerData });
}
