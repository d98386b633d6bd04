import { canonicalJson } from '../lib/index.ts';
import type { NodeState } from './catalog-state.ts';
import { badRegistration, oldEpoch, unknownInstance } from './errors.ts';
import type { AliveRecord, CheckRecord, InstanceRecord, NodeRecord } from './records.ts';
import type { NodeRegistration, Transition } from './transition.ts';

/** A node as it should be in the region: what is planned against what is. */
export interface NodePicture {
  node: NodeRecord;
  alive: AliveRecord | undefined;
  epoch: number | undefined;
  readonly instances: Map<string, InstanceRecord>;
  readonly checks: Map<string, CheckRecord>;
}

/** Makes a node what it should be; undefined stands for a node that is not there. It throws before it changes anything. */
export type Amendment = (picture: NodePicture | undefined) => NodePicture | undefined;

/** The node as it is; records are those of the catalog, so what nobody amends stays the very same object. */
export function pictureOf(state: NodeState | undefined): NodePicture | undefined {
  if (state?.stored === undefined) return undefined;
  const instances = new Map<string, InstanceRecord>();
  const checks = new Map<string, CheckRecord>();
  for (const check of state.checks.values()) checks.set(check.record.id, check.record);
  for (const instance of state.instances.values()) {
    instances.set(instance.record.id, instance.record);
    for (const check of instance.checks.values()) checks.set(check.record.id, check.record);
  }
  return { node: state.record, alive: state.storedAlive?.record, epoch: state.owner?.epoch, instances, checks };
}

/** @throws REGISTRY_OLD_EPOCH when an agent of a later epoch speaks for the node */
export function checkEpoch(node: string, picture: NodePicture | undefined, epoch: number | undefined): void {
  const current = picture?.epoch;
  if (epoch !== undefined && current !== undefined && epoch < current) throw oldEpoch(node, epoch, current);
}

/**
 * Exactly what the agent says of its node: it is up, and what the agent does not know is gone.
 *
 * @throws REGISTRY_BAD_REGISTRATION for ids given twice, REGISTRY_UNKNOWN_INSTANCE for a check of no service
 */
export function pictureOfRegistration(
  registration: NodeRegistration,
  before: NodePicture | undefined,
  now: string,
): NodePicture {
  const { node } = registration;
  const instances = byId(node.name, registration.instances);
  const checks = byId(node.name, registration.checks);
  for (const [id, check] of checks) {
    if (check.serviceId !== '' && !instances.has(check.serviceId)) throw unknownInstance(node.name, check.serviceId);
    checks.set(id, mergeCheck(before?.checks.get(id), check));
  }
  const alive = withStatus(before?.alive, { status: 'up', since: now });
  return { node: { ...node, external: false }, alive, epoch: before?.epoch, instances, checks };
}

/** Applies what an agent says has become different. A check of a service that is gone says nothing any more. */
export function amend(picture: NodePicture, transition: Transition): void {
  const { instances, checks } = picture;
  switch (transition.type) {
    case 'node':
      picture.node = { ...transition.node, external: false };
      return;
    case 'instance':
      return amendInstance(picture, transition.instance, transition.checks);
    case 'instance-gone':
      return removeInstance(picture, transition.id);
    case 'check': {
      const { check } = transition;
      if (check.serviceId === '' || instances.has(check.serviceId))
        checks.set(check.id, mergeCheck(checks.get(check.id), check));
      return;
    }
    case 'check-gone':
      checks.delete(transition.id);
      return;
    case 'alive':
      picture.alive = withStatus(picture.alive, transition.alive);
  }
}

/** Takes away an instance with its checks. */
export function removeInstance({ instances, checks }: NodePicture, id: string): void {
  if (!instances.delete(id)) return;
  for (const check of checks.values()) if (check.serviceId === id) checks.delete(check.id);
}

/**
 * What to keep of a check when its agent speaks of it again. Only transitions are written: the same check with the same
 * status stays as it is, and "no result yet" says nothing about a check that has one.
 */
export function mergeCheck(before: CheckRecord | undefined, said: CheckRecord): CheckRecord {
  if (before === undefined || before === said) return said;
  const isSame = said.status === before.status || said.status === 'unknown';
  return isSame && sameDefinition(before, said) ? before : said;
}

function amendInstance(picture: NodePicture, instance: InstanceRecord, checks: readonly CheckRecord[]): void {
  const said = new Set(checks.map((check) => check.id));
  for (const check of picture.checks.values())
    if (check.serviceId === instance.id && !said.has(check.id)) picture.checks.delete(check.id);
  picture.instances.set(instance.id, instance);
  for (const check of checks) {
    const own = check.serviceId === instance.id ? check : { ...check, serviceId: instance.id };
    picture.checks.set(check.id, mergeCheck(picture.checks.get(check.id), own));
  }
}

function withStatus(before: AliveRecord | undefined, said: AliveRecord): AliveRecord {
  return before?.status === said.status ? before : said;
}

function sameDefinition(a: CheckRecord, b: CheckRecord): boolean {
  const constant = { status: 'unknown', output: '', since: '' };
  return canonicalJson({ ...a, ...constant }) === canonicalJson({ ...b, ...constant });
}

function byId<T extends { readonly id: string }>(node: string, records: readonly T[]): Map<string, T> {
  const found = new Map(records.map((record) => [record.id, record]));
  if (found.size === records.length) return found;
  const twice = records.find((record, index) => records.findIndex((other) => other.id === record.id) < index);
  throw badRegistration(node, `id "${twice?.id ?? ''}" is given twice`);
}
