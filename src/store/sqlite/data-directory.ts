import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { messageOf } from '../../lib/index.ts';
import { storeUnusable } from '../errors.ts';

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on its disk',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'it is a file, not a directory',
};

/**
 * Makes the data directory, readable by its owner alone, or checks the one that is there.
 *
 * @throws STORE_UNUSABLE
 */
export function prepareDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!statSync(directory).isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'EEXIST' });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const hint = 'give a directory that this user can read and write, with --data-dir or --store sqlite:DIRECTORY';
    throw storeUnusable.with({ hint, cause: error }, directory, WHY[code] ?? messageOf(error));
  }
}
