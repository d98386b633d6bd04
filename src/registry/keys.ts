/** Store keys of the registry (`store.md` 3). Names of nodes and services are percent-encoded, so `/` separates safely. */
const segment = encodeURIComponent;

export const FAMILIES = ['node/', 'alive/', 'inst/', 'chk/', 'tomb/', 'def/', 'ds/'] as const;

export const nodeKey = (node: string): string => `node/${segment(node)}`;
export const aliveKey = (node: string): string => `alive/${segment(node)}`;
export const instancePrefix = (node: string): string => `inst/${segment(node)}/`;
export const instanceKey = (node: string, serviceId: string): string => `inst/${segment(node)}/${segment(serviceId)}`;
export const checkPrefix = (node: string): string => `chk/${segment(node)}/`;
export const checkKey = (node: string, checkId: string): string => `chk/${segment(node)}/${segment(checkId)}`;
export const tombKey = (topic: string): string => `tomb/${topic}`;
export const definitionKey = (federation: string, id: string): string => `def/${segment(federation)}/${segment(id)}`;
/** Region `-` stands for "every region without a value of its own". */
export const datastoreKey = (federation: string, region: string, name: string): string =>
  `ds/${segment(federation)}/${segment(region)}/${segment(name)}`;

/** The decoded parts of a key after its family: `inst/api-1/api` gives `['api-1', 'api']`. */
export function keyParts(key: string): string[] {
  return key.split('/').slice(1).map(decodeURIComponent);
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
