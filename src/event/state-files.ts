import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { ensureDirectory } from '../lib/index.ts';

const ENDING = '.json';

/** One file for each identity, in a directory that holds nothing else. */
export class StateFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  of(identity: string): string {
    return path.join(this.#directory, `${identity}${ENDING}`);
  }

  /** Removes all but theirs: what is taken out and put in again later begins anew. Makes the directory where it is needed. */
  async keepOnly(identities: ReadonlySet<string>): Promise<void> {
    const names = await readdir(this.#directory).catch(() => []);
    const found = names.filter((name) => name.endsWith(ENDING)).map((name) => name.slice(0, -ENDING.length));
    const left = found.filter((identity) => !identities.has(identity));
    await Promise.all(left.map((identity) => rm(this.of(identity), { force: true })));
    if (identities.size > 0) await ensureDirectory(this.#directory);
  }
}
