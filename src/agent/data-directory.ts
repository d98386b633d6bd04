import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../lib/index.ts';
import type { AgentConfig } from './config/config.ts';
import { unusableDataDirectory } from './errors.ts';

/** What drover itself puts there. */
const OWN_ENTRIES: ReadonlySet<string> = new Set(['nodes', 'store']);
const NOT_OWNER = 0o077;

/**
 * Makes the agent's data directory, mode 0700, or takes one over that surely is drover's alone: nobody else can have put
 * anything there, and nothing of anybody else is locked away by its mode.
 *
 * @throws AGENT_DATA_DIRECTORY
 */
export async function openDataDirectory(config: Pick<AgentConfig, 'dataDirectory' | 'temporary'>): Promise<void> {
  const { dataDirectory: directory, temporary } = config;
  const problem = await prepare(directory, temporary).catch((error: unknown) => {
    throw unusableDataDirectory.with({ cause: error }, directory, messageOf(error));
  });
  if (problem !== null) throw unusableDataDirectory(directory, problem);
}

/** Removes the directory of an agent that keeps nothing; one that an operator named is never touched. */
export async function dropDataDirectory({
  dataDirectory,
  temporary,
}: Pick<AgentConfig, 'dataDirectory' | 'temporary'>): Promise<void> {
  if (temporary) await rm(dataDirectory, { recursive: true, force: true });
}

async function prepare(directory: string, temporary: boolean): Promise<string | null> {
  await makeDirectories(directory);
  // The name of a temporary one can be guessed: in /tmp somebody may have put a link there. An operator's may be one.
  const found = await (temporary ? lstat(directory) : stat(directory));
  const entries = found.isDirectory() ? await readdir(directory) : [];
  const problem = directoryProblem(found, entries, process.getuid?.() ?? found.uid);
  if (problem === null) await chmod(directory, 0o700);
  return problem;
}

/** `mkdir -p`, which of Node never ends where nothing can be made, as in /proc. */
async function makeDirectories(directory: string): Promise<void> {
  const code = await codeOf(mkdir(directory, { mode: 0o700 }));
  if (code === null || code === 'EEXIST') return;
  const above = path.dirname(directory);
  if (code === 'ENOENT' && above !== directory) await makeDirectories(above);
  await mkdir(directory, { mode: 0o700 });
}

async function codeOf(task: Promise<unknown>): Promise<string | null> {
  try {
    await task;
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  }
}

/** Why a directory is not taken; null when it is. Pure. */
export function directoryProblem(
  found: Pick<Stats, 'uid' | 'mode'> & { isDirectory(): boolean },
  entries: readonly string[],
  ownUid: number,
): string | null {
  if (!found.isDirectory()) return 'it is not a directory';
  if (found.uid !== ownUid) return `it belongs to another user (uid ${found.uid})`;
  const isForeign = entries.length > 0 && !entries.some((name) => OWN_ENTRIES.has(name));
  if (isForeign && (found.mode & NOT_OWNER) !== 0)
    return 'it holds other files, from which drover would lock others out';
  return null;
}
