import type { CheckDefinition } from '../definition/index.ts';
import { checkRecordOf, HealthChecks } from '../health/index.ts';
import { type Clock, defineError, TIMING } from '../lib/index.ts';
import {
  type CheckRecord,
  type CheckStatus,
  type Feed,
  type InstanceRecord,
  NODE_MAINTENANCE,
  type NodeRecord,
  type NodeView,
  type Registry,
  serviceMaintenance,
  type Transition,
} from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import type { CheckRegistration, LocalNode, ServiceRegistration } from './local-node.ts';

const unknownService = defineError('API_UNKNOWN_SERVICE', 404, (id: string) => `Unknown service ID "${id}".`);
const unknownCheck = defineError('API_UNKNOWN_CHECK', 404, (id: string) => `Unknown check ID "${id}".`);
const checkWithoutService = defineError('API_NO_SERVICE', 404, (id: string) => `ServiceID "${id}" does not exist`);

export interface TestNodeOptions {
  readonly record: Omit<NodeRecord, 'external'>;
  readonly registry: Registry;
  readonly feed: Feed;
  readonly clock: Clock;
}

/** A node in memory: real checks, no files, no consumers; scripts are refused. */
export class TestNode implements LocalNode, AsyncDisposable {
  readonly record: Omit<NodeRecord, 'external'>;
  readonly listener = null;
  readonly #options: TestNodeOptions;
  readonly #health: HealthChecks;
  readonly #services = new Map<string, InstanceRecord>();
  readonly #maintenance = new Map<string, CheckRecord>();

  private constructor(options: TestNodeOptions, health: HealthChecks) {
    this.record = options.record;
    this.#options = options;
    this.#health = health;
  }

  static async start(options: TestNodeOptions): Promise<TestNode> {
    const { record, registry, clock } = options;
    const health = await HealthChecks.start({
      clock,
      random: () => 0,
      timing: TIMING.local,
      scripts: 'local',
      environment: {},
      onTransition: (check) => void registry.report(record.name, [{ type: 'check', check }]).catch(() => undefined),
    });
    await registry.syncNode({ node: record, instances: [], checks: [] });
    return new TestNode(options, health);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#health[Symbol.asyncDispose]();
  }

  /** Takes everything off again that was registered. */
  async clear(): Promise<void> {
    for (const { id } of this.checks()) await this.deregisterCheck(id);
    for (const { id } of this.services()) await this.deregisterService(id);
  }

  services(): readonly InstanceRecord[] {
    return [...this.#services.values()];
  }

  checks(): readonly CheckRecord[] {
    return [...this.#health.records(), ...this.#maintenance.values()];
  }

  view(): NodeView | null {
    return null;
  }

  balancerStatus(): Promise<object | null> {
    return Promise.resolve(null);
  }

  registerService(
    { instance, checks }: ServiceRegistration,
    { replaceChecks = false }: { readonly replaceChecks?: boolean } = {},
  ): Promise<Revision> {
    const gone = replaceChecks ? this.#checksOf(instance.id).map((check) => check.id) : [];
    for (const id of gone) this.#health.remove(id);
    this.#services.set(instance.id, instance);
    for (const [index, definition] of checks.entries()) this.#run(instance, definition, index, checks.length);
    return this.#report([
      ...gone.map((id): Transition => ({ type: 'check-gone', id })),
      { type: 'instance', instance, checks: this.#checksOf(instance.id) },
    ]);
  }

  async deregisterService(id: string): Promise<Revision> {
    if (!this.#services.delete(id)) throw unknownService(id);
    for (const check of this.#checksOf(id)) this.#health.remove(check.id);
    this.#maintenance.delete(serviceMaintenance(id));
    return this.#report([{ type: 'instance-gone', id }]);
  }

  async registerCheck({ serviceId, definition }: CheckRegistration): Promise<Revision> {
    const service = this.#services.get(serviceId);
    if (serviceId !== '' && service === undefined) throw checkWithoutService(serviceId);
    const id = definition.id ?? definition.name ?? 'check';
    return this.#report([{ type: 'check', check: this.#run(service, { ...definition, id }, 0, 1) }]);
  }

  async deregisterCheck(id: string): Promise<Revision> {
    if (!this.#health.remove(id) && !this.#maintenance.delete(id)) throw unknownCheck(id);
    return this.#report([{ type: 'check-gone', id }]);
  }

  async updateTtl(id: string, status: Exclude<CheckStatus, 'unknown'>, output: string): Promise<Revision> {
    this.#health.updateTtl(id, status, output);
    return this.#report([{ type: 'check', check: this.#health.record(id) as CheckRecord }]);
  }

  async setMaintenance(serviceId: string | null, enable: boolean, reason: string): Promise<Revision> {
    if (serviceId !== null && !this.#services.has(serviceId)) throw unknownService(serviceId);
    const id = serviceId === null ? NODE_MAINTENANCE : serviceMaintenance(serviceId);
    const name = serviceId === null ? 'Node Maintenance Mode' : 'Service Maintenance Mode';
    const check: CheckRecord = {
      ...checkRecordOf({ id, name, notes: reason, ttlMs: 1 }, { serviceId: serviceId ?? '' }, this.#options.clock),
      status: 'critical',
      type: 'maintenance',
      definition: {},
    };
    if (!enable) return this.#maintenance.delete(id) ? this.#report([{ type: 'check-gone', id }]) : this.#report([]);
    this.#maintenance.set(id, check);
    return this.#report([{ type: 'check', check }]);
  }

  #run(service: InstanceRecord | undefined, definition: CheckDefinition, index: number, count: number): CheckRecord {
    const owner = service === undefined ? {} : { serviceId: service.id, serviceName: service.service };
    const basics = checkRecordOf(definition, { ...owner, index, count }, this.#options.clock);
    return this.#health.replace({ ...basics, definition, origin: 'remote' });
  }

  #checksOf(serviceId: string): CheckRecord[] {
    return this.checks().filter((check) => check.serviceId === serviceId);
  }

  #report(transitions: readonly Transition[]): Promise<Revision> {
    const { registry, feed } = this.#options;
    return transitions.length === 0 ? Promise.resolve(feed.revision) : registry.report(this.record.name, transitions);
  }
}
