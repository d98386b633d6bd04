import { z } from 'zod';
import { openState, saveState } from '../lib/index.ts';
import { NOTHING_HANDED_OVER, type WatchState } from './decide-run.ts';

/** Where a watch keeps what it has handed over. */
export interface SavedWatch {
  load(): Promise<WatchState>;
  save(state: WatchState): Promise<void>;
}

const schema = z.object({
  watch: z.string(),
  hash: z.string().nullable(),
  cursor: z.int().min(0).nullable(),
});

/**
 * A file of the node's own. It is written after the handler has run: an agent that is killed in between runs it once more. A
 * power cut may undo the last writes, which means the same, so they are not synced one by one.
 */
export function savedWatch(file: string, title: string, warn: (text: string) => void): SavedWatch {
  return {
    async load() {
      const { value, damaged } = await openState(file, (found) => schema.parse(found));
      if (damaged !== undefined) warn(`${damaged.keptAs} was damaged: ${damaged.reason}; the handler runs again`);
      return value === null ? NOTHING_HANDED_OVER : { hash: value.hash, cursor: value.cursor };
    },
    save: (state) => saveState(file, { watch: title, ...state }, { durable: false }),
  };
}

/** In memory only, for `drover watch`: it begins with what is given. */
export function unsavedWatch(initial: WatchState = NOTHING_HANDED_OVER): SavedWatch {
  return { load: () => Promise.resolve(initial), save: () => Promise.resolve() };
}
