import type { NodeConfig } from './config/config.ts';
import { checkOfNode, checksOfService } from './registered-check.ts';
import type { Registrations } from './registrations.ts';

/**
 * Makes what comes from the agent's files be what they say now. Where they and the API name the same service, they win,
 * and its checks with them; what belonged to a service that is gone goes with it.
 */
export function configureRegistrations(
  registrations: Registrations,
  { services, checks }: Pick<NodeConfig, 'services' | 'checks'>,
): void {
  const wanted = new Set(services.map(({ instance }) => instance.id));
  for (const [id, { source }] of Array.from(registrations.services)) {
    if (source === 'config' && !wanted.has(id)) registrations.deleteService(id);
    if (source === 'api' && wanted.has(id)) dropChecks(registrations, id);
  }
  const all = [
    ...services.flatMap(({ instance, checks: own }) => checksOfService(instance, own, 'config')),
    ...checks.map(({ serviceId, definition }) => checkOfNode(serviceId, definition, 'config')),
  ];
  const kept = new Set(all.map((check) => check.id));
  for (const { id, source } of Array.from(registrations.checks.values()))
    if (source === 'config' && !kept.has(id)) registrations.deleteCheck(id);
  for (const { instance } of services) registrations.setService(instance, 'config');
  for (const check of all) registrations.setCheck(check);
  dropOrphans(registrations);
}

function dropChecks(registrations: Registrations, serviceId: string): void {
  for (const { id } of registrations.checksOf(serviceId)) registrations.deleteCheck(id);
}

/** The region refuses a check of a service that is not there. */
function dropOrphans(registrations: Registrations): void {
  const isOrphan = (serviceId: string): boolean => serviceId !== '' && !registrations.services.has(serviceId);
  for (const { id, serviceId } of Array.from(registrations.checks.values()))
    if (isOrphan(serviceId)) registrations.deleteCheck(id);
  for (const { id, serviceId } of Array.from(registrations.maintenance.values()))
    if (isOrphan(serviceId)) registrations.deleteMaintenance(id);
}
