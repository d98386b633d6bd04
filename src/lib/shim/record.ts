import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Owner } from '../atomic-file.ts';
import type { ProcessIdentity } from '../process-identity.ts';

/** What the shim is told on its standard input: never in arguments, which anybody can read. */
export interface ShimSpec {
  readonly id: string;
  readonly name: string;
  readonly recordFile: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly timeLimitMs: number | null;
  /** From SIGTERM to SIGKILL. */
  readonly killAfterMs: number;
  readonly logFile: string;
  readonly maxLogBytes: number;
  readonly owner: Owner | null;
  readonly labels: Readonly<Record<string, string | number>>;
}

/** How a run ended; times in wall-clock ms. */
export interface ShimExit {
  /** null when a signal ended it or nobody saw it end. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly timedOut: boolean;
  /** The shim itself was killed, or the machine went down: how the command ended is not known. */
  readonly lost: boolean;
}

/** What the shim keeps on disk about its latest run, for whoever comes after the one that started it. */
export interface ShimRecord {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly logFile: string;
  readonly timeLimitMs: number | null;
  readonly killAfterMs: number;
  readonly startedAt: number;
  /** flock(1), which holds the lock. */
  readonly holder: ProcessIdentity | null;
  readonly shim: ProcessIdentity;
  /** null until the command was started; its process group has the same number. */
  readonly command: ProcessIdentity | null;
  readonly exit: ShimExit | null;
}

/** Where the record of a run's name is kept; any name is safe. */
export function recordFileOf(stateDirectory: string, name: string): string {
  return path.join(stateDirectory, `${encodeURIComponent(name)}.run.json`);
}

/** The record, or null when there is none or it is of no use. */
export async function readRecord(file: string): Promise<ShimRecord | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const record = JSON.parse(text) as ShimRecord;
    return record.version === 1 ? record : null;
  } catch {
    return null;
  }
}
