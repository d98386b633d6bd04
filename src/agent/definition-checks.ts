import type { NodeView } from '../registry/index.ts';
import { checksOfService, type RegisteredCheck } from './registered-check.ts';
import type { Registrations } from './registrations.ts';

/**
 * The checks that a service of this node has by its definition (P24): those that the node's view offers for it, unless it
 * has checks of its own. Their ids are made here: a definition's own would be one for all its instances. Pure.
 */
export function definitionChecks(
  registrations: Pick<Registrations, 'services' | 'checks' | 'checksOf'>,
  serviceId: string,
  offered: NodeView['checks'],
): readonly RegisteredCheck[] {
  const service = registrations.services.get(serviceId);
  const definitions = Object.hasOwn(offered, serviceId) ? (offered[serviceId] ?? []) : [];
  if (service === undefined || definitions.length === 0) return [];
  if (registrations.checksOf(serviceId).some((check) => check.source !== 'definition')) return [];
  const withoutIds = definitions.map(({ id: _id, ...definition }) => definition);
  const isFree = (id: string): boolean => {
    const known = registrations.checks.get(id);
    // `service:web:1` is the first of `web`'s checks, and the only one of an instance called `web:1`.
    return known === undefined || (known.source === 'definition' && known.serviceId === serviceId);
  };
  return checksOfService(service.instance, withoutIds, 'definition').filter((check) => isFree(check.id));
}
