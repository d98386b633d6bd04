import { type Clock, formatGoDuration, type ProcessResult, runProcess, type RunProcess } from '../lib/index.ts';
import type { HandlerCall, HandlerResult, RunHandler, ScriptHandler } from './handler.ts';
import { sendResult } from './send-result.ts';

const OUTPUT_LIMIT = 4_096;
/** From TERM to KILL for a handler that is over its time. */
const KILL_AFTER_MS = 2_000;

export interface HandlersOptions {
  /** What every script sees beside its own variables: none of the agent's secrets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly run?: RunProcess;
}

/** What runs handlers: scripts in a process group of their own, bounded in time and output, and HTTP requests. */
export function handlerRunner({ environment, clock, run = runProcess }: HandlersOptions): RunHandler {
  return async (handler, call, signal) => {
    if (handler.type === 'http') return sendResult(handler, call, { signal, clock, outputLimit: OUTPUT_LIMIT });
    const env = { ...environment, ...call.variables, CONSUL_INDEX: call.index, DROVER_INDEX: call.index };
    return toResult(await run({ ...processOf(handler, call), env, signal, clock }), handler);
  };
}

function processOf(handler: ScriptHandler, { input }: HandlerCall) {
  const program = handler.shell === null ? { args: handler.args ?? [] } : { shell: handler.shell };
  const limits = { timeoutMs: handler.timeoutMs, killAfterMs: KILL_AFTER_MS, outputLimit: OUTPUT_LIMIT };
  return { ...program, ...limits, cwd: handler.cwd, input };
}

function toResult(result: ProcessResult, { timeoutMs }: ScriptHandler): HandlerResult {
  const { ending, exitCode, signal, output, durationMs } = result;
  const ok = ending === 'exited' && exitCode === 0;
  return { ok, ending: textOf(), output: output.trim(), durationMs };

  function textOf(): string {
    if (ending === 'not-started') return `not started: ${result.error?.message ?? 'unknown'}`;
    if (ending === 'timeout') return `stopped after ${formatGoDuration(timeoutMs)}`;
    if (ending === 'aborted') return 'stopped with the agent';
    return exitCode === null ? `ended by ${signal ?? 'a signal'}` : `exit ${exitCode}`;
  }
}
