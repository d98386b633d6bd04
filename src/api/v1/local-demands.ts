import type { Authority, Level } from '../../access/index.ts';
import { SERF_HEALTH } from '../../kv/index.ts';
import { NODE_MAINTENANCE, serviceMaintenance } from '../../registry/index.ts';
import type { LocalNode } from '../local-node.ts';

/** What is registered at the agent under an id; what is not there is asked for by its id alone, so that nobody learns of it. */
export function demandService(authority: Authority, node: LocalNode, id: string, level: Level): void {
  const found = node.services().find((one) => one.id === id);
  authority.demand('service', found?.service ?? id, level);
}

/** A service's check belongs to the service, any other to the node. */
export function demandCheckOf(authority: Authority, node: LocalNode, serviceId: string, level: Level): void {
  if (serviceId === '') authority.demand('node', node.record.name, level);
  else demandService(authority, node, serviceId, level);
}

/**
 * A check that is replaced may be another service's, or the node's; and one that is called as maintenance or liveness is would
 * stand in their way later.
 */
export function demandReplaced(authority: Authority, node: LocalNode, id: string): void {
  if (id === NODE_MAINTENANCE || id === SERF_HEALTH) authority.demand('node', node.record.name, 'write');
  const maintained = serviceMaintenance('');
  if (id.startsWith(maintained)) demandService(authority, node, id.slice(maintained.length), 'write');
  if (node.checks().some((one) => one.id === id)) demandCheck(authority, node, id, 'write');
}

/** The same for a check by its id. */
export function demandCheck(authority: Authority, node: LocalNode, id: string, level: Level): void {
  const found = node.checks().find((one) => one.id === id);
  demandCheckOf(authority, node, found?.serviceId ?? '', level);
}
