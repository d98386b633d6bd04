import { parseCheck, type CheckDefinition } from '../definition/index.ts';
import { checkedName } from './checked-name.ts';
import { badRequest } from './errors.ts';
import { foldedObject, listIn, objectIn, refuseUnknown, textIn, type Folded } from './fields.ts';
import type { CheckRegistration, ServiceRegistration } from './local-node.ts';
import { INSTANCE_KEYS, parseInstance, refuseUnknownInside } from './parse-instance.ts';
import { sidecarFields } from './sidecar.ts';
import { isEmptyCheck, parseWireCheck } from './wire-check.ts';

/** How a registration is read: Consul's wire ignores unknown keys, our own files refuse them. */
export interface RegistrationOptions {
  readonly unknownKeys: 'ignore' | 'refuse';
}

const SERVICE_KEYS: readonly string[] = [...INSTANCE_KEYS, 'check', 'checks', 'token', 'locality', 'ports'];

const BAD_STATUS = "Status for checks must 'passing', 'warning', 'critical'";

/**
 * Reads a service as Consul's clients and configuration files write it, keys in any case and with or without underscores.
 *
 * @throws API_BAD_REQUEST with Consul's own texts; in our own files DEFINITION_… for checks
 */
export function parseServiceRegistration(value: unknown, options: RegistrationOptions): ServiceRegistration {
  const fields = foldedObject(value, 'service');
  if (options.unknownKeys === 'refuse') {
    refuseUnknown(value as object, SERVICE_KEYS, 'a service');
    refuseUnknownInside(fields);
  }
  const instance = withDefaultAddresses(parseInstance(fields));
  const sidecar = sidecarFields(fields, instance);
  const checks = checksOf(fields, options);
  return sidecar === undefined
    ? { instance, checks }
    : { instance, checks, sidecar: parseServiceRegistration({ ...sidecar, connect: {} }, options) };
}

/** Most checks of one registration. */
export const MAX_CHECKS = 256;

/**
 * Reads a check as Consul's clients and configuration files write it, with the service it belongs to.
 *
 * @throws API_BAD_REQUEST with Consul's own texts; in our own files DEFINITION_…
 */
export function parseCheckRegistration(value: unknown, options: RegistrationOptions): CheckRegistration {
  const fields = foldedObject(value, 'check');
  const definition = checkOf(value, options, 'Bad check status');
  if (definition.name === undefined && definition.id === undefined) throw badRequest('Missing check name');
  checkedName(definition.id ?? definition.name ?? '', 'the id of a check');
  return { serviceId: textIn(fields, 'serviceid'), definition };
}

function checksOf(fields: Folded, options: RegistrationOptions): CheckDefinition[] {
  const single = objectIn(fields, 'check');
  const isLeftOut = single === undefined || (options.unknownKeys === 'ignore' && isEmptyCheck(single));
  const all = [...(isLeftOut ? [] : [single]), ...listIn(fields, 'checks')];
  if (all.length > MAX_CHECKS) throw badRequest(`Invalid service: more than ${MAX_CHECKS} checks`);
  return all.map((one) => checkOf(one, options, BAD_STATUS));
}

function checkOf(value: unknown, { unknownKeys }: RegistrationOptions, badStatus: string): CheckDefinition {
  return unknownKeys === 'refuse' ? parseCheck(value) : parseWireCheck(value, badStatus);
}

/** Consul gives a service with an IP address of its own that address for each network, unless told. */
function withDefaultAddresses(instance: ServiceRegistration['instance']): ServiceRegistration['instance'] {
  const { address, port, taggedAddresses } = instance;
  const family = address.includes(':') ? 'ipv6' : /^\d+(?:\.\d+){3}$/.test(address) ? 'ipv4' : undefined;
  if (family === undefined) return instance;
  const own = { address, port };
  return { ...instance, taggedAddresses: { [`lan_${family}`]: own, [`wan_${family}`]: own, ...taggedAddresses } };
}
