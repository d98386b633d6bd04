import type { CheckDefinition } from '../definition/index.ts';
import { checkRecordOf, type CheckToRun } from '../health/index.ts';
import type { InstanceRecord } from '../registry/index.ts';

/**
 * Where a registration comes from: the agent's files, the API, or, for a check, the definition of its service (P24). What
 * files say is read anew at each start, the rest is kept on disk.
 */
export type Source = 'config' | 'api' | 'definition';

/** A check as it was registered. */
export interface RegisteredCheck {
  readonly id: string;
  readonly serviceId: string;
  readonly definition: CheckDefinition;
  readonly source: Source;
}

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

/** The check as `health` takes it; `instance` is that of its service. */
export function checkToRun(check: RegisteredCheck, instance: InstanceRecord | undefined): CheckToRun {
  const { id, serviceId, definition, source } = check;
  const { name, notes } = checkRecordOf(
    { ...definition, id },
    { serviceId, serviceName: instance?.service ?? serviceId },
  );
  return { id, name, serviceId, notes, definition, origin: source === 'config' ? 'local' : 'remote' };
}
