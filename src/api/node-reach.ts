import type { ListenerStatus, ProvisionRun } from '../listener/index.ts';

/** What a node's listener says of itself. */
export interface NodeProvisions {
  /** null: it has none. */
  readonly listener: ListenerStatus | null;
  /** The latest runs that ended, newest first. */
  readonly provisions: readonly ProvisionRun[];
}

/** How a request reached this server. */
export interface ReachVia {
  /** The token of whoever asks; empty for none. */
  readonly secret: string;
  /** Another server asks: the node is linked here, or nowhere. */
  readonly isDirect: boolean;
}

/** Any node of the region, whichever server it is linked to. */
export interface NodeReach {
  /** Orders a provision: past settle and throttle, never past the single flight and the limit of its group. @throws LINK_AWAY */
  provision(node: string, cause: string, via: ReachVia): Promise<void>;
  /** @throws LINK_AWAY, LINK_NO_ANSWER */
  provisions(node: string, via: ReachVia): Promise<NodeProvisions>;
  /** Whether a node's machine is there, with or without its agent: then what the node ran may go on. Never rejects. */
  answers(node: string): Promise<boolean>;
}
