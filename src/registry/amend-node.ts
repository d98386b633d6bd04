import { canonicalJson } from '../lib/index.ts';
import { badRegistration, unknownInstance } from './errors.ts';
import type { NodePicture } from './node-picture.ts';
import type { AliveRecord, CheckRecord, InstanceRecord } from './records.ts';
import type { NodeRegistration, Transition } from './transition.ts';

/**
 * Makes a node exactly what its agent says: it is up, and what the agent does not know is gone.
 *
 * @throws REGISTRY_BAD_REGISTRATION for ids given twice, REGISTRY_UNKNOWN_INSTANCE for a check of no service; the picture
 *   is then as it was
 */
export function amendAll(picture: NodePicture, registration: NodeRegistration, now: string): void {
  const { node } = registration;
  const instances = byId(node.name, registration.instances);
  const checks = byId(node.name, registration.checks);
  for (const { serviceId } of checks.values())
    if (serviceId !== '' && !instances.has(serviceId)) throw unknownInstance(node.name, serviceId);
  picture.node = { ...node, external: false };
  picture.alive = withStatus(picture.alive, { status: 'up', since: now });
  picture.keepOnly(new Set(instances.keys()), new Set(checks.keys()));
  for (const instance of instances.values()) picture.instances.set(instance.id, instance);
  for (const check of checks.values()) picture.checks.set(check.id, mergeCheck(picture.checks.get(check.id), check));
}

/** Applies what an agent says has become different. A check of a service that is gone says nothing any more. */
export function amendNode(picture: NodePicture, transition: Transition): void {
  const { instances, checks } = picture;
  switch (transition.type) {
    case 'node':
      picture.node = { ...transition.node, external: false };
      return;
    case 'instance':
      return amendInstance(picture, transition.instance, transition.checks);
    case 'instance-gone':
      return picture.removeInstance(transition.id);
    case 'check': {
      const { check } = transition;
      if (check.serviceId === '' || instances.has(check.serviceId))
        checks.set(check.id, mergeCheck(checks.get(check.id), check));
      return;
    }
    case 'check-gone':
      return checks.delete(transition.id);
    case 'alive':
      picture.alive = withStatus(picture.alive, transition.alive);
  }
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
  picture.removeChecks(instance.id, new Set(checks.map((check) => check.id)));
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
  const found = new Map<string, T>();
  for (const record of records) {
    if (found.has(record.id)) throw badRegistration(node, `id "${record.id}" is given twice`);
    found.set(record.id, record);
  }
  return found;
}
