import { isIP } from 'node:net';

/**
 * Whether a request may be answered (design 13): its Host is an IP literal, localhost or one of the node's own names, so
 * that no foreign name can be bound to this address (DNS rebinding); and a change that a browser sends comes from a page
 * of this very host (CSRF). Returns why not.
 */
export function refusalOf(request: GuardedRequest, ownNames: ReadonlySet<string>): string | null {
  const host = hostName(request.host ?? '');
  if (host !== '' && !isOwnHost(host, ownNames)) {
    return `Host "${request.host}" is not an address, localhost or a name of this node`;
  }
  const changes = !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
  if (changes && request.origin !== undefined && !isSameOrigin(request.origin, request.host)) {
    return `a change from origin "${request.origin}" is refused`;
  }
  return null;
}

/** What of a request decides. */
export interface GuardedRequest {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/** The name or address of a Host header, without port and brackets, in lower case. */
export function hostName(host: string): string {
  const [, literal] = /^\[([^\]]*)\]/.exec(host) ?? [];
  return (literal ?? host.replace(/:\d*$/, '')).toLowerCase().replace(/\.$/, '');
}

function isOwnHost(host: string, ownNames: ReadonlySet<string>): boolean {
  return isIP(host) !== 0 || host === 'localhost' || ownNames.has(host);
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}
