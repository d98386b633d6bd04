import { readFile, stat } from 'node:fs/promises';
import { lockHolder, processStartedAt } from '../lib/index.ts';

/** The lock file of another tool. That the file exists says nothing: both kinds leave it behind (P15). */
export interface ForeignLock {
  readonly file: string;
  /** `flock`: held while some process has it locked (Chef); `pid`: while the process that it names lives (Puppet). */
  readonly held: 'flock' | 'pid' | 'either';
}

/** Who holds any of these locks, in people's words; null when nobody does. */
export async function foreignHolder(locks: readonly ForeignLock[]): Promise<string | null> {
  for (const lock of locks) {
    const pid = await holderOf(lock);
    if (pid !== null) return pid === 0 ? lock.file : `pid ${pid} holds ${lock.file}`;
  }
  return null;
}

async function holderOf({ file, held }: ForeignLock): Promise<number | null> {
  const pid = held === 'pid' ? null : await flockPid(file);
  return pid === null && held !== 'flock' ? namedPid(file) : pid;
}

async function flockPid(file: string): Promise<number | null> {
  return (await lockHolder(file))?.pid ?? null;
}

/** Boot time is known to the second. */
const SLACK_MS = 2_000;

/** The pid in the file, if it is of a process that was there when the file was written and still is. */
async function namedPid(file: string): Promise<number | null> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const pid = /^\s*(\d{1,9})\s*$/.exec(text)?.[1];
  if (pid === undefined) return null;
  const written = await stat(file).catch(() => null);
  const startedAt = processStartedAt(Number(pid));
  if (written === null || startedAt === null || startedAt > written.mtimeMs + SLACK_MS) return null;
  return Number(pid);
}
