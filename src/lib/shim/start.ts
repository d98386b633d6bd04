import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ensureDirectory } from '../atomic-file.ts';
import type { Owner } from '../atomic-file.ts';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { shimLocked, shimUnavailable } from './errors.ts';
import { readRecord, recordFileOf } from './record.ts';
import type { ShimRecord, ShimSpec } from './record.ts';
import { followRun, ShimRun } from './run.ts';

/** What to run and under which limits. */
export interface ShimOptions {
  /** Where record and lock are kept; created when absent. */
  readonly stateDirectory: string;
  /** One run of a name at a time. */
  readonly name: string;
  /** Tells this run from others of its name; default random. */
  readonly id?: string;
  readonly command: readonly string[];
  /** The command's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly timeLimitMs: number | null;
  /** From SIGTERM to SIGKILL once the limit is reached; default 10,000 ms. */
  readonly killAfterMs?: number;
  readonly logFile: string;
  /** The log is moved to `<logFile>.1` at this size; default 1 MiB. */
  readonly maxLogBytes?: number;
  /** Default `<stateDirectory>/<name>.lock`; taken with flock(2) for as long as the run lasts. */
  readonly lockFile?: string;
  readonly owner?: Owner;
  /** Kept in the record. No secrets. */
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly clock?: Clock;
}

const LOCKED = 75;

/**
 * Starts a command that outlives this process: in its own session, under a lock that its children do not inherit, with
 * start and exit recorded. Resolves once it runs. Throws SHIM_LOCKED when the lock is held, SHIM_UNAVAILABLE.
 */
export async function startUnderShim(options: ShimOptions): Promise<ShimRun> {
  const spec = specOf(options);
  const lockFile = options.lockFile ?? lockFileOf(options.stateDirectory, options.name);
  await ensureDirectory(options.stateDirectory);
  await ensureDirectory(path.dirname(options.logFile));
  const complaints = `${spec.recordFile}.stderr`;
  const child = spawnShim(lockFile, complaints);
  // flock may refuse before it ever reads: a broken pipe here says nothing that its exit does not.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(JSON.stringify(spec));
  await started(child, lockFile, complaints);
  child.stdout?.destroy();
  child.unref();
  return runOf(spec, child, options.clock ?? systemClock);
}

/** The lock of a run's name: `flock -n LOCK COMMAND` by hand never overlaps a run under the shim. */
export function lockFileOf(stateDirectory: string, name: string): string {
  return path.join(stateDirectory, `${encodeURIComponent(name)}.lock`);
}

function specOf(options: ShimOptions): ShimSpec {
  const { name, command, env, cwd, timeLimitMs, logFile } = options;
  return {
    name,
    command,
    env,
    cwd,
    timeLimitMs,
    logFile,
    id: options.id ?? randomUUID(),
    recordFile: recordFileOf(options.stateDirectory, name),
    killAfterMs: options.killAfterMs ?? 10_000,
    maxLogBytes: options.maxLogBytes ?? 1_048_576,
    owner: options.owner ?? null,
    labels: options.labels ?? {},
  };
}

function spawnShim(lockFile: string, complaints: string): ChildProcess {
  const program = path.join(import.meta.dirname, 'program.ts');
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', program];
  // A file and not a pipe: writing to a pipe whose reader was killed would end the shim.
  const stderr = openSync(complaints, 'w', 0o600);
  const child = spawn('flock', ['-o', '-n', '-E', String(LOCKED), lockFile, ...node], {
    cwd: '/',
    detached: true,
    // The shim itself needs nothing of the agent's environment but the way to flock, mkfifo and cat.
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin' },
    stdio: ['pipe', 'pipe', stderr],
  });
  closeSync(stderr);
  return child;
}

/** Resolves when the shim says that its record stands, or has ended already (a short command may outrun its word). */
function started(child: ChildProcess, lockFile: string, complaints: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(shimUnavailable.with({ cause: error }, messageOf(error))));
    child.stdout?.once('data', () => resolve());
    child.once('close', (code) => {
      if (code === 0) resolve();
      else if (code === LOCKED) reject(shimLocked(lockFile));
      else reject(shimUnavailable(complaintIn(complaints) ?? `flock ended with ${code}`));
    });
  });
}

function complaintIn(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim().slice(0, 1_000) || null;
  } catch {
    return null;
  }
}

async function runOf(spec: ShimSpec, child: ChildProcess, clock: Clock): Promise<ShimRun> {
  const record = await readRecord(spec.recordFile);
  if (record?.id !== spec.id) throw shimUnavailable(`the record ${spec.recordFile} was not written`);
  return new ShimRun(record, exitOf(spec.recordFile, record, child, clock));
}

async function exitOf(
  file: string,
  record: ShimRecord,
  child: ChildProcess,
  clock: Clock,
): ReturnType<typeof followRun> {
  if (child.exitCode === null && child.signalCode === null)
    await new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return followRun(file, record, clock);
}
