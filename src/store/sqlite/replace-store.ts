import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { syncDirectory } from '../../lib/index.ts';
import { findDifference } from '../compare-entries.ts';
import type { Entry, Revision } from '../contract.ts';
import { prefixRange } from '../contract.ts';
import { storeNotEmpty, storeNotEqual } from '../errors.ts';
import { prepareDirectory } from './data-directory.ts';
import { DirectoryLock } from './directory-lock.ts';
import { SqliteStore } from './sqlite-store.ts';

const FILE = 'store.db';
const BESIDE = 'replacing-';

/** Whether a directory holds a store. */
export function hasSqlite(directory: string): boolean {
  return existsSync(path.join(directory, FILE));
}

/**
 * Puts a state in the place of what the directory holds, all or nothing, with the revisions that it comes with, whichever the store has
 * given out before. It is made and read back in a directory beside, and then takes the place of the file in one step.
 *
 * @throws STORE_IN_USE, STORE_NOT_EMPTY unless `mayReplace`, STORE_BAD_RESTORE, STORE_NEWER_LAYOUT, STORE_UNUSABLE: nothing was changed
 */
export async function replaceSqlite(
  directory: string,
  state: { readonly entries: readonly Entry[]; readonly revision: Revision; readonly mayReplace: boolean },
): Promise<void> {
  const { entries, revision, mayReplace } = state;
  const count = await entriesIn(directory);
  if (count > 0 && !mayReplace) throw storeNotEmpty(`sqlite:${directory}`, count);
  prepareDirectory(directory);
  using _lock = DirectoryLock.take(directory);
  await removeLeftovers(directory);
  const beside = path.join(directory, `${BESIDE}${process.pid}`);
  try {
    await fill(beside, entries, revision);
    await putInPlace(beside, directory);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** How many entries there are; a store that was killed is brought to rest by it, so that its file alone is all of it. */
export async function entriesIn(directory: string): Promise<number> {
  if (!hasSqlite(directory)) return 0;
  await using store = await SqliteStore.start({ directory });
  return (await store.read(prefixRange(''), { keysOnly: true })).entries.length;
}

async function fill(directory: string, entries: readonly Entry[], revision: Revision): Promise<void> {
  await using store = await SqliteStore.start({ directory });
  await store.restore(entries, revision);
  const difference = findDifference(entries, (await store.read(prefixRange(''))).entries);
  if (difference !== null) throw storeNotEqual(`sqlite:${directory}`, difference);
}

async function putInPlace(beside: string, directory: string): Promise<void> {
  // Pages that stand only in a log beside the file would be written over the new file's.
  const left = (await readdir(directory)).filter((name) => name.startsWith(`${FILE}-`));
  const ahead = (await readdir(beside)).filter((name) => name.startsWith(`${FILE}-`));
  if (left.length + ahead.length > 0) throw new Error(`${[...left, ...ahead].join(', ')} is still there`);
  await rename(path.join(beside, FILE), path.join(directory, FILE));
  await syncDirectory(directory);
}

/** What one that was killed has left. */
async function removeLeftovers(directory: string): Promise<void> {
  const left = (await readdir(directory)).filter((name) => name.startsWith(BESIDE));
  await Promise.all(left.map((name) => rm(path.join(directory, name), { recursive: true, force: true })));
}
