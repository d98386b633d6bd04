import type { ListenerStatus } from '../listener/index.ts';
import type { CheckDefinition } from '../definition/index.ts';
import type { CheckRecord, CheckStatus, InstanceRecord, NodeRecord, NodeView } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';

/** A service to register on a node, with how it is checked. */
export interface ServiceRegistration {
  readonly instance: InstanceRecord;
  readonly checks: readonly CheckDefinition[];
  /** Registered beside it, and gone with it: Consul's `Connect.SidecarService`. Its port is 0 where none was asked for. */
  readonly sidecar?: ServiceRegistration;
}

/** A check to register on a node; an empty `serviceId` makes it a check of the node. */
export interface CheckRegistration {
  readonly serviceId: string;
  readonly definition: CheckDefinition;
}

/** The listener of a node, as an operator drives it. */
export interface ListenerControl {
  status(): ListenerStatus;
  on(): Promise<unknown>;
  off(): Promise<unknown>;
  /** Queues one run now, past settle and throttle, never past the single flight. */
  provision(options: { readonly skipSettle: boolean; readonly cause?: string }): Promise<unknown>;
  /** The last runs, newest first, plain JSON. */
  provisions(): readonly object[];
}

/**
 * A node that this agent process hosts, as the API sees it. Changes resolve with the revision at which the region holds
 * them and this server has applied them, so what is asked next sees them. Unknown ids are `AGENT_UNKNOWN_…` errors (404).
 */
export interface LocalNode {
  readonly record: Omit<NodeRecord, 'external'>;
  services(): readonly InstanceRecord[];
  /** With the newest output, which the region need not have. Without serfHealth. */
  checks(): readonly CheckRecord[];
  registerService(registration: ServiceRegistration, options?: { readonly replaceChecks?: boolean }): Promise<Revision>;
  deregisterService(id: string): Promise<Revision>;
  registerCheck(registration: CheckRegistration): Promise<Revision>;
  deregisterCheck(id: string): Promise<Revision>;
  /** Sets a TTL check and restarts its clock. */
  updateTtl(id: string, status: Exclude<CheckStatus, 'unknown'>, output: string): Promise<Revision>;
  /** An empty `reason` gets Consul's default text. */
  setMaintenance(serviceId: string | null, enable: boolean, reason: string): Promise<Revision>;
  /** The newest view that the region sent; null before the first. */
  view(): NodeView | null;
  /** null where the node has no provision command. */
  readonly listener: ListenerControl | null;
  /** Plain JSON: frontends, members, sessions, errors; null where the node runs no balancer. */
  balancerStatus(): Promise<object | null>;
}
