import type { AliveRecord } from '../../registry/index.ts';

/** Who has a place, as the server that speaks for its node knows it. Times in ms of the monotonic clock. */
export interface HeldPlace {
  /** undefined: there is no such node. */
  readonly status: AliveRecord['status'] | undefined;
  /** Since when this server knows that it has the place. */
  readonly heldForMs: number;
  /** How long its run may take; null: for ever. */
  readonly limitMs: number | null;
  /** Since its agent said that it runs. */
  readonly unkeptForMs: number;
  /** Whether its machine says nothing at all. Asked only of nodes that are down. */
  readonly isSilent: boolean;
}

/** An agent says every third of this that its run goes on. */
export const KEPT_FOR_MS = 60_000;
/** What a run may take beyond its limit: it is ended then, and that takes a while. */
const ENDING_MS = 60_000;

/**
 * Why a place is taken back from a node that did not give it back; null: its run may live. A run outlives its agent, and keeps its
 * place while it may live: until the agent is back and says how it ended, its time limit is over, or the whole machine is gone. Pure.
 */
export function whyFreed({ status, heldForMs, limitMs, unkeptForMs, isSilent }: HeldPlace): string | null {
  if (status === undefined) return 'the node is gone';
  if (status === 'left') return 'the node has left';
  if (status === 'up' && unkeptForMs > KEPT_FOR_MS) return 'its agent does not say that it runs';
  if (status === 'down' && isSilent) return 'the node is down and its machine does not answer';
  return limitMs !== null && heldForMs > limitMs + ENDING_MS ? 'its time limit is over' : null;
}
