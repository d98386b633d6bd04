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
  #written = '';

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

  /** Written before it holds. Rejects when it cannot be; then nothing changed. */
  async become(next: ListenerState): Promise<void> {
    if (next === this.#current) return;
    await this.#write(next, true);
    this.#current = next;
  }

  /**
   * For what a view changed: the next greeting would show it again, so it need not outlive a power cut, and details of a
   * change that is known as wanted already need not be written at all. A burst of changes costs one write.
   */
  async note(next: ListenerState): Promise<void> {
    if (gistOf(next) !== this.#written) await this.#write(next, false);
    this.#current = next;
  }

  async #write(next: ListenerState, durable: boolean): Promise<void> {
    const offset = this.#clock.wall() - this.#clock.now();
    const onDisk = mapMoments(next, (moment) => moment + offset);
    await saveState(this.#file, onDisk, { durable });
    this.#written = gistOf(next);
  }
}

/** What a restart must not forget: it tells everything apart but when a wanted change came last, and why. */
function gistOf({ enabled, wanted, forced, running, done, failed, runs }: ListenerState): string {
  const run = running && [running.id, running.inputs.hash];
  const failure = failed && [failed.count, failed.inputs.hash];
  return JSON.stringify([enabled, wanted !== null, forced, run, done?.hash, failure, runs]);
}

/**
 * From wall time on disk to a moment, by its age, so that throttles hold across restarts and reboots. A clock that was
 * set back gives age 0: a throttle then lasts its full length once more, never longer.
 */
export function momentOf(wallMs: number, clock: Clock): number {
  return clock.now() - Math.max(0, clock.wall() - wallMs);
}
