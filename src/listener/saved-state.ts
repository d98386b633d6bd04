import path from 'node:path';
import { ensureDirectory, openState, saveState } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import { INITIAL_STATE, mapMoments, parseState } from './state.ts';
import type { ListenerState } from './state.ts';

/** A listener's state with its copy on disk, which is always written first. */
export class SavedState {
  readonly #file: string;
  readonly #clock: Clock;
  #current: ListenerState;

  private constructor(file: string, clock: Clock, current: ListenerState) {
    this.#file = file;
    this.#clock = clock;
    this.#current = current;
  }

  /** Reads what the last agent wrote; a damaged file is put aside and told of. Rejects when the directory is unusable. */
  static async open(
    stateDirectory: string,
    clock: Clock,
    log: ((message: string) => void) | undefined,
  ): Promise<SavedState> {
    await ensureDirectory(stateDirectory);
    const file = path.join(stateDirectory, 'listener.json');
    const { value, damaged } = await openState(file, parseState);
    if (damaged) log?.(`the listener's state is damaged (${damaged.reason}), kept as ${damaged.keptAs}`);
    return new SavedState(
      file,
      clock,
      mapMoments(value ?? INITIAL_STATE, (wallMs) => momentOf(wallMs, clock)),
    );
  }

  get current(): ListenerState {
    return this.#current;
  }

  /** Rejects when it cannot be written; then nothing changed. `durable: false`: a power cut may undo it. */
  async become(next: ListenerState, options: { durable?: boolean } = {}): Promise<void> {
    if (next === this.#current) return;
    const offset = this.#clock.wall() - this.#clock.now();
    const onDisk = mapMoments(next, (moment) => moment + offset);
    await saveState(this.#file, onDisk, options);
    this.#current = next;
  }
}

/**
 * From wall time on disk to a moment, by its age, so that throttles hold across restarts and reboots. A clock that was
 * set back gives age 0: a throttle then lasts its full length once more, never longer.
 */
export function momentOf(wallMs: number, clock: Clock): number {
  return clock.now() - Math.max(0, clock.wall() - wallMs);
}
