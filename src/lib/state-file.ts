import { readFile, rename } from 'node:fs/promises';
import { writeAtomically } from './atomic-file.ts';
import { messageOf } from './errors.ts';

/** What a state file held when it was opened. */
export interface OpenedState<T> {
  /** null: there was no file, or it was damaged. */
  readonly value: T | null;
  /** Set when the file was damaged: why, and where it was put aside. */
  readonly damaged?: { readonly reason: string; readonly keptAs: string };
}

/**
 * Reads a part's own JSON state. `parse` throws on what it does not know; a damaged file is renamed to `<file>.damaged`
 * and reported, so that a part starts from nothing and says so instead of not starting. Rejects when it cannot be read.
 */
export async function openState<T>(file: string, parse: (value: unknown) => T): Promise<OpenedState<T>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return { value: null };
  try {
    return { value: parse(JSON.parse(text)) };
  } catch (error) {
    const keptAs = `${file}.damaged`;
    await rename(file, keptAs);
    return { value: null, damaged: { reason: messageOf(error), keptAs } };
  }
}

/** Writes a part's own JSON state atomically, mode 0600; `durable: false` leaves out the sync (a power cut may undo it). */
export async function saveState(file: string, value: unknown, options: { durable?: boolean } = {}): Promise<void> {
  await writeAtomically(file, `${JSON.stringify(value, null, 1)}\n`, { mode: 0o600, ...options });
}
