import type { CheckDefinition } from '../definition/index.ts';
import { checkRecordOf, type HealthChecks } from '../health/index.ts';
import type { CheckRecord, InstanceRecord } from '../registry/index.ts';
import type { RegisteredCheck, Registrations, Source } from './registrations.ts';

/** The checks that come with a service, under Consul's ids. */
export function checksOfService(
  instance: InstanceRecord,
  definitions: readonly CheckDefinition[],
  source: Source,
): RegisteredCheck[] {
  return definitions.map((definition, index) => {
    const owner = { serviceId: instance.id, serviceName: instance.service, index, count: definitions.length };
    return { id: checkRecordOf(definition, owner).id, serviceId: instance.id, definition, source };
  });
}

/** A check registered by itself, for the node or for one of its services. */
export function checkOfNode(serviceId: string, definition: CheckDefinition, source: Source): RegisteredCheck {
  return { id: definition.id ?? definition.name ?? 'check', serviceId, definition, source };
}

/**
 * Begins a registered check, or changes the one that runs under its id.
 *
 * @throws HEALTH_INVALID_CHECK, HEALTH_SCRIPTS_DISABLED, HEALTH_REMOTE_SCRIPTS_DISABLED
 */
export function runCheck(health: HealthChecks, registrations: Registrations, check: RegisteredCheck): CheckRecord {
  const service = registrations.services.get(check.serviceId)?.instance;
  const siblings = registrations.checksOf(check.serviceId).length;
  const basics = checkRecordOf(
    { ...check.definition, id: check.id },
    { serviceId: check.serviceId, serviceName: service?.service ?? check.serviceId, count: siblings },
  );
  return health.replace({
    id: check.id,
    name: basics.name,
    serviceId: check.serviceId,
    notes: basics.notes,
    definition: check.definition,
    origin: check.source === 'config' ? 'local' : 'remote',
  });
}
