import { statSync } from 'node:fs';

/**
 * Whether the files that are written are those that the next start will read. A file that was removed, or had another one put
 * in its place, takes writes as before, and keeps them until the process ends.
 */
export class OwnFiles {
  readonly #file: string;
  readonly #store: string;
  /** The log is there from the first write on. */
  #log: string | undefined;

  /** @param file of the store, which is open */
  constructor(file: string) {
    this.#file = file;
    this.#store = identity(file);
  }

  /** After each commit, before anybody is told of it. @throws Error when a file is not the one that was opened */
  check(): void {
    const log = identity(`${this.#file}-wal`);
    this.#log ??= log;
    if (identity(this.#file) !== this.#store) throw new Error('store.db was taken away or replaced');
    if (log === '' || log !== this.#log) throw new Error('store.db-wal was taken away or replaced');
  }
}

/** Which file it is; empty for none. */
function identity(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? '' : `${found.dev}:${found.ino}`;
}
