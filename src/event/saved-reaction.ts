import { z } from 'zod';
import { openState, saveState } from '../lib/index.ts';
import { NEVER_SEEN, type ReactionState } from './react.ts';
import type { ReactionAct } from './reaction-call.ts';
import { HAPPENINGS } from './reaction.ts';

/** Where a reaction stands and which of its handlers still have to run. */
export interface ReactionRecord {
  readonly state: ReactionState;
  readonly waiting: readonly ReactionAct[];
}

const time = z.number().nullable();
const instance = z.object({
  node: z.string(),
  id: z.string(),
  address: z.string(),
  port: z.number(),
  tags: z.array(z.string()),
  meta: z.record(z.string(), z.string()),
});
const schema = z.object({
  state: z.object({
    isUp: z.boolean().nullable(),
    given: z.string().nullable(),
    downAt: time,
    expectUntil: time,
    watchUntil: time,
    isExpectedThere: z.boolean(),
  }),
  waiting: z.array(z.object({ happening: z.enum(HAPPENINGS), atMs: z.number(), instances: z.array(instance) })),
});

/** A file of the node's own, written before a handler is run and after it has: one that was cut off runs once more. */
export interface SavedReaction {
  load(): Promise<ReactionRecord>;
  save(record: ReactionRecord): Promise<void>;
}

/** The record in a file; synced, since a deadline that is forgotten is an alarm that never comes. */
export function savedReaction(file: string, warn: (text: string) => void): SavedReaction {
  return {
    async load() {
      const { value, damaged } = await openState(file, (found) => schema.parse(found));
      if (damaged !== undefined) warn(`${damaged.keptAs} was damaged: ${damaged.reason}; the reaction begins anew`);
      return value ?? { state: NEVER_SEEN, waiting: [] };
    },
    save: (record) => saveState(file, record),
  };
}
