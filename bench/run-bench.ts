import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { BenchOptions, BenchResult } from './result.ts';

/** Benchmarks may ask for a collection, and are as quiet as the product. */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--expose-gc'];

export interface RunBenchOptions extends BenchOptions {
  /** Ends the benchmark, which then rejects. */
  readonly signal: AbortSignal;
}

/**
 * Runs one benchmark in a process of its own, with a temporary directory that is removed after it.
 *
 * @throws an Error that says how its process ended when it gave no result
 */
export async function runBench(name: string, { quick, signal }: RunBenchOptions): Promise<BenchResult> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'drover-bench-'));
  try {
    return await resultOf(name, quick, directory, signal);
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

async function resultOf(name: string, quick: boolean, directory: string, signal: AbortSignal): Promise<BenchResult> {
  const child = fork(path.join(import.meta.dirname, 'run-one.ts'), [name, ...(quick ? ['--quick'] : [])], {
    execArgv: NODE_FLAGS,
    env: { ...process.env, TMPDIR: directory },
    // The benchmark's own words go to stderr: stdout is for results.
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  let result: BenchResult | null = null;
  child.on('message', (message) => (result = message as BenchResult));
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const end = await ended(child);
  signal.removeEventListener('abort', stop);
  if (result === null || end !== '0') throw new Error(`${name} ended with ${end} and without a result`);
  return result;
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(String(signal ?? code)));
  });
}
