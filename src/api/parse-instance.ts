import type { InstanceRecord } from '../registry/index.ts';
import { checkedName } from './checked-name.ts';
import { badRequest } from './errors.ts';
import { flagIn, foldedObject, objectIn, refuseUnknown, textIn, textListIn, type Folded } from './fields.ts';

const MAX_META_PAIRS = 64;
const MAX_TAGS = 1_024;
const MAX_TAGGED_ADDRESSES = 64;
const META_KEY = /^[A-Za-z0-9_-]{1,128}$/;
const MAX_META_VALUE = 512;
const MAX_WEIGHT = 65_535;
const NOWHERE: readonly string[] = ['0.0.0.0', '::', '[::]'];

/** What an instance is made of, as files spell it. */
export const INSTANCE_KEYS: readonly string[] =
  `id name tags address port meta weights enable_tag_override tagged_addresses kind
   socket_path proxy connect namespace partition`.split(/\s+/);

/**
 * Reads an instance from fields with folded keys (`fields.ts`).
 *
 * @throws API_BAD_REQUEST with Consul's own texts
 */
export function parseInstance(fields: Folded): InstanceRecord {
  const service = textIn(fields, 'name');
  if (service === '') throw badRequest('Missing service name');
  const id = textIn(fields, 'id') || service;
  checkedName(service, 'the name of a service');
  checkedName(id, 'the id of a service');
  refuseLeftOut(fields);
  const kind = textIn(fields, 'kind');
  return {
    id,
    service,
    tags: tagsOf(fields),
    address: addressOf(fields),
    port: portOf(fields),
    meta: metaOf(fields),
    weights: weightsOf(fields),
    enableTagOverride: flagIn(fields, 'enabletagoverride'),
    taggedAddresses: taggedAddressesOf(fields),
    ...(kind === '' ? {} : { kind }),
    ...socketPathOf(fields),
  };
}

/** Refuses keys that nobody knows in what is inside a service. @throws API_BAD_REQUEST */
export function refuseUnknownInside(fields: Folded): void {
  refuseUnknown(objectIn(fields, 'weights') ?? {}, ['passing', 'warning'], 'the weights of a service');
  for (const address of Object.values(objectIn(fields, 'taggedaddresses') ?? {}))
    refuseUnknown(Object(address) as object, ['address', 'port'], 'a tagged address');
}

/** What would silently not be done is refused: namespaces. */
function refuseLeftOut(fields: Folded): void {
  for (const key of ['namespace', 'partition'])
    if (!['', 'default'].includes(textIn(fields, key)))
      throw badRequest(`Invalid service: the only ${key} is "default"`);
}

function socketPathOf(fields: Folded): { readonly socketPath?: string } {
  const socketPath = textIn(fields, 'socketpath');
  return socketPath === '' ? {} : { socketPath: checkedName(socketPath, 'the socket path of a service') };
}

function tagsOf(fields: Folded): string[] {
  const tags = textListIn(fields, 'tags');
  if (tags.length > MAX_TAGS) throw badRequest(`Invalid service: more than ${MAX_TAGS} tags`);
  return tags;
}

function addressOf(fields: Folded): string {
  const address = textIn(fields, 'address');
  if (NOWHERE.includes(address)) throw badRequest('Invalid service address');
  return checkedName(address, 'the address of a service');
}

function portOf(fields: Folded): number {
  const port = fields['port'] ?? 0;
  if (typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw badRequest('Request decode failed: port: expected a port from 0 to 65535');
}

function metaOf(fields: Folded): Record<string, string> {
  const pairs = Object.entries(objectIn(fields, 'meta') ?? {});
  if (pairs.length > MAX_META_PAIRS) throw badRequest(`Invalid Service Meta: more than ${MAX_META_PAIRS} pairs`);
  return Object.fromEntries(
    pairs.map(([key, value]) => {
      if (!META_KEY.test(key)) throw badRequest(`Invalid Service Meta: key ${JSON.stringify(key)} is not allowed`);
      if (typeof value === 'string' && value.length <= MAX_META_VALUE) return [key, value];
      throw badRequest(
        `Invalid Service Meta: the value of ${key} must be text of at most ${MAX_META_VALUE} characters`,
      );
    }),
  );
}

function weightsOf(fields: Folded): InstanceRecord['weights'] {
  const weights = foldedObject(objectIn(fields, 'weights') ?? {}, 'weights');
  const { passing = 1, warning = 1 } = weights;
  if (!isWeight(passing, 1)) throw badRequest(`Invalid Weights: Passing must be from 1 to ${MAX_WEIGHT}`);
  if (!isWeight(warning, 0)) throw badRequest(`Invalid Weights: Warning must be from 0 to ${MAX_WEIGHT}`);
  return { passing, warning };
}

function isWeight(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= MAX_WEIGHT;
}

function taggedAddressesOf(fields: Folded): InstanceRecord['taggedAddresses'] {
  const tagged = Object.entries(objectIn(fields, 'taggedaddresses') ?? {});
  if (tagged.length > MAX_TAGGED_ADDRESSES)
    throw badRequest(`Invalid service: more than ${MAX_TAGGED_ADDRESSES} tagged addresses`);
  return Object.fromEntries(
    tagged.map(([key, value]) => {
      const inner = foldedObject(value, 'tagged_addresses');
      return [key, { address: textIn(inner, 'address'), port: portOf(inner) }];
    }),
  );
}
