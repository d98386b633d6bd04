import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { ensureDirectory, findRun, startUnderShim, writeAtomically } from '../lib/index.ts';
import type { Clock, Owner, ShimExit, ShimRun } from '../lib/index.ts';
import type { NodeView } from '../registry/index.ts';
import type { ListenerState, ProvisionRun, Running } from './state.ts';

/** How a node's provision command is run. */
export interface ProvisionSettings {
  readonly stateDirectory: string;
  /** A folder for each run: its view and its output. */
  readonly runsDirectory: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly owner: Owner | null;
  readonly timeLimitMs: number | null;
  readonly killAfterMs: number;
  readonly success: readonly number[];
  readonly clock: Clock;
}

/** The name under which the shim keeps record and lock: `<stateDirectory>/provision.lock`. */
export const PROVISION = 'provision';

/** Where a run's view and output are. */
export function runDirectory(runsDirectory: string, id: string): string {
  return path.join(runsDirectory, id);
}

/** The output of a run; at a limit it is cut to the latest. */
export function runLog(runsDirectory: string, id: string): string {
  return path.join(runDirectory(runsDirectory, id), 'output.log');
}

/** Starts the command with the very view it was decided for. Throws SHIM_LOCKED, SHIM_UNAVAILABLE or the system's error. */
export async function startProvision(settings: ProvisionSettings, run: Running, view: NodeView): Promise<ShimRun> {
  const { stateDirectory, runsDirectory, owner, command, cwd, timeLimitMs, killAfterMs, clock } = settings;
  const directory = runDirectory(runsDirectory, run.id);
  // The command's user passes through these folders to its view, and sees nothing else in them.
  await ensureDirectory(directory, 0o711);
  const inputs = path.join(directory, 'inputs.json');
  await writeAtomically(inputs, `${JSON.stringify(view, null, 1)}\n`, { mode: 0o600, ...(owner && { owner }) });
  return startUnderShim({
    stateDirectory,
    name: PROVISION,
    id: run.id,
    command,
    cwd,
    env: { ...settings.env, ...commandEnvironment(run, view, inputs) },
    timeLimitMs,
    killAfterMs,
    logFile: runLog(runsDirectory, run.id),
    labels: { revision: run.revision, hash: run.hash },
    clock,
    ...(owner && { owner }),
  });
}

/** Removes what a run needed: its view holds secrets. */
export async function removeInputs(runsDirectory: string, id: string): Promise<void> {
  await rm(path.join(runDirectory(runsDirectory, id), 'inputs.json'), { force: true });
}

/** Removes all that is left of a run. */
export async function removeRun(runsDirectory: string, id: string): Promise<void> {
  await rm(runDirectory(runsDirectory, id), { recursive: true, force: true });
}

/**
 * Removes what an agent that was killed left behind: folders of runs that never were, and views of those that ended. What
 * the shim ran last keeps its folder: where the state was damaged it may be the only one who knows of it.
 */
export async function sweepRuns(settings: ProvisionSettings, { running, history }: ListenerState): Promise<void> {
  const { runsDirectory, stateDirectory, clock } = settings;
  const ended = new Set(history.map(({ id }) => id));
  const latest = await findRun(stateDirectory, PROVISION, clock);
  for (const id of await readdir(runsDirectory).catch(() => [])) {
    if (ended.has(id)) await removeInputs(runsDirectory, id);
    else if (id !== running?.id && id !== latest?.id) await removeRun(runsDirectory, id);
  }
}

/** How a run that ended goes into the history. */
export function runOf(settings: ProvisionSettings, running: Running, exit: ShimExit): ProvisionRun {
  const { id, hash, revision, causes } = running;
  return {
    id,
    hash,
    revision,
    causes,
    startedAt: new Date(exit.startedAt).toISOString(),
    endedAt: new Date(exit.endedAt).toISOString(),
    exitCode: exit.code,
    signal: exit.signal,
    succeeded: exit.code !== null && !exit.timedOut && settings.success.includes(exit.code),
    result: resultOf(exit),
    logFile: runLog(settings.runsDirectory, id),
  };
}

function resultOf(exit: ShimExit): string {
  if (exit.lost) return 'lost: nobody saw its end';
  if (exit.timedOut) return 'time limit';
  return exit.code === null ? `killed by ${exit.signal ?? 'a signal'}` : `exit ${exit.code}`;
}

function commandEnvironment(run: Running, view: NodeView, inputs: string): Record<string, string> {
  return {
    DROVER_NODE: view.node,
    DROVER_REVISION: String(run.revision),
    DROVER_INPUTS: inputs,
    DROVER_CAUSES: JSON.stringify(run.causes),
  };
}
