import type { CheckDefinition } from '../definition/index.ts';
import type { Revision } from '../store/index.ts';

/** How a required name ended (semantics 2). `own` = a value of the definition's own environment. */
export type VariableState = 'own' | 'ready' | 'waiting' | 'stale' | 'missing';

/** One variable of a service's environment on a node. */
export interface Variable {
  readonly name: string;
  /** null: no value is known (missing, or waiting without one). */
  readonly value: string | null;
  readonly state: VariableState;
  /** Holds a datastore's value, in whole or in part. */
  readonly secret: boolean;
  /** What it was made from, for people: `datastore PRIMARY_DATABASE_URL`, `api (balancer)`, `api@api-1 (direct)`. */
  readonly from: readonly string[];
  /** Required names that nobody defines, or that have no value yet. */
  readonly unresolved: readonly string[];
}

/** The environment of one of the node's services, in order: own values first, then required ones by name. */
export interface ServiceEnvironment {
  readonly service: string;
  readonly variables: readonly Variable[];
}

/** One member of a backend; `key` is `<node>/<id>` and names the server in HAProxy. */
export interface Member {
  readonly key: string;
  readonly node: string;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  /** Draining members keep what is in flight and get nothing new. */
  readonly draining: boolean;
}

/** One listener of the local balancer (semantics 3). */
export interface Frontend {
  readonly service: string;
  readonly port: number;
  readonly protocol: 'http' | 'tcp';
  readonly members: readonly Member[];
  /** The last known members were kept although none is routable (`panic: keep`). */
  readonly panicking: boolean;
}

export interface BalancerView {
  readonly address: string;
  readonly frontends: readonly Frontend[];
  /** Services that get no listener here, and why (for doctor and docs). */
  readonly skipped: readonly { readonly service: string; readonly reason: string }[];
}

/** What a provision of one service depends on. */
export interface ServiceInputs {
  /** Over the two that follow. */
  readonly digest: string;
  /** Digest of the definition's content; empty when there is no definition. */
  readonly definition: string;
  /** Digest of the resolved values, without their states. */
  readonly environment: string;
  /** The node is told to run it (P19), rather than merely having an instance. */
  readonly assigned: boolean;
}

/** What the listener hashes (semantics 5); `listenerWants` says what of a difference counts. */
export interface ListenerInputs {
  readonly services: Readonly<Record<string, ServiceInputs>>;
  /** By required service a digest of who runs it where, for nodes of P17; null elsewhere. */
  readonly membership: Readonly<Record<string, string>> | null;
  /** Over all of the above. */
  readonly hash: string;
}

/** A direct choice to be kept while the instance is routable: required name → `<node>/<id>` and the values it gave (semantics 2.4). */
export interface DirectChoice {
  readonly instance: string;
  readonly value: string;
}

/** All that a node needs to know, at one revision (design 6): plain data, computed once on the server. */
export interface NodeView {
  readonly revision: Revision;
  readonly node: string;
  readonly address: string;
  readonly federation: string;
  readonly region: string;
  /** The node's services in order of id. */
  readonly services: readonly { readonly id: string; readonly assigned: boolean; readonly registered: boolean }[];
  readonly environments: readonly ServiceEnvironment[];
  readonly balancer: BalancerView | null;
  readonly listener: ListenerInputs;
  /** By instance id what its definition says of how it is checked (P24); absent when it says nothing. */
  readonly checks: Readonly<Record<string, readonly CheckDefinition[]>>;
  /** To be kept on the node's disk and offered with its next greeting. Key: `<service>/<required name>`. */
  readonly choices: Readonly<Record<string, DirectChoice>>;
  /** Equal fingerprint = nothing to do for that consumer. */
  readonly fingerprints: { readonly environment: string; readonly balancer: string; readonly listener: string };
}
