import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { isAlive, processAgeMs } from '../process-identity.ts';
import type { ProcessIdentity } from '../process-identity.ts';
import { readRecord, recordFileOf } from './record.ts';
import type { ShimExit, ShimRecord } from './record.ts';

const POLL_MS = 50;

/** A run under the shim, started by this process or found: it may have ended already. */
export class ShimRun {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly logFile: string;
  /** The command's process and process group; null when it could not be started. */
  readonly pid: number | null;
  /** Wall-clock ms. */
  readonly startedAt: number;
  /** Resolves once the command has ended and the lock is free; never rejects, and does not keep the process alive. */
  readonly exited: Promise<ShimExit>;
  readonly #record: ShimRecord;

  constructor(record: ShimRecord, exited: Promise<ShimExit>) {
    this.id = record.id;
    this.name = record.name;
    this.labels = record.labels;
    this.logFile = record.logFile;
    this.pid = record.command?.pid ?? null;
    this.startedAt = record.startedAt;
    this.exited = exited;
    this.#record = record;
  }

  /** Ends the command's whole process group: SIGTERM, then SIGKILL; `exited` tells when it is done. */
  terminate(): void {
    const { shim, command } = this.#record;
    if (isAlive(shim)) signal(shim.pid, 'SIGTERM');
    else if (command && isAlive(command)) signal(-command.pid, 'SIGKILL');
  }
}

/** The latest run of a name, whoever started it; null when it never ran or its record is gone. */
export async function findRun(stateDirectory: string, name: string, clock = systemClock): Promise<ShimRun | null> {
  const file = recordFileOf(stateDirectory, name);
  const record = await readRecord(file);
  return record === null ? null : new ShimRun(record, followRun(file, record, clock));
}

/**
 * Waits for a run whose exit nobody tells: until the shim and the lock's holder are gone, then reads what was recorded.
 * A command that lost its shim is waited for as well, up to its time limit, so that the next one never overlaps it.
 */
export async function followRun(file: string, first: ShimRecord, clock: Clock): Promise<ShimExit> {
  await whileAlive([first.shim, first.holder], clock);
  const record = await latest(file, first);
  if (record.exit) return record.exit;
  await outlive(record.command, record.timeLimitMs, clock);
  const { startedAt } = record;
  return { code: null, signal: null, startedAt, endedAt: clock.wall(), timedOut: false, lost: true };
}

async function latest(file: string, first: ShimRecord): Promise<ShimRecord> {
  const record = await readRecord(file);
  return record?.id === first.id ? record : first;
}

async function outlive(command: ProcessIdentity | null, timeLimitMs: number | null, clock: Clock): Promise<void> {
  const age = command === null ? null : processAgeMs(command);
  if (command === null || age === null) return;
  const limit =
    timeLimitMs === null ? null : clock.after(Math.max(0, timeLimitMs - age), () => signal(-command.pid, 'SIGKILL'));
  await whileAlive([command], clock);
  limit?.cancel();
}

async function whileAlive(processes: readonly (ProcessIdentity | null)[], clock: Clock): Promise<void> {
  // Timers of `after` do not keep the process alive: following a run never delays the end of an agent.
  while (processes.some((one) => one !== null && isAlive(one)))
    await new Promise<void>((resolve) => void clock.after(POLL_MS, resolve));
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile.
  }
}
