import { BlockList, isIP } from 'node:net';
import { decodedPath } from './decoded-path.ts';
import type { HttpSettings } from './http-settings.ts';

/** What of a request the rules look at. */
export interface RuledRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly socket?: { readonly remoteAddress?: string | undefined } | null;
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Where the agent itself is changed, in Consul's words and in drover's. */
const AGENT: readonly string[] = ['/v1/agent/', '/v2/maintenance', '/v2/listener/', '/v2/provisions'];

/** What an operator shut off: paths, and changes of the agent from elsewhere (Consul's `block_endpoints`, `allow_write_http_from`). */
export class PathRules {
  readonly #blocked: readonly string[];
  readonly #writers: BlockList | null;

  constructor({ blockEndpoints, writeFrom }: Pick<HttpSettings, 'blockEndpoints' | 'writeFrom'>) {
    this.#blocked = blockEndpoints;
    this.#writers = writeFrom.length === 0 ? null : listOf(writeFrom);
  }

  /** Why a request is refused, with Consul's text; null for one that is not. */
  refusalOf({ method, url = '/', socket }: RuledRequest): string | null {
    if (this.#blocked.length > 0) {
      const path = decodedPath(url);
      if (this.#blocked.some((start) => path.startsWith(start))) return 'Endpoint is blocked by agent configuration';
    }
    if (this.#writers === null || READS.has(method ?? '')) return null;
    const path = decodedPath(url);
    if (!AGENT.some((start) => path.startsWith(start))) return null;
    return this.#mayWrite(socket?.remoteAddress) ? null : 'Access is restricted';
  }

  /** A Unix socket has no address: who may use it, its mode says. */
  #mayWrite(address: string | undefined): boolean {
    if (address === undefined) return true;
    return this.#writers?.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') ?? true;
  }
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
