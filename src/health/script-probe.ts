import type { CheckDefinition } from '../definition/index.ts';
import { type Clock, type ProcessResult, type RunProcess, formatGoDuration } from '../lib/index.ts';
import { type Probe, type Verdict, boundOutput, headed, isOwnFailure, outputLimitOf } from './verdict.ts';

export const SCRIPT_TIMEOUT_MS = 30_000;
/** From TERM to KILL for a script that is over its time. */
const KILL_AFTER_MS = 1_000;

/** A probe that runs a script or a Nagios plugin: exit 0 passing, 1 warning, anything else critical. */
export function scriptProbe(
  definition: CheckDefinition,
  options: { readonly run: RunProcess; readonly env: Readonly<Record<string, string>>; readonly clock: Clock },
): Probe {
  const { run, env, clock } = options;
  const { args, script } = definition;
  const timeoutMs = definition.timeoutMs || SCRIPT_TIMEOUT_MS;
  const outputLimit = outputLimitOf(definition);
  const program = script === undefined ? { args: args ?? [] } : { shell: script };
  return async (signal) => {
    const limits = { timeoutMs, killAfterMs: KILL_AFTER_MS, outputLimit };
    return verdictOf(await run({ ...program, ...limits, env, signal, clock }), { timeoutMs, outputLimit });
  };
}

function verdictOf(result: ProcessResult, limits: { timeoutMs: number; outputLimit: number }): Verdict {
  const { ending, gone } = result;
  if (ending === 'not-started') {
    const status = isOwnFailure(result.error) ? null : 'critical';
    return { status, output: result.error?.message ?? 'it did not start', gone };
  }
  if (ending === 'aborted') return { status: null, output: '', gone };
  const output = boundOutput(result.output, limits.outputLimit, result.outputBytes);
  if (ending === 'timeout') {
    const head = `Timed out (${formatGoDuration(limits.timeoutMs)}) running check`;
    const text = output === '' ? head : headed(`${head}: `, output, limits.outputLimit);
    return { status: 'critical', output: text, gone };
  }
  return { status: statusOfExit(result.exitCode), output, gone };
}

/** Nagios’ exit statuses: 0 passing, 1 warning, 2 critical, and critical too what is UNKNOWN (3) or none of them. */
export function statusOfExit(exitCode: number | null): 'passing' | 'warning' | 'critical' {
  if (exitCode === 0) return 'passing';
  return exitCode === 1 ? 'warning' : 'critical';
}
