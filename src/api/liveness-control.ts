import type { Revision } from '../store/index.ts';

/** So many nodes vanished at once, on so thin evidence, that nobody is said to be down for now. */
export interface AlarmFacts {
  /** The server that raised it. */
  readonly server: string;
  /** ISO time. */
  readonly since: string;
  /** How long it stands at most. */
  readonly forMs: number;
  readonly why: string;
}

/** What the API knows of the liveness of nodes, and can do about it. */
export interface LivenessControl {
  /** null: there is none. */
  readonly alarm: AlarmFacts | null;
  /** Lets go of a node that the alarm keeps from being down. @throws AGENT_NOT_SUSPECTED, AGENT_NODE_UNSETTLED */
  release(node: string): Promise<Revision>;
}
