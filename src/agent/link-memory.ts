import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { ensureDirectory, messageOf, openState, saveState, type Clock } from '../lib/index.ts';
import type { DirectChoice } from '../registry/index.ts';

export type Choices = Readonly<Record<string, DirectChoice>>;

interface Remembered {
  readonly version: 1;
  /** Which agent this is, whatever its start: made once for its data directory. */
  readonly agent: string;
  readonly epoch: number;
  readonly choices: Choices;
}

/** What a node remembers of its link over restarts: which agent it is, the epoch of its last greeting and the direct choices (semantics 2.4). */
export class LinkMemory implements AsyncDisposable {
  /** The same as long as the data directory is; another agent of this node's name has another one. */
  readonly agent: string;
  readonly #file: string;
  readonly #warn: (text: string) => void;
  #epoch: number;
  #choices: Choices;
  #saving: Promise<void> = Promise.resolve();

  /** Reads what was remembered; what is damaged is put aside and reported through `warn`. */
  static async open(directory: string, warn: (text: string) => void): Promise<LinkMemory> {
    await ensureDirectory(directory);
    const file = path.join(directory, 'link.json');
    const { value, damaged } = await openState(file, parseRemembered);
    if (damaged !== undefined) warn(`direct choices were damaged (${damaged.reason}); kept as ${damaged.keptAs}`);
    return new LinkMemory(file, warn, value ?? { version: 1, agent: randomUUID(), epoch: 0, choices: {} });
  }

  private constructor(file: string, warn: (text: string) => void, { agent, epoch, choices }: Remembered) {
    this.agent = agent;
    this.#file = file;
    this.#warn = warn;
    this.#epoch = epoch;
    this.#choices = choices;
  }

  get choices(): Choices {
    return this.#choices;
  }

  /** Higher than every one before, whatever the wall clock does. */
  nextEpoch(clock: Clock): number {
    this.#epoch = Math.max(Math.floor(clock.wall()), this.#epoch + 1);
    this.#save();
    return this.#epoch;
  }

  /** The next epoch is above this one, too: the region knows it from before this node's clock was set back. */
  raise(epoch: number): void {
    this.#epoch = Math.max(this.#epoch, epoch);
  }

  keep(choices: Choices): void {
    if (JSON.stringify(choices) === JSON.stringify(this.#choices)) return;
    this.#choices = choices;
    this.#save();
  }

  /** Resolves when what is remembered is in its file. */
  saved(): Promise<void> {
    return this.#saving;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#saving;
  }

  /** Never rejects: a node without a disk goes on, and says so. */
  #save(): void {
    this.#saving = this.#saving
      .then(() => {
        const { agent } = this;
        const remembered: Remembered = { version: 1, agent, epoch: this.#epoch, choices: this.#choices };
        return saveState(this.#file, remembered, { durable: false });
      })
      .catch((error: unknown) => this.#warn(`cannot keep direct choices: ${messageOf(error)}`));
  }
}

function parseRemembered(value: unknown): Remembered {
  // Before there were several servers, nothing told two agents of one name apart.
  const { version, agent, epoch, choices } = { agent: randomUUID(), ...(value as Omit<Remembered, 'agent'>) };
  if (version !== 1) throw new Error(`unknown version ${String(version)}`);
  if (!Number.isSafeInteger(epoch) || typeof agent !== 'string' || choices === null || typeof choices !== 'object')
    throw new Error('a part is missing');
  return { version, agent, epoch, choices };
}
