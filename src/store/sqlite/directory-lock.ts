import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { storeInUse, storeUnusable } from '../errors.ts';
import { failureOf, isBusy } from './failure.ts';

/**
 * One process at a time for a data directory. SQLite's lock on a file of its own, for Node has no flock: the kernel drops it
 * with the process, however that ends. Nothing else may open that file, for closing it anywhere in the process drops the lock.
 */
export class DirectoryLock {
  readonly #db: DatabaseSync;
  readonly #pidFile: string;

  private constructor(db: DatabaseSync, pidFile: string) {
    this.#db = db;
    this.#pidFile = pidFile;
  }

  /** @throws STORE_IN_USE naming the holder, STORE_UNUSABLE */
  static take(directory: string): DirectoryLock {
    const pidFile = path.join(directory, 'store.pid');
    let db: DatabaseSync | undefined;
    try {
      const file = path.join(directory, 'store.lock');
      makePrivate(file);
      db = new DatabaseSync(file, { timeout: 0 });
      db.exec('pragma locking_mode=exclusive; begin exclusive');
      writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
      return new DirectoryLock(db, pidFile);
    } catch (error) {
      db?.close();
      if (isBusy(error)) throw storeInUse(directory, holderIn(pidFile));
      throw storeUnusable.with({ cause: error }, directory, failureOf(error).why);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#pidFile, { force: true });
    this.#db.close();
  }
}

/** Whoever may read the file could hold a lock on it for ever. One that exists is left alone: somebody may have it locked. */
function makePrivate(file: string): void {
  try {
    writeFileSync(file, '', { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** The holder writes its pid right after it has the lock; until then it has no name. */
function holderIn(pidFile: string): string {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    if (Number.isSafeInteger(pid) && pid > 0) return pid === process.pid ? 'this process' : `process ${pid}`;
  } catch {
    // Not there yet, or removed: the holder is just starting or stopping.
  }
  return 'another process';
}
