import type { Decision } from './decide.ts';
import { sayPlace } from './say-place.ts';
import type { ListenerState, ProvisionRun } from './state.ts';

/** `GET /v2/listener` and `listener:status --json`. */
export interface ListenerStatus {
  readonly enabled: boolean;
  /** A provision of this listener runs. */
  readonly running: boolean;
  /** One more is queued, now or behind the running one; never more than one. */
  readonly queued: boolean;
  /** How many ended, ever. */
  readonly runs: number;
  readonly last: Pick<ProvisionRun, 'startedAt' | 'endedAt' | 'exitCode' | 'causes' | 'revision' | 'result'> | null;
  /** Whether this node has a provision command at all. */
  readonly configured: boolean;
  /** What the queued run is for. */
  readonly causes: readonly string[];
  /** Why the queued run does not start: `off`, `settle`, `interval`, `backoff`, `locked by …`, `waiting for a place …`; null when nothing is in its way. */
  readonly held: string | null;
  /** When it starts or is tried again: ISO time. */
  readonly retryAt: string | null;
}

/** The status for people and programs; `wallOf` turns a moment into wall-clock ms. */
export function statusOf(
  state: ListenerState,
  decision: Decision,
  configured: boolean,
  wallOf: (moment: number) => number,
): ListenerStatus {
  const { enabled, wanted, forced, runs } = state;
  const causes = [...(forced ? [forced.cause] : []), ...(wanted?.causes ?? [])];
  const until = 'until' in decision ? new Date(wallOf(decision.until)).toISOString() : null;
  return {
    enabled,
    running: state.running !== null,
    queued: wanted !== null || forced !== null,
    runs,
    last: lastOf(state),
    configured,
    causes,
    held: heldOf(decision),
    retryAt: until,
  };
}

function lastOf({ history: [last] }: ListenerState): ListenerStatus['last'] {
  if (last === undefined) return null;
  const { startedAt, endedAt, exitCode, causes, revision, result } = last;
  return { startedAt, endedAt, exitCode, causes, revision, result };
}

function heldOf(decision: Decision): string | null {
  if (decision.type === 'nothing' || decision.type === 'start') return null;
  if (decision.why === 'place') return sayPlace(decision);
  return decision.why === 'locked' ? `locked by ${decision.by}` : decision.why;
}
