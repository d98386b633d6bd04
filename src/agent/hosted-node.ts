import type { CheckRegistration, ListenerControl, LocalNode, ServiceRegistration } from '../api/index.ts';
import type { HealthChecks } from '../health/index.ts';
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
import { noSuchServiceForCheck, unknownLocalCheck, unknownLocalService } from './errors.ts';
import { runCheck } from './local-checks.ts';
import { maintenanceCheck } from './maintenance.ts';
import type { NodeConfig } from './config/config.ts';
import type { NodeLinkKeeper } from './node-link-keeper.ts';
import { checkOfNode, checksOfService, type RegisteredCheck, type Source } from './registered-check.ts';
import type { Registrations } from './registrations.ts';

/** What a hosted node is made of; each part is started and stopped by `startNode`. */
export interface HostedNodeParts {
  readonly record: Omit<NodeRecord, 'external'>;
  readonly registrations: Registrations;
  readonly health: HealthChecks;
  readonly link: NodeLinkKeeper;
  readonly listener: ListenerControl | null;
  readonly balancerStatus: () => Promise<object | null>;
  /** Instances of drover's own on this node, such as Consul's service `consul` on a server: in the catalog, not in the agent API. */
  readonly ownInstances: readonly InstanceRecord[];
  readonly clock: Clock;
}

/** One node of this agent: what is registered on it, its checks, and its word to the region. */
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
    return [...this.#parts.registrations.services.values()].map((one) => one.instance);
  }

  checks(): readonly CheckRecord[] {
    return [...this.#parts.health.records(), ...this.#parts.registrations.maintenance.values()];
  }

  /** All that the region should hold of this node. */
  registration(): NodeRegistration {
    return {
      node: this.#record,
      instances: [...this.#parts.ownInstances, ...this.services()],
      checks: this.checks(),
    };
  }

  async registerService(
    { instance, checks }: ServiceRegistration,
    { replaceChecks = false }: { readonly replaceChecks?: boolean } = {},
  ): Promise<Revision> {
    const gone = this.adopt(instance, checksOfService(instance, checks, 'api'), 'api', replaceChecks);
    await this.#parts.registrations.save();
    return this.#report([
      ...gone.map((id): Transition => ({ type: 'check-gone', id })),
      { type: 'instance', instance, checks: this.#recordsOf(instance.id) },
    ]);
  }

  async deregisterService(id: string): Promise<Revision> {
    const { registrations, health } = this.#parts;
    if (!registrations.services.has(id)) throw unknownLocalService(id);
    for (const check of registrations.removeService(id)) health.remove(check);
    await registrations.save();
    return this.#report([{ type: 'instance-gone', id }]);
  }

  async registerCheck({ serviceId, definition }: CheckRegistration): Promise<Revision> {
    const record = this.adoptCheck(checkOfNode(serviceId, definition, 'api'));
    await this.#parts.registrations.save();
    return this.#report([{ type: 'check', check: record }]);
  }

  async deregisterCheck(id: string): Promise<Revision> {
    const { registrations, health } = this.#parts;
    if (!registrations.checks.has(id) && !registrations.maintenance.has(id)) throw unknownLocalCheck(id);
    registrations.checks.delete(id);
    registrations.maintenance.delete(id);
    health.remove(id);
    await registrations.save();
    return this.#report([{ type: 'check-gone', id }]);
  }

  async updateTtl(id: string, status: Exclude<CheckStatus, 'unknown'>, output: string): Promise<Revision> {
    const { registrations, health } = this.#parts;
    if (!registrations.checks.has(id)) throw unknownLocalCheck(id);
    const before = health.record(id)?.status;
    health.updateTtl(id, status, output);
    const record = health.record(id);
    // The client asks next and wants to see it, so a transition does not wait for its damping.
    return record === undefined || record.status === before
      ? this.#report([])
      : this.#report([{ type: 'check', check: record }]);
  }

  async setMaintenance(serviceId: string | null, enable: boolean, reason: string): Promise<Revision> {
    const { registrations, clock } = this.#parts;
    if (serviceId !== null && !registrations.services.has(serviceId)) throw unknownLocalService(serviceId);
    const check = maintenanceCheck(serviceId, reason, clock.wall());
    const had = registrations.maintenance.has(check.id);
    if (enable) registrations.maintenance.set(check.id, check);
    else registrations.maintenance.delete(check.id);
    await registrations.save();
    if (enable) return this.#report([{ type: 'check', check }]);
    return this.#report(had ? [{ type: 'check-gone', id: check.id }] : []);
  }

  /** Takes up another configuration: its record, services and checks; what the API registered stays. */
  async reconfigure(
    record: Omit<NodeRecord, 'external'>,
    config: Pick<NodeConfig, 'services' | 'checks'>,
  ): Promise<Revision> {
    const { registrations, health, link } = this.#parts;
    const wanted = new Set(config.services.map(({ instance }) => instance.id));
    for (const { instance, checks } of config.services)
      this.adopt(instance, checksOfService(instance, checks, 'config'), 'config', true);
    const kept = new Set(
      config.checks.map((check) => this.adoptCheck(checkOfNode(check.serviceId, check.definition, 'config')).id),
    );
    for (const [id, { source }] of Array.from(registrations.services)) {
      if (source !== 'config' || wanted.has(id)) continue;
      for (const check of registrations.removeService(id)) health.remove(check);
    }
    for (const { id, source, serviceId } of Array.from(registrations.checks.values())) {
      if (source !== 'config' || serviceId !== '' || kept.has(id)) continue;
      registrations.checks.delete(id);
      health.remove(id);
    }
    this.#record = record;
    return link.sync();
  }

  /** Takes a service without telling the region; returns the ids of checks that are gone with it. All of it or, when it throws, nothing. */
  adopt(
    instance: InstanceRecord,
    checks: readonly RegisteredCheck[],
    source: Source,
    replaceChecks: boolean,
  ): string[] {
    const { registrations, health } = this.#parts;
    const before = registrations.copy();
    const kept = new Set(checks.map((check) => check.id));
    const dropped = replaceChecks ? registrations.checksOf(instance.id).filter((check) => !kept.has(check.id)) : [];
    registrations.services.set(instance.id, { instance, source });
    for (const check of dropped) registrations.checks.delete(check.id);
    for (const check of checks) registrations.checks.set(check.id, check);
    this.#runAll(checks, before);
    for (const check of dropped) health.remove(check.id);
    return dropped.map((check) => check.id);
  }

  /** Takes a check without telling the region. @throws AGENT_CHECK_WITHOUT_SERVICE */
  adoptCheck(check: RegisteredCheck): CheckRecord {
    const { registrations, health } = this.#parts;
    if (check.serviceId !== '' && !registrations.services.has(check.serviceId))
      throw noSuchServiceForCheck(check.serviceId);
    const before = registrations.copy();
    registrations.checks.set(check.id, check);
    this.#runAll([check], before);
    return health.record(check.id) as CheckRecord;
  }

  /** Runs the checks; when one is refused, everything is as it was before. */
  #runAll(checks: readonly RegisteredCheck[], before: Registrations): void {
    const { registrations, health } = this.#parts;
    try {
      for (const check of checks) runCheck(health, registrations, check);
    } catch (error) {
      registrations.restore(before);
      for (const { id } of checks) {
        const previous = registrations.checks.get(id);
        if (previous === undefined) health.remove(id);
        else runCheck(health, registrations, previous);
      }
      throw error;
    }
  }

  #recordsOf(serviceId: string): CheckRecord[] {
    return this.checks().filter((check) => check.serviceId === serviceId);
  }

  #report(transitions: readonly Transition[]): Promise<Revision> {
    return this.#parts.link.report(transitions);
  }
}
