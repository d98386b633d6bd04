import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/**
 * Whether a request may be answered (design 13): its Host is an IP literal, localhost or one of the node's own names, so
 * that no foreign name can be bound to this address (DNS rebinding); and a change that a browser sends comes from a page
 * of this very host (CSRF). Returns why not.
 */
export function refusalOf({ method, headers }: GuardedRequest, ownNames: ReadonlySet<string>): string | null {
  const { host = '' } = headers;
  if (host !== '' && !isOwnHost(hostName(host), ownNames)) {
    return `Host ${JSON.stringify(host)} is not an address, localhost or a name of this node`;
  }
  if (!READS.has(method ?? '') && isForeign(headers)) {
    return `a change from origin ${JSON.stringify(headers.origin ?? 'elsewhere')} is refused`;
  }
  return null;
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

function isOwnHost(host: string, ownNames: ReadonlySet<string>): boolean {
  return isIP(host) !== 0 || host === 'localhost' || ownNames.has(host);
}
