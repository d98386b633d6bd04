import { checkRecordOf, type HealthChecks } from '../health/index.ts';
import { messageOf } from '../lib/index.ts';
import type { CheckRecord, CheckStatus, InstanceRecord } from '../registry/index.ts';
import { unknownLocalCheck } from './errors.ts';
import { checkToRun, type RegisteredCheck } from './registered-check.ts';
import type { Registrations } from './registrations.ts';

type Settable = Exclude<CheckStatus, 'unknown'>;

/** The registered checks of one node as they run, and those that may not run any more. */
export class RunningChecks {
  readonly #registrations: Pick<Registrations, 'services' | 'checks'>;
  readonly #health: HealthChecks;
  readonly #warn: (text: string) => void;
  /** Checks that were registered and are refused now: critical, for nothing is known of what they looked at. */
  readonly #refused = new Map<string, CheckRecord>();

  constructor(
    registrations: Pick<Registrations, 'services' | 'checks'>,
    health: HealthChecks,
    warn: (text: string) => void,
  ) {
    this.#registrations = registrations;
    this.#health = health;
    this.#warn = warn;
  }

  /** Every check with its newest output. */
  records(): CheckRecord[] {
    return [...this.#health.records(), ...this.#refused.values()];
  }

  record(id: string): CheckRecord | undefined {
    return this.#health.record(id) ?? this.#refused.get(id);
  }

  /** Whether the check would be taken. @throws HEALTH_INVALID_CHECK, HEALTH_SCRIPTS_DISABLED, HEALTH_REMOTE_SCRIPTS_DISABLED */
  vet(check: RegisteredCheck): void {
    this.#health.vet(checkToRun(check, undefined));
  }

  /** Begins a check, or changes the one that runs under its id. @throws as `vet` */
  run(check: RegisteredCheck, status?: Settable): CheckRecord {
    const toRun = checkToRun(check, this.#instanceOf(check));
    const before = this.#health.record(check.id);
    const previous = before ?? (status === undefined ? undefined : { ...this.#freshRecord(check), status });
    const record = this.#health.replace(previous === undefined ? toRun : { ...toRun, previous });
    this.#refused.delete(check.id);
    return record;
  }

  /** As `run`; a check that is refused stands as critical, with the reason. */
  runOrRefuse(check: RegisteredCheck, status?: Settable): CheckRecord {
    try {
      return this.run(check, status);
    } catch (error) {
      const record = { ...this.#freshRecord(check), status: 'critical' as const, output: messageOf(error) };
      if (!this.#refused.has(check.id)) this.#warn(`check "${check.id}" is not run: ${messageOf(error)}`);
      this.#health.remove(check.id);
      this.#refused.set(check.id, record);
      return record;
    }
  }

  stop(id: string): void {
    this.#health.remove(id);
    this.#refused.delete(id);
  }

  /** Makes what runs be what is registered. */
  runAll(): void {
    const { checks } = this.#registrations;
    for (const { id } of this.records()) if (!checks.has(id)) this.stop(id);
    for (const check of checks.values()) this.runOrRefuse(check);
  }

  /** The record after a TTL check was set, null when its status is what it was. @throws AGENT_UNKNOWN_CHECK, HEALTH_NOT_TTL */
  updateTtl(id: string, status: Settable, output: string): CheckRecord | null {
    const before = this.record(id)?.status;
    if (before === undefined) throw unknownLocalCheck(id);
    this.#health.updateTtl(id, status, output);
    const record = this.record(id);
    return record === undefined || record.status === before ? null : record;
  }

  #instanceOf({ serviceId }: RegisteredCheck): InstanceRecord | undefined {
    return this.#registrations.services.get(serviceId)?.instance;
  }

  #freshRecord(check: RegisteredCheck): CheckRecord {
    const { id, serviceId, definition } = check;
    const serviceName = this.#instanceOf(check)?.service ?? serviceId;
    return checkRecordOf({ ...definition, id }, { serviceId, serviceName });
  }
}
