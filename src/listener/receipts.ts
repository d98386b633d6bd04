import type { Receipt } from '../change/index.ts';
import type { Decision } from './decide.ts';
import { sayPlace } from './say-place.ts';
import type { ListenerState } from './state.ts';

export type ListenerReceipt = Omit<Receipt, 'node' | 'kind'>;

export interface ReceiptSituation {
  readonly state: ListenerState;
  readonly decision: Decision;
  /** Of the latest view. */
  readonly revision: number;
  /** A failure was told for everything up to here: it is not covered up by a word about the back-off. */
  readonly failedUpTo: number;
  /** From a moment to wall-clock ms. */
  readonly wallOf: (moment: number) => number;
  readonly now: number;
  /** A throttle shorter than this is not worth a word. */
  readonly notableMs: number;
}

/**
 * What the listener can say about the latest view; null while a run for it is due or under way. Never early: as long as
 * anything wanted is not done, no later revision counts as taken up either, though it may have changed nothing.
 */
export function receiptFor(situation: ReceiptSituation): ListenerReceipt | null {
  const { state, decision, revision, wallOf, now, notableMs } = situation;
  if (state.running !== null) return null;
  if (state.wanted === null) return { revision, outcome: 'unchanged' };
  if (decision.type === 'held' && decision.why === 'backoff' && revision <= situation.failedUpTo) return null;
  if (decision.type === 'held') return held(decision, state, revision, wallOf);
  if (decision.type !== 'wait' || decision.why !== 'interval' || decision.until - now < notableMs) return null;
  return { revision, outcome: 'held', reason: 'throttled', retryAt: iso(wallOf(decision.until)) };
}

/** What a run that ended says, up to the last revision that it `covers`: applied, or why not and when again. */
export function receiptOfEnd(
  run: { readonly succeeded: boolean; readonly result: string },
  covers: number,
  retryAt: number | null,
): ListenerReceipt {
  if (run.succeeded) return { revision: covers, outcome: 'applied' };
  return {
    revision: covers,
    outcome: 'failed',
    reason: run.result,
    ...(retryAt !== null && { retryAt: iso(retryAt) }),
  };
}

/** True when the second receipt tells nobody anything (F11): the same again, or `unchanged` where it was applied. */
export function saysNothingNew(first: ListenerReceipt, second: ListenerReceipt): boolean {
  if (first.revision !== second.revision || first.reason !== second.reason) return false;
  if (first.outcome === 'applied' && second.outcome === 'unchanged') return true;
  // Wall times of one moment differ by the rounding of two clocks.
  const apartMs = Math.abs(Date.parse(first.retryAt ?? '') - Date.parse(second.retryAt ?? ''));
  return first.outcome === second.outcome && !(apartMs > 500);
}

function held(
  decision: Decision & { readonly type: 'held' },
  state: ListenerState,
  revision: number,
  wallOf: (moment: number) => number,
): ListenerReceipt {
  if (decision.why === 'off') return { revision, outcome: 'held', reason: 'listener is off' };
  if (decision.why === 'locked') return { revision, outcome: 'held', reason: `another provision runs: ${decision.by}` };
  if (decision.why === 'place') return { revision, outcome: 'held', reason: sayPlace(decision) };
  const reason = `back-off after ${state.failed?.reason ?? 'a failure'}`;
  return { revision, outcome: 'held', reason, retryAt: iso(wallOf(decision.until)) };
}

function iso(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
