import type { ProcessResult, RunProcess, RunProcessOptions } from '../lib/index.ts';

/** How a process ended, for tests that give their own in place of `runProcess`. */
export function processResult(part: Partial<ProcessResult> = {}): ProcessResult {
  const output = part.output ?? '';
  return {
    ending: 'exited',
    exitCode: 0,
    signal: null,
    error: null,
    output,
    outputBytes: Buffer.byteLength(output),
    durationMs: 1,
    gone: Promise.resolve(),
    ...part,
  };
}

/** A runner whose processes end as told, one answer after the other and then the last one for ever. */
export function scriptedRun(...answers: readonly Partial<ProcessResult>[]): RunProcess & { runs: RunProcessOptions[] } {
  const runs: RunProcessOptions[] = [];
  const run = async (options: RunProcessOptions): Promise<ProcessResult> => {
    runs.push(options);
    return processResult(answers[Math.min(runs.length, answers.length) - 1]);
  };
  return Object.assign(run, { runs });
}
