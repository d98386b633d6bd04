import { badRequest } from './errors.ts';
import { foldedObject, objectIn, textIn, type Folded } from './fields.ts';
import type { ServiceRegistration } from './local-node.ts';

const SUFFIX = '-sidecar-proxy';
const KIND = 'connect-proxy';
/** Consul's range for sidecars that name no port. */
const FIRST_PORT = 21_000;
const LAST_PORT = 21_255;

/** The id of the sidecar of a service. */
export function sidecarIdOf(serviceId: string): string {
  return `${serviceId}${SUFFIX}`;
}

/** Whether an instance is a sidecar, as `Connect.SidecarService` makes them. */
export function isSidecar({ kind, id }: Pick<ServiceRegistration['instance'], 'kind' | 'id'>): boolean {
  return kind === KIND && id.endsWith(SUFFIX);
}

/**
 * The registration in `Connect.SidecarService`, with what it takes from its service; undefined where there is none. There is no
 * mesh: it is an instance like any other, which Consul's proxies and clients find under its name.
 *
 * @throws API_BAD_REQUEST
 */
export function sidecarFields(fields: Folded, parent: ServiceRegistration['instance']): Folded | undefined {
  const connect = foldedObject(objectIn(fields, 'connect') ?? {}, 'connect');
  const given = objectIn(connect, 'sidecarservice');
  if (given === undefined) return undefined;
  const own = foldedObject(given, 'sidecar service');
  if (textIn(own, 'id') !== '') throw badRequest('Invalid service: a sidecar has no ID of its own');
  return {
    ...own,
    id: sidecarIdOf(parent.id),
    name: textIn(own, 'name') || `${parent.service}${SUFFIX}`,
    kind: KIND,
    address: textIn(own, 'address') || parent.address,
    tags: own['tags'] ?? [...parent.tags],
    meta: own['meta'] ?? { ...parent.meta },
  };
}

/** A sidecar with a port: its own, the one it has already, or the lowest that none of these has. @throws API_BAD_REQUEST */
export function withSidecarPort(
  sidecar: ServiceRegistration,
  instances: readonly ServiceRegistration['instance'][],
): ServiceRegistration {
  const { instance } = sidecar;
  if (instance.port !== 0) return sidecar;
  const before = instances.find((one) => one.id === instance.id);
  const taken = new Set(instances.map((one) => one.port));
  let port = before?.port ?? FIRST_PORT;
  if (before === undefined) while (taken.has(port)) port++;
  if (port > LAST_PORT && before === undefined) throw badRequest('Invalid service: no port is left for its sidecar');
  return { ...sidecar, instance: { ...instance, port } };
}
