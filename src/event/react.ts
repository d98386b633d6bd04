import type { Happening, ReactionDefinition } from './reaction.ts';

/** Where a reaction stands; on disk. Times are wall-clock ms, so that they hold across restarts and reboots. */
export interface ReactionState {
  /** Null before it was seen for the first time. */
  readonly isUp: boolean | null;
  /** Digest of the instances that its `up` was for; null while it is down. */
  readonly given: string | null;
  /** It is not there, and counts as down from then on. */
  readonly downAt: number | null;
  /** What is expected has to be there until then. */
  readonly expectUntil: number | null;
  /** It is kept an eye on until then. */
  readonly watchUntil: number | null;
  /** Whether what is expected was there when it was last looked at. */
  readonly isExpectedThere: boolean;
}

export const NEVER_SEEN: ReactionState = Object.freeze({
  isUp: null,
  given: null,
  downAt: null,
  expectUntil: null,
  watchUntil: null,
  isExpectedThere: false,
});

/** What was seen of the services of a reaction. */
export interface Sight {
  /** Digest of the passing instances; null when there are none. */
  readonly instances: string | null;
  /** Whether what it expects has a passing instance. */
  readonly isExpectedThere: boolean;
}

/** What follows from a sight or from the time. */
export interface Reacted {
  readonly state: ReactionState;
  readonly happenings: readonly Happening[];
}

type Times = Pick<ReactionDefinition, 'downAfterMs' | 'expect' | 'watchForMs'>;

/** What follows from what is seen. The same sight twice is nothing new. Pure. */
export function reactToSight(times: Times, before: ReactionState, sight: Sight, atMs: number): Reacted {
  const { instances, isExpectedThere } = sight;
  const expectUntil = isExpectedThere ? null : before.expectUntil;
  const state = { ...before, isExpectedThere, expectUntil };
  if (instances === null) return goDown(times, state, atMs);
  if (state.isUp === true && state.given === instances) return { state: { ...state, downAt: null }, happenings: [] };
  const watchUntil = times.watchForMs === null ? null : atMs + times.watchForMs;
  const isMet = times.expect === null || state.isExpectedThere;
  return {
    state: {
      ...state,
      isUp: true,
      given: instances,
      downAt: null,
      watchUntil,
      expectUntil: isMet ? null : expectUntil,
    },
    happenings: ['up'],
  };
}

/** What follows from its being so late; to be asked once it was seen, and at each deadline. Pure. */
export function reactToTime(times: Times, before: ReactionState, atMs: number): Reacted {
  const { downAt, watchUntil, expectUntil } = before;
  if (downAt !== null && atMs >= downAt) return fall(times, before, atMs);
  const isWell = watchUntil !== null && downAt === null && atMs >= watchUntil;
  const isMissing = expectUntil !== null && atMs >= expectUntil;
  return {
    state: { ...before, watchUntil: isWell ? null : watchUntil, expectUntil: isMissing ? null : expectUntil },
    happenings: [...(isMissing ? ['missing' as const] : []), ...(isWell ? ['well' as const] : [])],
  };
}

/** A state from the disk, with no deadline later than if it began now: the wall clock was set back, or the times are shorter. Pure. */
export function withinReach(
  { downAfterMs, expect, watchForMs }: Times,
  state: ReactionState,
  atMs: number,
): ReactionState {
  return {
    ...state,
    downAt: earlier(state.downAt, atMs + downAfterMs),
    expectUntil: expect === null ? null : earlier(state.expectUntil, atMs + expect.withinMs),
    watchUntil: watchForMs === null ? null : earlier(state.watchUntil, atMs + watchForMs),
  };
}

function earlier(time: number | null, other: number): number | null {
  return time === null ? null : Math.min(time, other);
}

/** When the time has to be looked at next; null for never. */
export function nextDeadline({ downAt, watchUntil, expectUntil }: ReactionState): number | null {
  const times = [downAt, downAt === null ? watchUntil : null, expectUntil].filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
}

function goDown(times: Times, state: ReactionState, atMs: number): Reacted {
  if (state.isUp === false) return { state, happenings: [] };
  const doubted = { ...state, downAt: state.downAt ?? atMs + times.downAfterMs };
  return doubted.downAt <= atMs ? fall(times, doubted, atMs) : { state: doubted, happenings: [] };
}

function fall({ expect, downAfterMs }: Times, state: ReactionState, atMs: number): Reacted {
  const { downAt, watchUntil, isExpectedThere } = state;
  const wentAt = (downAt ?? atMs) - downAfterMs;
  const isRelapse = watchUntil !== null && wentAt < watchUntil;
  const expectUntil = expect === null || isExpectedThere ? null : atMs + expect.withinMs;
  return {
    state: { ...state, isUp: false, given: null, downAt: null, watchUntil: null, expectUntil },
    happenings: isRelapse ? ['down', 'relapse'] : ['down'],
  };
}
