import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ensureDirectory } from '../lib/index.ts';

export interface RunningSetOptions<Definition> {
  /** Each keeps a file in it: `<identity>.json`. */
  readonly directory: string;
  readonly identityOf: (definition: Definition) => string;
  readonly start: (definition: Definition, file: string) => Promise<AsyncDisposable>;
}

interface Running<Definition> {
  readonly definition: Definition;
  readonly runs: AsyncDisposable;
}

/**
 * What runs by who it is: what a reload leaves as it was goes on as if there had been none, and one that is defined otherwise
 * but is the same goes on from its file.
 */
export class RunningSet<Definition> implements AsyncDisposable {
  readonly #options: RunningSetOptions<Definition>;
  readonly #running = new Map<string, Running<Definition>>();

  constructor(options: RunningSetOptions<Definition>) {
    this.#options = options;
  }

  /** How many run. */
  get size(): number {
    return this.#running.size;
  }

  /** Starts, restarts and stops so that exactly these run. */
  async apply(definitions: readonly Definition[]): Promise<void> {
    const wanted = this.#byIdentity(definitions);
    for (const [identity, { definition, runs }] of this.#running) {
      if (isDeepStrictEqual(wanted.get(identity), definition)) continue;
      this.#running.delete(identity);
      await runs[Symbol.asyncDispose]();
    }
    await this.#forgetOthers(wanted);
    if (wanted.size > 0) await ensureDirectory(this.#options.directory);
    for (const [identity, definition] of wanted) {
      if (this.#running.has(identity)) continue;
      this.#running.set(identity, {
        definition,
        runs: await this.#options.start(definition, this.#fileOf(identity)),
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(running.map(({ runs }) => runs[Symbol.asyncDispose]()));
  }

  /** Two that are the same in all run twice, each with a file of its own. */
  #byIdentity(definitions: readonly Definition[]): Map<string, Definition> {
    const found = new Map<string, Definition>();
    for (const definition of definitions) {
      const identity = this.#options.identityOf(definition);
      let name = identity;
      for (let count = 2; found.has(name); count++) name = `${identity}-${count}`;
      found.set(name, definition);
    }
    return found;
  }

  #fileOf(identity: string): string {
    return path.join(this.#options.directory, `${identity}.json`);
  }

  /** What is taken out and put in again later begins anew. */
  async #forgetOthers(wanted: ReadonlyMap<string, Definition>): Promise<void> {
    const names = await readdir(this.#options.directory).catch(() => []);
    const identities = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    const left = identities.filter((identity) => !wanted.has(identity));
    await Promise.all(left.map((identity) => rm(this.#fileOf(identity), { force: true })));
  }
}
