import type { Timing } from '../lib/index.ts';
import type { PlaceWait } from './slots/index.ts';
import type { ListenerState } from './state.ts';

/** What a listener does next. Moments are on the monotonic clock. */
export type Decision =
  /** Nothing is wanted, or a run is under way: at most one more is queued behind it. */
  | { readonly type: 'nothing' }
  | { readonly type: 'start' }
  | { readonly type: 'wait'; readonly until: number; readonly why: 'settle' | 'interval' }
  | { readonly type: 'held'; readonly why: 'off' }
  | { readonly type: 'held'; readonly why: 'backoff'; readonly until: number }
  | { readonly type: 'held'; readonly why: 'locked'; readonly by: string }
  | ({ readonly type: 'held'; readonly why: 'place' } & PlaceWait);

export interface Situation {
  readonly state: ListenerState;
  readonly now: number;
  readonly timing: ListenerTiming;
  /** Who provisions right now without this listener having started it (P15); null: nobody. */
  readonly foreign: string | null;
  /** Others of its group provision, and this node has to wait (P14); null: it need not. */
  readonly waiting?: PlaceWait | null;
}

export type ListenerTiming = Pick<
  Timing,
  'listenerSettleMs' | 'listenerMostMs' | 'listenerMinIntervalMs' | 'listenerBackoffMs' | 'listenerBackoffMaxMs'
>;

/** The rules of semantics 5, in their order. */
export function decide(situation: Situation): Decision {
  const decision = decideAlone(situation);
  const { waiting = null } = situation;
  return decision.type === 'start' && waiting !== null ? { type: 'held', why: 'place', ...waiting } : decision;
}

/** As if there were no other node. */
function decideAlone({ state, now, timing, foreign }: Situation): Decision {
  if (state.running !== null || (state.wanted === null && state.forced === null)) return { type: 'nothing' };
  if (!state.enabled) return { type: 'held', why: 'off' };
  if (foreign !== null) return { type: 'held', why: 'locked', by: foreign };
  if (state.forced?.skipSettle) return { type: 'start' };
  const retryAt = backoffEnd(state, timing);
  if (now < retryAt) return { type: 'held', why: 'backoff', until: retryAt };
  const settledAt = settleEnd(state, timing);
  const intervalAt = state.lastStartAt === null ? now : state.lastStartAt + timing.listenerMinIntervalMs;
  if (now < settledAt && settledAt >= intervalAt) return { type: 'wait', until: settledAt, why: 'settle' };
  if (now < intervalAt) return { type: 'wait', until: intervalAt, why: 'interval' };
  return { type: 'start' };
}

/** When a failed run is tried again: the first wait, doubled with each further failure. */
function backoffEnd({ failed }: ListenerState, timing: ListenerTiming): number {
  if (failed === null || failed.count === 0) return Number.NEGATIVE_INFINITY;
  const delayMs = timing.listenerBackoffMs * 2 ** (failed.count - 1);
  return failed.at + Math.min(delayMs, timing.listenerBackoffMaxMs);
}

/** A while after the last change, so that a burst is one run, but never long after the first. */
function settleEnd({ wanted }: ListenerState, timing: ListenerTiming): number {
  if (wanted === null) return Number.NEGATIVE_INFINITY;
  return Math.min(wanted.lastAt + timing.listenerSettleMs, wanted.firstAt + timing.listenerMostMs);
}
