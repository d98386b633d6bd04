import type { CheckRegistration, ListenerControl, LocalNode, ServiceRegistration } from '../api/index.ts';
import type { Clock } from '../lib/index.ts';
import type {
  CheckRecord,
  CheckStatus,
  InstanceRecord,
  NodeRecord,
  NodeRegistration,
  NodeView,
  Transition,
} from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import type { NodeConfig } from './config/config.ts';
import type { LocalServices } from './local-services.ts';
import { zeroWhereNothingIsWritten, type NodeLinkKeeper } from './node-link-keeper.ts';
import type { Registrations } from './registrations.ts';

/** What a hosted node is made of; each part is started and stopped by `startNode`. */
export interface HostedNodeParts {
  readonly record: Omit<NodeRecord, 'external'>;
  readonly registrations: Registrations;
  readonly services: LocalServices;
  readonly link: NodeLinkKeeper;
  readonly listener: ListenerControl | null;
  readonly balancerStatus: () => Promise<object | null>;
  /** Instances of drover's own on this node, such as Consul's service `consul` on a server: in the catalog, not in the agent API. */
  readonly ownInstances: readonly InstanceRecord[];
  readonly clock: Clock;
  /** Something that is registered here changed. */
  readonly onChange: () => void;
  readonly warn: (text: string, error: unknown) => void;
}

/** One node of this agent: what is registered on it, kept on disk and told to the region. */
export class HostedNode implements LocalNode {
  readonly #parts: HostedNodeParts;
  #record: Omit<NodeRecord, 'external'>;

  constructor(parts: HostedNodeParts) {
    this.#parts = parts;
    this.#record = parts.record;
  }

  get record(): Omit<NodeRecord, 'external'> {
    return this.#record;
  }

  get listener(): ListenerControl | null {
    return this.#parts.listener;
  }

  balancerStatus(): Promise<object | null> {
    return this.#parts.balancerStatus();
  }

  view(): NodeView | null {
    return this.#parts.link.view;
  }

  services(): readonly InstanceRecord[] {
    return this.#parts.services.instances();
  }

  checks(): readonly CheckRecord[] {
    return this.#parts.services.checks();
  }

  /** All that the region should hold of this node. */
  registration(): NodeRegistration {
    const instances = [...this.#parts.ownInstances, ...this.services()];
    return { node: this.#record, instances, checks: this.checks() };
  }

  async registerService(
    registration: ServiceRegistration,
    { replaceChecks = false }: { readonly replaceChecks?: boolean } = {},
  ): Promise<Revision> {
    return this.#tell(this.#parts.services.addService(registration, replaceChecks));
  }

  async deregisterService(id: string): Promise<Revision> {
    return this.#tell(this.#parts.services.removeService(id));
  }

  async registerCheck(registration: CheckRegistration): Promise<Revision> {
    return this.#tell(this.#parts.services.addCheck(registration));
  }

  async deregisterCheck(id: string): Promise<Revision> {
    return this.#tell(this.#parts.services.removeCheck(id));
  }

  /** A transition that a client makes does not wait for its damping: the client asks next and wants to see it. */
  async updateTtl(id: string, status: Exclude<CheckStatus, 'unknown'>, output: string): Promise<Revision> {
    const transitions = this.#parts.services.updateTtl(id, status, output);
    this.#parts.onChange();
    return this.#parts.link.report(transitions);
  }

  async setMaintenance(serviceId: string | null, enable: boolean, reason: string): Promise<Revision> {
    return this.#tell(this.#parts.services.setMaintenance(serviceId, enable, reason));
  }

  /** Takes up the checks that a view brings. */
  takeView(view: NodeView): void {
    const transitions = this.#parts.services.takeOffer(view.checks);
    if (transitions.length === 0) return;
    this.#tell(transitions).catch((error: unknown) => this.#parts.warn('checks of definitions', error));
  }

  /** Takes up another configuration: its record, services and checks; what the API registered stays. */
  async reconfigure(
    record: Omit<NodeRecord, 'external'>,
    config: Pick<NodeConfig, 'services' | 'checks'>,
  ): Promise<Revision> {
    const { services, registrations, link } = this.#parts;
    services.takeConfiguration(config);
    this.#parts.onChange();
    this.#record = record;
    const [revision] = await Promise.all([link.sync().catch(zeroWhereNothingIsWritten), registrations.save()]);
    return revision;
  }

  /** Says to the region that the node leaves it for good; nothing may be said after it. */
  leave(): Promise<Revision> {
    const since = new Date(this.#parts.clock.wall()).toISOString();
    const alive = { status: 'left', since, evidence: 'the agent left' } as const;
    return this.#parts.link.leave({ type: 'alive', alive });
  }

  /** What became different is on the disk and in the region when it resolves. */
  async #tell(transitions: readonly Transition[]): Promise<Revision> {
    const { registrations, link, onChange } = this.#parts;
    onChange();
    const [revision] = await Promise.all([link.report(transitions), registrations.save()]);
    return revision;
  }
}
