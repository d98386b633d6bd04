import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

const MOST_KEPT = 256;

/**
 * Whether a request may be answered (design 13): its Host is an IP literal, localhost or one of the node's own names, so
 * that no foreign name can be bound to this address (DNS rebinding); and a change that a browser sends comes from a page
 * of this very host (CSRF).
 */
export class HostGuard {
  readonly #ownNames: ReadonlySet<string>;
  /** Hosts that were let in: clients send the same few. */
  readonly #known = new Set<string>();

  /** `ownNames` in lower case. */
  constructor(ownNames: ReadonlySet<string>) {
    this.#ownNames = ownNames;
  }

  /** Why a request is refused; null for one that is not. */
  refusalOf({ method, headers }: GuardedRequest): string | null {
    const { host = '' } = headers;
    if (host !== '' && !this.#known.has(host) && !this.#admit(host))
      return `Host ${JSON.stringify(host)} is not an address, localhost or a name of this node`;
    if (!READS.has(method ?? '') && isForeign(headers))
      return `a change from origin ${JSON.stringify(headers.origin ?? 'elsewhere')} is refused`;
    return null;
  }

  #admit(host: string): boolean {
    const name = hostName(host);
    const isOwn = isIP(name) !== 0 || name === 'localhost' || this.#ownNames.has(name);
    if (isOwn && this.#known.size < MOST_KEPT) this.#known.add(host);
    return isOwn;
  }
}

/** What of a request decides. */
export interface GuardedRequest {
  readonly method?: string | undefined;
  readonly headers: Pick<IncomingHttpHeaders, 'host' | 'origin' | 'sec-fetch-site'>;
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a browser sends this for a page of another host; programs that are no browsers say nothing of the kind. */
export function isForeign({ host, origin, 'sec-fetch-site': site }: GuardedRequest['headers']): boolean {
  if (origin !== undefined) return origin !== `http://${host}` && origin !== `https://${host}`;
  return site === 'cross-site' || site === 'same-site';
}

/** The name or address of a Host header, without port and brackets, in lower case. */
export function hostName(host: string): string {
  const [, literal] = /^\[([^\]]*)\](?::\d*)?$/.exec(host) ?? [];
  return (literal ?? host.replace(/:\d*$/, '')).toLowerCase().replace(/\.$/, '');
}
