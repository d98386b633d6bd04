/** What rules speak of (consul-http-api 13). Scalar resources (acl, keyring, mesh, operator, peering) are asked for with an empty name. */
export type Resource =
  | 'acl'
  | 'agent'
  | 'event'
  | 'key'
  | 'keyring'
  | 'mesh'
  | 'node'
  | 'operator'
  | 'peering'
  | 'query'
  | 'service'
  | 'session';

/** What somebody wants to do; `write` includes `list` includes `read`. */
export type Level = 'read' | 'list' | 'write';

/** What one token may. Pure: the same question has the same answer for the life of the object. */
export interface Authority {
  /** Equal ids are allowed the same: it is part of the key of every answer that is kept. Empty where all is allowed. */
  readonly id: string;
  /** AccessorID of the token, for messages and for history; empty without access control. */
  readonly accessor: string;
  allows(resource: Resource, name: string, level: Level): boolean;
  /** Whether everything whose name begins with `prefix` is allowed: recursive deletes. */
  allowsUnder(resource: Resource, prefix: string, level: Level): boolean;
  /** @throws ACCESS_DENIED (403) with Consul's text when it is not allowed */
  demand(resource: Resource, name: string, level: Level): void;
}

/** Without access control, and for management tokens: everything. */
export const ALL_ALLOWED: Authority = Object.freeze({
  id: '',
  accessor: '',
  allows: () => true,
  allowsUnder: () => true,
  demand: () => undefined,
});

/** From tokens to what they may. */
export interface AccessControl {
  readonly isEnabled: boolean;
  /** What is said of resources that no rule names. */
  readonly defaultPolicy: 'allow' | 'deny';
  /** `enable_key_list_policy`: listing keys and recursive reads need `list` on the prefix. */
  readonly keyListPolicy?: boolean;
  /**
   * What a token's secret allows; of no token (the empty text) what the agent's default token does, else the anonymous one.
   *
   * @throws ACCESS_UNKNOWN_TOKEN (403, `ACL not found`)
   */
  authorityOf(secret: string): Authority;
  /**
   * Where tokens are known elsewhere: finds out what this one allows, so that `authorityOf` knows. Undefined where it does by
   * now; never rejects.
   */
  prepare?(secret: string): Promise<void> | undefined;
  /** What the token of an AccessorID allows. @throws ACCESS_UNKNOWN_TOKEN */
  authorityOfAccessor?(accessor: string): Authority;
}

/** Access control that is off. */
export const NO_ACCESS_CONTROL: AccessControl = Object.freeze({
  isEnabled: false,
  defaultPolicy: 'allow',
  keyListPolicy: false,
  authorityOf: () => ALL_ALLOWED,
});
