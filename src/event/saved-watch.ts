import { z } from 'zod';
import { type Clock, messageOf, openState, saveState, type Timer } from '../lib/index.ts';
import { NOTHING_HANDED_OVER, type WatchState } from './decide-run.ts';

/** Where a watch keeps what it has handed over. */
export interface SavedWatch {
  load(): Promise<WatchState>;
  /** Never waits: what is handed over next is not held back by a disk. */
  save(state: WatchState): void;
  /** Resolves when what was saved last is written. */
  settled(): Promise<void>;
}

export interface SavedWatchOptions {
  readonly file: string;
  /** For people who look into the file. */
  readonly title: string;
  readonly clock: Clock;
  readonly warn: (text: string) => void;
}

/** An event that reaches a hundred watches at once is first handed over by all of them, then written down. */
const DELAY_MS = 50;

const schema = z.object({
  watch: z.string(),
  hash: z.string().nullable(),
  cursor: z.int().min(0).nullable(),
});

/**
 * A file of the node's own, written a moment after the handler has run: an agent that is killed in between runs it once more. A
 * power cut may undo the last writes, which means the same, so they are not synced one by one.
 */
export class WatchFile implements SavedWatch {
  readonly #options: SavedWatchOptions;
  #waiting: WatchState | null = null;
  #timer: Timer | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: SavedWatchOptions) {
    this.#options = options;
  }

  async load(): Promise<WatchState> {
    const { file, warn } = this.#options;
    const { value, damaged } = await openState(file, (found) => schema.parse(found));
    if (damaged !== undefined) warn(`${damaged.keptAs} was damaged: ${damaged.reason}; the handler runs again`);
    return value === null ? NOTHING_HANDED_OVER : { hash: value.hash, cursor: value.cursor };
  }

  save(state: WatchState): void {
    this.#waiting = state;
    this.#timer ??= this.#options.clock.after(DELAY_MS, () => void this.#write());
  }

  settled(): Promise<void> {
    return this.#write();
  }

  #write(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    this.#writing = this.#writing.then(() => this.#writeWaiting());
    return this.#writing;
  }

  async #writeWaiting(): Promise<void> {
    const { file, title, warn } = this.#options;
    const state = this.#waiting;
    this.#waiting = null;
    if (state === null) return;
    await saveState(file, { watch: title, ...state }, { durable: false }).catch((error: unknown) => {
      warn(`what was handed over is not on the disk: ${messageOf(error)}`);
    });
  }
}

/** In memory only, for `drover watch`: it begins with what is given. */
export function unsavedWatch(initial: WatchState = NOTHING_HANDED_OVER): SavedWatch {
  return { load: () => Promise.resolve(initial), save: () => undefined, settled: () => Promise.resolve() };
}
