import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of PEM files. The client's certificate has the common name that was asked for. */
export interface Certificates {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes an authority, a certificate for servers at these addresses (good for calling each other too) and one for a client, valid
 * for two days, with openssl, in `folder`.
 */
export async function makeCertificates(
  folder: string,
  addresses: readonly string[],
  clientName: string,
): Promise<Certificates> {
  const at = (name: string): string => path.join(folder, name);
  await makeKey(at('ca.key'));
  const subject = ['-subj', '/CN=drover test authority'];
  await run('openssl', ['req', '-x509', '-new', '-key', at('ca.key'), '-days', '2', '-out', at('ca.pem'), ...subject]);
  const names = ['DNS:localhost', ...addresses.map((address) => `IP:${address}`)].join(',');
  await sign(folder, 'server', {
    commonName: 'server',
    extensions: [`subjectAltName=${names}`, 'extendedKeyUsage=serverAuth,clientAuth'],
  });
  await sign(folder, 'client', { commonName: clientName, extensions: ['extendedKeyUsage=clientAuth'] });
  return {
    ca: at('ca.pem'),
    serverCert: at('server.pem'),
    serverKey: at('server.key'),
    cert: at('client.pem'),
    key: at('client.key'),
  };
}

/** Makes one more client's certificate under the authority in `folder`: `NAME.pem` and `NAME.key`. */
export async function makeClientCertificate(folder: string, name: string, commonName: string): Promise<void> {
  await sign(folder, name, { commonName, extensions: ['extendedKeyUsage=clientAuth'] });
}

interface Wanted {
  readonly commonName: string;
  readonly extensions: readonly string[];
}

async function sign(folder: string, name: string, { commonName, extensions }: Wanted): Promise<void> {
  const at = (end: string): string => path.join(folder, `${name}.${end}`);
  await makeKey(at('key'));
  await run('openssl', ['req', '-new', '-key', at('key'), '-out', at('csr'), '-subj', `/CN=${commonName}`]);
  await writeFile(at('ext'), extensions.join('\n'));
  const authority = ['-CA', path.join(folder, 'ca.pem'), '-CAkey', path.join(folder, 'ca.key'), '-CAcreateserial'];
  await run('openssl', [
    'x509',
    '-req',
    '-in',
    at('csr'),
    '-out',
    at('pem'),
    '-days',
    '2',
    '-extfile',
    at('ext'),
    ...authority,
  ]);
}

async function makeKey(file: string): Promise<void> {
  await run('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-out', file]);
}
