import type { CheckDefinition } from '../definition/index.ts';
import {
  type Clock,
  DockerClient,
  type DockerExecResult,
  dockerExec,
  dockerHostOf,
  execEnded,
  formatGoDuration,
  messageOf,
  startDeadline,
} from '../lib/index.ts';
import { SCRIPT_TIMEOUT_MS, statusOfExit } from './script-probe.ts';
import { type Probe, type Verdict, boundOutput, isOwnFailure, outputLimitOf } from './verdict.ts';

const SHELL = '/bin/sh';
/** How often the engine is asked whether a program that was not waited for has ended. */
const GONE_POLL_MS = 1_000;

/** Where one run of a check is. */
interface Run {
  readonly docker: DockerClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What runs in the container; null before it was created. */
  execId: string | null;
}

/**
 * A probe that runs a program in a container: exit 0 passing, 1 warning, anything else critical, and so is a container or
 * an engine that is not there. The engine cannot end a program: after a time-out the next run waits until it has.
 */
export function dockerProbe(
  definition: CheckDefinition,
  options: { readonly environment: Readonly<Record<string, string | undefined>>; readonly clock: Clock },
): Probe {
  const { clock, environment } = options;
  const outputLimit = outputLimitOf(definition);
  return async (signal) => {
    if (signal.aborted) return { status: null, output: '' };
    try {
      const docker = new DockerClient(dockerHostOf(environment));
      return await runIn(definition, { docker, clock, signal, execId: null });
    } catch (error) {
      const status = signal.aborted || isOwnFailure(error) ? null : 'critical';
      return { status, output: boundOutput(messageOf(error), outputLimit) };
    }
  };
}

async function runIn(definition: CheckDefinition, run: Run): Promise<Verdict> {
  const { dockerContainerId: container = '' } = definition;
  const { clock, signal, docker } = run;
  const timeoutMs = definition.timeoutMs || SCRIPT_TIMEOUT_MS;
  const outputLimit = outputLimitOf(definition);
  const late = new AbortController();
  const deadline = startDeadline(clock, timeoutMs, () => late.abort());
  const limits = { outputLimit, clock, signal: AbortSignal.any([signal, late.signal]) };
  const onCreated = (id: string): void => void (run.execId = id);
  try {
    const args = programOf(definition);
    return verdictOf(await dockerExec(docker, { container, args, ...limits, onCreated }), outputLimit);
  } catch (error) {
    if (!late.signal.aborted || signal.aborted) throw error;
    const output = `Timed out (${formatGoDuration(timeoutMs)}) running check`;
    return { status: 'critical', output, gone: ended(run) };
  } finally {
    deadline.cancel();
  }
}

function programOf({ args, script, shell = SHELL }: CheckDefinition): readonly string[] {
  return script === undefined ? (args ?? []) : [shell, '-c', script];
}

function verdictOf({ exitCode, output, outputBytes }: DockerExecResult, outputLimit: number): Verdict {
  return { status: statusOfExit(exitCode), output: boundOutput(output, outputLimit, outputBytes) };
}

/** Resolves when the program has ended, nothing can be known of it, or the signal is aborted. */
async function ended({ docker, clock, signal, execId }: Run): Promise<void> {
  if (execId === null) return;
  try {
    while (!(await execEnded(docker, execId, signal))) await clock.sleep(GONE_POLL_MS, signal);
  } catch {
    // The engine is gone, or the check is: nobody waits.
  }
}
