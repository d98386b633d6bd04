import { isDeepStrictEqual } from 'node:util';
import type { CheckRegistration, ServiceRegistration } from '../api/index.ts';
import type { Clock } from '../lib/index.ts';
import type { CheckRecord, CheckStatus, InstanceRecord, NodeView, Transition } from '../registry/index.ts';
import { configureRegistrations } from './configure-registrations.ts';
import type { NodeConfig } from './config/config.ts';
import { definitionChecks } from './definition-checks.ts';
import { noSuchServiceForCheck, unknownLocalCheck, unknownLocalService } from './errors.ts';
import { maintenanceCheck } from './maintenance.ts';
import { checkOfNode, checksOfService, type RegisteredCheck } from './registered-check.ts';
import type { Registrations } from './registrations.ts';
import type { RunningChecks } from './running-checks.ts';

/** An instance that has been there so long counts as well until the first check that its definition brings says otherwise. */
const SETTLED_MS = 1_000;

/**
 * What is registered on one node, and its checks. Every change returns what became different, to be told to the region;
 * one that is refused throws and leaves everything as it was.
 */
export class LocalServices {
  readonly #registrations: Registrations;
  readonly #running: RunningChecks;
  readonly #clock: Clock;
  /** When an instance came, by id. */
  readonly #since = new Map<string, number>();
  /** What the last view offers; null before the first: then what was offered at last is kept. */
  #offered: NodeView['checks'] | null = null;

  constructor(registrations: Registrations, running: RunningChecks, clock: Clock) {
    this.#registrations = registrations;
    this.#running = running;
    this.#clock = clock;
  }

  /** Every instance, in the order in which they came. */
  instances(): InstanceRecord[] {
    return [...this.#registrations.services.values()].map((one) => one.instance);
  }

  /** Every check with its newest output. */
  checks(): CheckRecord[] {
    return [...this.#running.records(), ...this.#registrations.maintenance.values()];
  }

  /** Makes what comes from the agent's files be what they say now. */
  takeConfiguration(config: Pick<NodeConfig, 'services' | 'checks'>): void {
    configureRegistrations(this.#registrations, config);
    this.#running.runAll();
    for (const id of this.#registrations.services.keys()) {
      if (!this.#since.has(id)) this.#since.set(id, this.#clock.now());
      this.#applyDefinition(id);
    }
  }

  /** Takes up which checks the definitions offer. */
  takeOffer(offered: NodeView['checks']): Transition[] {
    this.#offered = offered;
    return [...this.#registrations.services.keys()].flatMap((id) => this.#applyDefinition(id));
  }

  /** @throws HEALTH_INVALID_CHECK, HEALTH_SCRIPTS_DISABLED, HEALTH_REMOTE_SCRIPTS_DISABLED */
  addService({ instance, checks }: ServiceRegistration, replaceChecks: boolean): Transition[] {
    const registered = checksOfService(instance, checks, 'api');
    for (const check of registered) this.#running.vet(check);
    const kept = new Set(registered.map((check) => check.id));
    const others = this.#registrations.checksOf(instance.id).filter((check) => !kept.has(check.id));
    if (!this.#registrations.services.has(instance.id)) this.#since.set(instance.id, this.#clock.now());
    this.#registrations.setService(instance, 'api');
    for (const { id } of replaceChecks ? others : []) this.#drop(id);
    for (const check of registered) this.#put(check);
    this.#applyDefinition(instance.id);
    const records = this.checks().filter((check) => check.serviceId === instance.id);
    return [{ type: 'instance', instance, checks: records }];
  }

  /** @throws AGENT_UNKNOWN_SERVICE */
  removeService(id: string): Transition[] {
    if (!this.#registrations.services.has(id)) throw unknownLocalService(id);
    for (const check of this.#registrations.deleteService(id)) this.#running.stop(check);
    this.#since.delete(id);
    return [{ type: 'instance-gone', id }];
  }

  /** @throws AGENT_CHECK_WITHOUT_SERVICE and as `addService` */
  addCheck({ serviceId, definition }: CheckRegistration): Transition[] {
    if (serviceId !== '' && !this.#registrations.services.has(serviceId)) throw noSuchServiceForCheck(serviceId);
    const check = checkOfNode(serviceId, definition, 'api');
    this.#running.vet(check);
    return [{ type: 'check', check: this.#put(check) }, ...this.#applyDefinition(serviceId)];
  }

  /** Also lifts a maintenance. @throws AGENT_UNKNOWN_CHECK */
  removeCheck(id: string): Transition[] {
    const check = this.#registrations.checks.get(id);
    const wasMaintenance = this.#registrations.deleteMaintenance(id);
    if (check === undefined && !wasMaintenance) throw unknownLocalCheck(id);
    this.#drop(id);
    return [{ type: 'check-gone', id }, ...(check === undefined ? [] : this.#applyDefinition(check.serviceId))];
  }

  /** Sets a TTL check; there is nothing to tell when only its output differs. @throws AGENT_UNKNOWN_CHECK, HEALTH_NOT_TTL */
  updateTtl(id: string, status: Exclude<CheckStatus, 'unknown'>, output: string): Transition[] {
    const check = this.#running.updateTtl(id, status, output);
    return check === null ? [] : [{ type: 'check', check }];
  }

  /** Null stands for the node. @throws AGENT_UNKNOWN_SERVICE */
  setMaintenance(serviceId: string | null, enable: boolean, reason: string): Transition[] {
    const registrations = this.#registrations;
    if (serviceId !== null && !registrations.services.has(serviceId)) throw unknownLocalService(serviceId);
    const check = maintenanceCheck(serviceId, reason, this.#clock.wall());
    if (!enable) return registrations.deleteMaintenance(check.id) ? [{ type: 'check-gone', id: check.id }] : [];
    registrations.setMaintenance(check);
    return [{ type: 'check', check }];
  }

  #put(check: RegisteredCheck): CheckRecord {
    this.#registrations.setCheck(check);
    return this.#running.run(check);
  }

  #drop(id: string): void {
    this.#registrations.deleteCheck(id);
    this.#running.stop(id);
  }

  /** Gives a service the checks of its definition, or takes away those it has no more. */
  #applyDefinition(serviceId: string): Transition[] {
    const has = this.#registrations.checksOf(serviceId);
    const had = has.filter((check) => check.source === 'definition');
    if (this.#offered === null && had.length === has.length) return [];
    const wanted = definitionChecks(this.#registrations, serviceId, this.#offered ?? {});
    const kept = new Set(wanted.map((check) => check.id));
    const gone = had.filter((check) => !kept.has(check.id)).map((check) => check.id);
    for (const id of gone) this.#drop(id);
    const changed = wanted.filter((check) => !isDeepStrictEqual(this.#registrations.checks.get(check.id), check));
    return [
      ...gone.map((id): Transition => ({ type: 'check-gone', id })),
      ...changed.map((check): Transition => ({ type: 'check', check: this.#putOffered(check) })),
    ];
  }

  #putOffered(check: RegisteredCheck): CheckRecord {
    this.#registrations.setCheck(check);
    const since = this.#since.get(check.serviceId) ?? this.#clock.now();
    return this.#running.runOrRefuse(check, this.#clock.now() - since < SETTLED_MS ? undefined : 'passing');
  }
}
