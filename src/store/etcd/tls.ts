import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { SecureClientSessionOptions } from 'node:http2';
import { messageOf } from '../../lib/index.ts';
import { etcdFile } from '../errors.ts';
import { readEtcdFile } from './secret-file.ts';
import type { EtcdSettings } from './settings.ts';

/** What `http2.connect` takes for TLS. */
export type TlsMaterial = Pick<SecureClientSessionOptions, 'ca' | 'cert' | 'key' | 'minVersion'>;

/**
 * Reads the certificates that the settings name; each time a member is connected to, so that renewed ones are taken up.
 *
 * @throws STORE_ETCD_FILE naming the file and what is wrong with it
 */
export async function readTls(tls: NonNullable<EtcdSettings['tls']>): Promise<TlsMaterial> {
  const ca = await readEtcdFile(tls.caFile, "etcd's certificate authority", false);
  parsed("etcd's certificate authority", tls.caFile, () => new X509Certificate(ca));
  if (tls.certFile === null || tls.keyFile === null) return { ca, minVersion: 'TLSv1.2' };
  const [cert, key] = await Promise.all([
    readEtcdFile(tls.certFile, 'the certificate for etcd', false),
    readEtcdFile(tls.keyFile, 'the key for etcd', true),
  ]);
  const certificate = parsed('the certificate for etcd', tls.certFile, () => new X509Certificate(cert));
  const secret = parsed('the key for etcd', tls.keyFile, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(secret))
    throw etcdFile('the key for etcd', tls.keyFile, `it is not the key of ${tls.certFile}`);
  return { ca, cert, key, minVersion: 'TLSv1.2' };
}

function parsed<T>(what: string, file: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw etcdFile(what, file, `it is no PEM file of that kind (${messageOf(error)})`);
  }
}
