import { getCompileCacheDir } from 'node:module';
import path from 'node:path';
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
  return new Worker(options.module, { name: role, workerData: options.workerData, env: workerEnvironment() });
}

/** A thread does not inherit the compile cache of its process, and would strip and compile every module anew. */
function workerEnvironment(): NodeJS.ProcessEnv {
  const directory = getCompileCacheDir();
  return directory === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: path.dirname(directory) };
}
