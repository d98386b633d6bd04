import type { Access } from './access.ts';
import type { AccessWrites } from './access-writes.ts';
import type { AclState } from './acl-state.ts';
import type { AgentTokens } from './agent-tokens.ts';

/** All of access control in one server. */
export interface AccessParts {
  readonly access: Access;
  /** Empty but for what is built in where access control is off. */
  readonly state: AclState;
  readonly writes: AccessWrites;
  /** What the agent itself shows: for requests without a token, for DNS. */
  readonly tokens: AgentTokens;
  /**
   * Reads the reset index that an operator left on the server's disk, and takes it away; 0 when there is none. With it
   * one more bootstrap is allowed.
   */
  takeResetIndex(): Promise<number>;
}
