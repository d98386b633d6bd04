import type { Authority } from '../../access/index.ts';
import type { CatalogNode, ExternalRegistration } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';

/**
 * A registration needs to write all that it touches: the node, unless it stays as it is; the service, and the one whose id it
 * takes; the services of its checks.
 *
 * @throws ACCESS_DENIED
 */
export function demandRegister(
  { catalog }: Pick<ApiContext, 'catalog'>,
  authority: Authority,
  { node, instance, checks = [], skipNodeUpdate = false }: ExternalRegistration,
): void {
  const known = catalog.node(node.name);
  const isNodeTouched = known === undefined || !skipNodeUpdate || checks.some(({ serviceId }) => serviceId === '');
  if (isNodeTouched) authority.demand('node', node.name, 'write');
  if (instance !== undefined) {
    authority.demand('service', instance.service, 'write');
    demandKnown(authority, known, instance.id);
  }
  for (const { id, serviceId } of checks) {
    if (serviceId !== instance?.id) demandKnown(authority, known, serviceId);
    demandCheck(authority, known, id);
  }
}

/** What a deregistration names. */
export interface Deregistered {
  readonly node: string;
  /** Empty for none. */
  readonly serviceId: string;
  readonly checkId: string;
}

/** @throws ACCESS_DENIED */
export function demandDeregister(
  { catalog }: Pick<ApiContext, 'catalog'>,
  authority: Authority,
  { node, serviceId, checkId }: Deregistered,
): void {
  const known = catalog.node(node);
  const instances = [...(known?.instances.values() ?? [])];
  const owner =
    serviceId === ''
      ? instances.find((one) => checkId !== '' && one.checks.has(checkId))
      : known?.instances.get(serviceId);
  // What is no service's, or not there, is the node's.
  if (owner === undefined) authority.demand('node', node, 'write');
  else authority.demand('service', owner.record.service, 'write');
}

function demandKnown(authority: Authority, known: CatalogNode | undefined, serviceId: string): void {
  const found = known?.instances.get(serviceId);
  if (found !== undefined) authority.demand('service', found.record.service, 'write');
}

/** A check that is replaced may be another service's, or the node's. */
function demandCheck(authority: Authority, known: CatalogNode | undefined, id: string): void {
  if (known?.checks.has(id) === true) authority.demand('node', known.record.name, 'write');
  for (const one of known?.instances.values() ?? [])
    if (one.checks.has(id)) authority.demand('service', one.record.service, 'write');
}
