import { badEtcdUrl } from '../errors.ts';
import { ETCD_PORT, parseEndpoint } from './address.ts';

/** More members than any etcd has. */
const MOST_ENDPOINTS = 16;

/**
 * The members that `etcd://HOST[:PORT],HOST[:PORT]…` names, each as `host:port`, twice named ones once.
 *
 * @throws STORE_BAD_ETCD_URL
 */
export function parseEtcdUrl(url: string): string[] {
  const rest = /^etcd:\/\/(.*?)\/?$/s.exec(url)?.[1];
  if (rest === undefined || rest === '') throw badEtcdUrl(url, 'it names no member');
  const parts = rest.split(',');
  if (parts.length > MOST_ENDPOINTS) throw badEtcdUrl(url, `it names more than ${MOST_ENDPOINTS} members`);
  return [...new Set(parts.map((part) => endpointOf(url, part)))];
}

function endpointOf(url: string, part: string): string {
  // Said without the part itself: what stands before an @ may be a password.
  if (part.includes('@'))
    throw badEtcdUrl('etcd://…@…', 'a user has no place in it: use the keys etcd.user and etcd.password_file');
  const endpoint = parseEndpoint(part);
  if (endpoint !== null) return endpoint;
  if (/^https?:/.test(part))
    throw badEtcdUrl(url, `${part} has a scheme of its own: TLS is chosen by the key etcd.ca_file`);
  throw badEtcdUrl(url, `${JSON.stringify(part)} is not HOST or HOST:PORT (${ETCD_PORT} unless told)`);
}
