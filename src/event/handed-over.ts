import { z } from 'zod';
import { type Clock, messageOf, openState, saveState, type Timer } from '../lib/index.ts';
import { NOTHING_HANDED_OVER, type WatchState } from './decide-run.ts';
import type { SavedWatch } from './saved-watch.ts';

export interface HandedOverOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly warn: (text: string) => void;
}

/** A watch by where it is and who it is. */
export interface WatchKey {
  readonly node: string;
  readonly identity: string;
}

/** An event that reaches a hundred watches at once is first handed over by all of them, then written down. */
const DELAY_MS = 50;

const schema = z.record(
  z.string(),
  z.record(z.string(), z.object({ watch: z.string(), hash: z.string().nullable(), cursor: z.int().min(0).nullable() })),
);
type Saved = z.infer<typeof schema>[string][string];

/**
 * What the watches of all nodes of an agent have handed over, in one file: an event that a hundred of them hand over is one
 * write, not a hundred (decision 163). Written a moment after a handler has run: an agent that is killed in between runs it once
 * more. A power cut may undo the last writes, which means the same, so they are not synced.
 */
export class HandedOver {
  readonly #options: HandedOverOptions;
  /** By node, then by identity. */
  readonly #states = new Map<string, Map<string, Saved>>();
  #isDirty = false;
  #timer: Timer | null = null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: HandedOverOptions) {
    this.#options = options;
  }

  /** Begins with what the file says; a damaged one is put aside and told of. Rejects when it cannot be read. */
  static async open(options: HandedOverOptions): Promise<HandedOver> {
    const { value, damaged } = await openState(options.file, (found) => schema.parse(found));
    if (damaged !== undefined) options.warn(`${damaged.keptAs} was damaged: ${damaged.reason}; the handlers run again`);
    const handed = new HandedOver(options);
    for (const [node, states] of Object.entries(value ?? {})) handed.#states.set(node, new Map(Object.entries(states)));
    return handed;
  }

  /** Where one watch keeps its own; `title` is for people who look into the file. */
  of({ node, identity }: WatchKey, title: string): SavedWatch {
    return {
      load: () => Promise.resolve(stateOf(this.#states.get(node)?.get(identity))),
      save: (state) => {
        const states = this.#states.get(node) ?? new Map<string, Saved>();
        this.#states.set(node, states.set(identity, { watch: title, ...state }));
        this.#changed();
      },
      settled: () => this.settled(),
    };
  }

  /** Forgets all but these watches of a node: what is taken out and put in again later begins anew. */
  keepOnly(node: string, identities: ReadonlySet<string>): void {
    const states = this.#states.get(node);
    if (states === undefined) return;
    const left = [...states.keys()].filter((identity) => !identities.has(identity));
    for (const identity of left) states.delete(identity);
    if (states.size === 0) this.#states.delete(node);
    if (left.length > 0) this.#changed();
  }

  /** Forgets what the watches of all other nodes have handed over. */
  keepNodes(names: ReadonlySet<string>): void {
    for (const node of this.#states.keys()) if (!names.has(node)) this.keepOnly(node, new Set());
  }

  /** Resolves when everything is written. */
  settled(): Promise<void> {
    return this.#isDirty ? this.#write() : this.#writing;
  }

  #changed(): void {
    this.#isDirty = true;
    this.#timer ??= this.#options.clock.after(DELAY_MS, () => void this.#write());
  }

  #write(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    this.#isDirty = false;
    const { file, warn } = this.#options;
    // What is saved while it is written goes with the next write.
    this.#writing = this.#writing
      .then(() => saveState(file, this.#plain(), { durable: false }))
      .catch((error: unknown) => warn(`what was handed over is not on the disk: ${messageOf(error)}`));
    return this.#writing;
  }

  #plain(): Record<string, Record<string, Saved>> {
    return Object.fromEntries(this.#states.entries().map(([node, states]) => [node, Object.fromEntries(states)]));
  }
}

function stateOf(saved: Saved | undefined): WatchState {
  return saved === undefined ? NOTHING_HANDED_OVER : { hash: saved.hash, cursor: saved.cursor };
}
