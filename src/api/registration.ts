import { isIPv4, isIPv6 } from 'node:net';
import { parseCheck, type CheckDefinition } from '../definition/index.ts';
import { nearest } from '../lib/index.ts';
import type { InstanceRecord } from '../registry/index.ts';
import { badRequest } from './errors.ts';
import type { CheckRegistration, ServiceRegistration } from './local-node.ts';

/** How a registration is read: Consul's wire ignores unknown keys, our own files refuse them. */
export interface RegistrationOptions {
  readonly unknownKeys: 'ignore' | 'refuse';
}

type Fields = Readonly<Record<string, unknown>>;

const MAX_META_PAIRS = 64;
const META_KEY = /^[A-Za-z0-9_-]{1,128}$/;
const MAX_META_VALUE = 512;
const MAX_WEIGHT = 65_535;

/** Keys of a service by their spelling without case and underscores: Consul takes `EnableTagOverride` and `enable_tag_override`. */
const SERVICE_KEYS: readonly string[] = `
  id name tags address port meta weights enabletagoverride taggedaddresses kind
  check checks token socketpath proxy connect namespace partition locality ports
`
  .trim()
  .split(/\s+/);

/**
 * Reads a service as Consul's clients and configuration files write it.
 *
 * @throws API_BAD_REQUEST with Consul's own texts
 */
export function parseServiceRegistration(value: unknown, options: RegistrationOptions): ServiceRegistration {
  const fields = foldKeys(objectOf(value, 'service'));
  if (options.unknownKeys === 'refuse') refuseUnknown(fields, SERVICE_KEYS);
  const name = textOf(fields, 'name');
  if (name === '') throw badRequest('Missing service name');
  const id = textOf(fields, 'id') || name;
  const instance: InstanceRecord = {
    id,
    service: name,
    tags: listOf(fields, 'tags'),
    address: addressOf(fields),
    port: portOf(fields, 'port'),
    meta: metaOf(fields),
    weights: weightsOf(fields),
    enableTagOverride: fields['enabletagoverride'] === true,
    taggedAddresses: taggedAddressesOf(fields),
    ...(textOf(fields, 'kind') === '' ? {} : { kind: textOf(fields, 'kind') }),
  };
  return { instance, checks: checksOf(fields, options) };
}

/**
 * Reads a check as Consul's clients and configuration files write it, with the service it belongs to.
 *
 * @throws API_BAD_REQUEST with Consul's own texts
 */
export function parseCheckRegistration(value: unknown, options: RegistrationOptions): CheckRegistration {
  const record = objectOf(value, 'check');
  const fields = foldKeys(record);
  const definition = checkOf(record, options);
  if (definition.name === undefined && definition.id === undefined) throw badRequest('Missing check name');
  return { serviceId: textOf(fields, 'serviceid'), definition };
}

function checksOf(fields: Fields, options: RegistrationOptions): CheckDefinition[] {
  const single = fields['check'];
  const several = fields['checks'] ?? [];
  if (!Array.isArray(several)) throw badRequest('Request decode failed: checks: expected a list');
  const all = single === undefined || single === null ? several : [single, ...several];
  return all.map((one) => checkOf(objectOf(one, 'check'), options));
}

function checkOf(value: object, options: RegistrationOptions): CheckDefinition {
  return parseCheck(value, { wire: options.unknownKeys === 'ignore' });
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw badRequest(`Request decode failed: ${what}: expected an object`);
}

/** Keys without case and underscores; a null value counts as absent. */
function foldKeys(record: Record<string, unknown>): Fields {
  const folded = Object.entries(record).filter(([, value]) => value !== null);
  return Object.fromEntries(folded.map(([key, value]) => [key.toLowerCase().replaceAll('_', ''), value]));
}

function refuseUnknown(fields: Fields, known: readonly string[]): void {
  for (const key of Object.keys(fields)) {
    if (known.includes(key)) continue;
    const guess = nearest(key, known);
    throw badRequest(`unknown key "${key}" in a service${guess === undefined ? '' : `: did you mean "${guess}"?`}`);
  }
}

function textOf(fields: Fields, key: string): string {
  const value = fields[key] ?? '';
  if (typeof value === 'string') return value;
  throw badRequest(`Request decode failed: ${key}: expected a string`);
}

function listOf(fields: Fields, key: string): string[] {
  const value = fields[key] ?? [];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return [...(value as string[])];
  throw badRequest(`Request decode failed: ${key}: expected a list of strings`);
}

function addressOf(fields: Fields): string {
  const address = textOf(fields, 'address');
  if (address === '0.0.0.0' || address === '::' || address === '[::]') throw badRequest('Invalid service address');
  return address;
}

function portOf(fields: Fields, key: string): number {
  const port = fields[key] ?? 0;
  if (typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw badRequest(`Request decode failed: ${key}: expected a port from 0 to 65535, found ${JSON.stringify(port)}`);
}

function metaOf(fields: Fields): Record<string, string> {
  const meta = objectOf(fields['meta'] ?? {}, 'meta');
  const pairs = Object.entries(meta);
  if (pairs.length > MAX_META_PAIRS) throw badRequest(`Invalid Service Meta: more than ${MAX_META_PAIRS} pairs`);
  for (const [key, value] of pairs) {
    if (!META_KEY.test(key)) throw badRequest(`Invalid Service Meta: key ${JSON.stringify(key)} is not allowed`);
    if (typeof value !== 'string' || value.length > MAX_META_VALUE)
      throw badRequest(`Invalid Service Meta: the value of ${key} must be a string of at most ${MAX_META_VALUE} chars`);
  }
  return meta as Record<string, string>;
}

function weightsOf(fields: Fields): { passing: number; warning: number } {
  const weights = foldKeys(objectOf(fields['weights'] ?? {}, 'weights'));
  const passing = weights['passing'] ?? 1;
  const warning = weights['warning'] ?? 1;
  if (!isWeight(passing, 1)) throw badRequest(`Invalid Weights: Passing must be from 1 to ${MAX_WEIGHT}`);
  if (!isWeight(warning, 0)) throw badRequest(`Invalid Weights: Warning must be from 0 to ${MAX_WEIGHT}`);
  return { passing, warning };
}

function isWeight(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= MAX_WEIGHT;
}

function taggedAddressesOf(fields: Fields): Record<string, { address: string; port: number }> {
  const tagged = objectOf(fields['taggedaddresses'] ?? {}, 'tagged_addresses');
  return Object.fromEntries(
    Object.entries(tagged).map(([key, value]) => {
      const inner = foldKeys(objectOf(value, 'tagged_addresses'));
      return [key, { address: textOf(inner, 'address'), port: portOf(inner, 'port') }];
    }),
  );
}

/** Whether a text is an IP literal. */
export function isAddress(text: string): boolean {
  return isIPv4(text) || isIPv6(text);
}
