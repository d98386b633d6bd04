import { canonicalJson } from '../lib/index.ts';
import { nodeNameTaken, unknownInstance } from './errors.ts';
import type { NodePicture } from './node-picture.ts';
import type { CheckRecord, InstanceRecord, NodeRecord } from './records.ts';

/** A node as Consul's catalog API gives it; what is left out stays as it is. */
export type ExternalNode = Pick<NodeRecord, 'name' | 'address'> &
  Partial<Pick<NodeRecord, 'id' | 'taggedAddresses' | 'meta' | 'datacenter' | 'federation'>>;

/** What `PUT /v1/catalog/register` writes. */
export interface ExternalRegistration {
  readonly node: ExternalNode;
  /** Leaves a node that is known as it is. */
  readonly skipNodeUpdate?: boolean;
  readonly instance?: InstanceRecord;
  readonly checks?: readonly CheckRecord[];
}

/**
 * Adds to a node what the catalog API registers; an agent's node stays the agent's.
 *
 * @throws REGISTRY_NODE_NAME_TAKEN when a living agent has the name under another id; a node that is dead, or that no
 *   agent vouches for, yields to the last writer
 */
export function amendExternal(picture: NodePicture, registration: ExternalRegistration, region: string): void {
  const { node, instance, checks = [], skipNodeUpdate = false } = registration;
  checkName(picture, node);
  for (const { serviceId } of checks)
    if (serviceId !== '' && serviceId !== instance?.id && !picture.instances.has(serviceId))
      throw unknownInstance(node.name, serviceId);
  const known = picture.node ?? emptyRecord(node, region);
  picture.node = skipNodeUpdate ? known : { ...known, ...definedFields(node) };
  if (instance !== undefined) picture.instances.set(instance.id, instance);
  for (const check of checks) {
    const before = picture.checks.get(check.id);
    picture.checks.set(check.id, before !== undefined && saysTheSame(before, check) ? before : check);
  }
}

function checkName({ node: known, alive }: NodePicture, { id, name }: ExternalNode): void {
  if (known === undefined || known.id === '' || id === undefined || id === '') return;
  const isOther = known.id.toLowerCase() !== id.toLowerCase();
  const isLiving = !known.external && (alive?.status === 'up' || alive?.status === 'suspected');
  if (isOther && isLiving) throw nodeNameTaken(name, known.id, known.address);
}

function emptyRecord(node: ExternalNode, region: string): NodeRecord {
  return {
    id: '',
    taggedAddresses: {},
    meta: {},
    datacenter: region,
    federation: 'default',
    runs: [],
    balancer: null,
    consumers: [],
    external: true,
    ...definedFields(node),
  };
}

function definedFields(node: ExternalNode): ExternalNode {
  return Object.fromEntries(Object.entries(node).filter(([, value]) => value !== undefined)) as ExternalNode;
}

/** Everything but the time of the transition, which is the first time it was said. */
function saysTheSame(a: CheckRecord, b: CheckRecord): boolean {
  return canonicalJson({ ...a, since: '' }) === canonicalJson({ ...b, since: '' });
}
