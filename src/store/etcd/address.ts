import { isIPv6 } from 'node:net';

/** The port that etcd serves its clients at unless told. */
export const ETCD_PORT = 2379;

/**
 * `host:port` in the one spelling by which members are told apart (lower case, brackets around IPv6, the port always there).
 * Null when it is none: a scheme, a path, a user, a port above 65,535, spaces.
 */
export function parseEndpoint(text: string): string | null {
  const [, bracketed, name, port = String(ETCD_PORT)] =
    /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = bracketed ?? name;
  if (host === undefined || (bracketed !== undefined && !isIPv6(bracketed))) return null;
  if (Number(port) < 1 || Number(port) > 65_535) return null;
  return `${bracketed === undefined ? host.toLowerCase() : `[${host.toLowerCase()}]`}:${Number(port)}`;
}

/**
 * The endpoint in a client URL that a member advertises; null when it is of no use from here: of the other scheme (a client with
 * certificates never goes on without them), an address that means "any", or one that means "this machine" while `isLocal` says
 * that etcd is not known to be here.
 */
export function advertisedEndpoint(
  url: string,
  options: { readonly tls: boolean; readonly isLocal: boolean },
): string | null {
  const [, scheme, rest = ''] = /^(https?):\/\/([^/]+)\/?$/i.exec(url) ?? [];
  if (scheme?.toLowerCase() !== (options.tls ? 'https' : 'http')) return null;
  const endpoint = parseEndpoint(rest);
  if (endpoint === null || /^(?:0\.0\.0\.0|\[::\]):/.test(endpoint)) return null;
  return options.isLocal || !isThisMachine(endpoint) ? endpoint : null;
}

/** Whether the endpoint means the machine that asks. */
export function isThisMachine(endpoint: string): boolean {
  return /^(?:localhost|127\.[\d.]+|\[::1\]):/.test(endpoint);
}
