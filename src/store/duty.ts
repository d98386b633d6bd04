import type { Compare } from './contract.ts';

/**
 * A leader's part of the work: at most one server has it at a time. Whoever has it writes only with `fence` among the compares of
 * each transaction, so that what a deposed holder still sends fails as a whole (design 5; store.md 4).
 */
export interface Duty {
  readonly name: string;
  /** A compare of the duty's key, while this server has it and may act; null otherwise. Ask anew for every transaction. */
  readonly fence: Compare | null;
  /** Called each time the duty is got or lost; and at once with how it is. Returns how to end that. */
  onChange(listen: (isHeld: boolean) => void): () => void;
}

/** For one server alone, and for tests: a duty that is always held, with nothing to compare. */
export const ALWAYS_ON_DUTY: Duty = Object.freeze({
  name: 'alone',
  // A compare that always holds: no such key is ever written.
  fence: Object.freeze({ key: 'lead/.alone', modRevision: 0 }),
  onChange: (listen: (isHeld: boolean) => void): (() => void) => {
    listen(true);
    return () => undefined;
  },
});
