import { NOTHING_HANDED_OVER, type WatchState } from './decide-run.ts';

/** Where a watch keeps what it has handed over. */
export interface SavedWatch {
  load(): Promise<WatchState>;
  /** Never waits: what is handed over next is not held back by a disk. */
  save(state: WatchState): void;
  /** Resolves when what was saved last is written. */
  settled(): Promise<void>;
}

/** In memory only, for `drover watch`: it begins with what is given. */
export function unsavedWatch(initial: WatchState = NOTHING_HANDED_OVER): SavedWatch {
  return { load: () => Promise.resolve(initial), save: () => undefined, settled: () => Promise.resolve() };
}
