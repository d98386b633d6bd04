import { isLoopback } from '../../lib/index.ts';

/** Where HTTP answers, and what the node is called by. */
export interface Reachable {
  readonly httpAddresses: readonly string[];
  readonly nodeAddress: string;
  /** What the operator says that others reach it by; null when nothing is said. */
  readonly advertised?: string | null;
  /** As `--store` has it. */
  readonly store: string;
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * Where other servers and agents reach this one: where the operator says, as behind a translation of addresses; else at its node's
 * address where HTTP answers there, else where it does. What answers on loopback only is not believed to be elsewhere. The warning is for
 * a region of several machines of which this one can be reached by nobody. Pure.
 */
export function advertisedAddress({ httpAddresses, nodeAddress, advertised = null, store }: Reachable): {
  readonly address: string;
  readonly warning: string | null;
} {
  const answersThere = httpAddresses.some((address) => address === nodeAddress || WILDCARDS.has(address));
  const isLocal = httpAddresses.every(isLoopback);
  const isBelieved = advertised !== null && (!isLocal || isLoopback(advertised));
  const found = answersThere ? nodeAddress : (httpAddresses[0] ?? nodeAddress);
  const address = isBelieved ? advertised : found;
  const isAlone = isLocal && storeHosts(store).some((host) => !isHere(host));
  if (!isAlone) return { address, warning: null };
  const where = httpAddresses.join(', ') || 'no address';
  return {
    address,
    warning: `HTTP answers only on ${where}, and the store is on other machines: no other server and no agent can reach this server; see client_addr`,
  };
}

/** The hosts of an etcd store. */
function storeHosts(store: string): string[] {
  if (!store.startsWith('etcd://')) return [];
  const authority = store.slice('etcd://'.length).split(/[/?]/, 1)[0] ?? '';
  return authority
    .slice(authority.lastIndexOf('@') + 1)
    .split(',')
    .map((one) => one.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''));
}

function isHere(host: string): boolean {
  return host === 'localhost' || isLoopback(host);
}
