import { isLoopback } from '../../lib/index.ts';

/** Where HTTP answers, and what the node is called by. */
export interface Reachable {
  readonly httpAddresses: readonly string[];
  readonly nodeAddress: string;
  /** As `--store` has it. */
  readonly store: string;
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * Where other servers and agents reach this one: at its node's address where HTTP answers there, else where it does. The warning is for
 * a region of several machines of which this one can be reached by nobody. Pure.
 */
export function advertisedAddress({ httpAddresses, nodeAddress, store }: Reachable): {
  readonly address: string;
  readonly warning: string | null;
} {
  const answersThere = httpAddresses.some((address) => address === nodeAddress || WILDCARDS.has(address));
  const address = answersThere ? nodeAddress : (httpAddresses[0] ?? nodeAddress);
  const isAlone = httpAddresses.every(isLoopback) && storeHosts(store).some((host) => !isLocal(host));
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

function isLocal(host: string): boolean {
  return host === 'localhost' || isLoopback(host);
}
