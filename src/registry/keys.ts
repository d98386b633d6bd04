/** Store keys of the registry (`store.md` 3). Names of nodes and services are percent-encoded, so `/` separates safely. */
const segment = encodeURIComponent;

export const FAMILIES = [
  'node/',
  'own/',
  'alive/',
  'inst/',
  'chk/',
  'tomb/',
  'floor/',
  'def/',
  'ds/',
  'names/',
] as const;

export const nodeKey = (node: string): string => `node/${segment(node)}`;
/** Which agent speaks for a node; in no index. */
export const ownKey = (node: string): string => `own/${segment(node)}`;
/** A server that runs, under its lease; in no index. */
export const serverKey = (server: string): string => `srv/${segment(server)}`;
export const aliveKey = (node: string): string => `alive/${segment(node)}`;
export const instancePrefix = (node: string): string => `inst/${segment(node)}/`;
export const instanceKey = (node: string, serviceId: string): string => `inst/${segment(node)}/${segment(serviceId)}`;
export const checkPrefix = (node: string): string => `chk/${segment(node)}/`;
export const checkKey = (node: string, checkId: string): string => `chk/${segment(node)}/${segment(checkId)}`;
export const tombKey = (topic: string): string => `tomb/${topic}`;
/** No index is below the revision in `floor/<part>`: tombstones up to it are reaped. */
export const floorKey = (part: string): string => `floor/${part}`;
/** Put by every transaction that brings a provided name or a datastore into a federation, so that two cannot both. */
export const namesKey = (federation: string): string => `names/${segment(federation)}`;
export const definitionKey = (federation: string, id: string): string => `def/${segment(federation)}/${segment(id)}`;
/** Region `-` stands for "every region without a value of its own". */
export const datastoreKey = (federation: string, region: string, name: string): string =>
  `ds/${segment(federation)}/${segment(region)}/${segment(name)}`;

/** The family of a key: all up to and including the first slash. */
export function familyOf(key: string): string {
  return key.slice(0, key.indexOf('/') + 1);
}

/** The decoded parts of a key after its family: `inst/api-1/api` gives `['api-1', 'api']`. */
export function keyParts(key: string): string[] {
  const parts = key.slice(key.indexOf('/') + 1).split('/');
  return key.includes('%') ? parts.map(decodeURIComponent) : parts;
}

/**
 * Topics: what a query's index and its waiters hang on (`store.md` 3.1). A deletion touches `tomb/<topic>` of each
 * topic it changes, in its own transaction, so that every index is a pure function of the stored state.
 */
export const topic = {
  nodes: 'nodes',
  services: 'services',
  node: (node: string): string => `node/${segment(node)}`,
  service: (service: string): string => `svc/${segment(service)}`,
  /** Checks of the node itself: they count for the node and for each service on it. */
  nodeChecks: (node: string): string => `nodechk/${segment(node)}`,
  checks: 'checks',
  definitions: 'definitions',
  definition: (federation: string, id: string): string => `def/${segment(federation)}/${segment(id)}`,
  datastores: 'datastores',
  datastore: (federation: string, name: string): string => `ds/${segment(federation)}/${segment(name)}`,
} as const;
