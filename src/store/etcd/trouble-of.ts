import { DroverError } from '../../lib/index.ts';
import { etcdDenied, etcdTls, etcdUnreachable } from '../errors.ts';
import type { EtcdCallFailed } from './client.ts';
import { certificateTrouble } from './failure-of.ts';
import type { EtcdSettings } from './settings.ts';

/**
 * A call that failed because etcd cannot be used at all, told so that an operator knows what to mend: which member, which file,
 * which user. Null for failures that say nothing of the settings.
 */
export function troubleOf(failed: EtcdCallFailed, settings: EtcdSettings): DroverError | null {
  if (failed.cause instanceof DroverError) return failed.cause;
  const detail = { cause: failed };
  if (certificateTrouble(failed) !== undefined)
    return etcdTls.with({ ...detail, ...tlsHint(settings) }, failed.message);
  if (failed.kind === 'denied') return etcdDenied.with(detail, failed.message, credentialsOf(settings));
  if (failed.kind === 'unavailable' || failed.kind === 'timeout')
    return etcdUnreachable.with(detail, settings.endpoints.join(', '), whyUnreachable(failed, settings));
  return null;
}

/** How one that wants TLS meets who speaks to it without; it says nothing itself. */
const BROKEN_OFF = /ECONNRESET|stream closed|socket hang up/;

function whyUnreachable({ message, endpoint }: EtcdCallFailed, { tls }: EtcdSettings): string {
  if (tls !== null || !BROKEN_OFF.test(message)) return message;
  return `etcd at ${endpoint} breaks connections off, as one does that wants TLS: then name its authority with etcd.ca_file`;
}

function tlsHint({ tls }: EtcdSettings): { readonly hint: string } {
  if (tls === null) return { hint: 'etcd wants TLS: name its certificate authority with etcd.ca_file' };
  const own = tls.certFile === null ? 'no certificate of its own is configured' : `its own is ${tls.certFile}`;
  return { hint: `the authority is ${tls.caFile}, ${own}; see their names and dates with openssl x509 -text` };
}

function credentialsOf({ user, tls }: EtcdSettings): string {
  if (user !== null) return `user ${user.name} with the password in ${user.passwordFile}`;
  return tls?.certFile == null ? 'without user and certificate' : `with the certificate ${tls.certFile}`;
}
