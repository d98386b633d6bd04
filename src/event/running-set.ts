import { isDeepStrictEqual } from 'node:util';

export interface RunningSetOptions<Definition> {
  readonly identityOf: (definition: Definition) => string;
  readonly start: (definition: Definition, identity: string) => Promise<AsyncDisposable>;
  /** Forgets what all others have on disk; called before any of these is started. */
  readonly keepOnly: (identities: ReadonlySet<string>) => Promise<void>;
}

interface Running<Definition> {
  readonly definition: Definition;
  readonly runs: AsyncDisposable;
}

/**
 * What runs by who it is: what a reload leaves as it was goes on as if there had been none, and one that is defined otherwise
 * but is the same goes on from what it has on disk.
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
    // Side by side: one whose handler hangs takes seconds.
    const others = [...this.#running].filter(([name, one]) => !isDeepStrictEqual(wanted.get(name), one.definition));
    for (const [identity] of others) this.#running.delete(identity);
    await Promise.all(others.map(([, { runs }]) => runs[Symbol.asyncDispose]()));
    await this.#options.keepOnly(new Set(wanted.keys()));
    for (const [identity, definition] of wanted) {
      if (this.#running.has(identity)) continue;
      this.#running.set(identity, { definition, runs: await this.#options.start(definition, identity) });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(running.map(({ runs }) => runs[Symbol.asyncDispose]()));
  }

  /** Two that are the same in all run twice, each with an identity of its own. */
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
}
