import path from 'node:path';
import type { EtcdAccess } from '../../store/index.ts';
import { configConflict } from './errors.ts';
import type { ConfigFile } from './read-config.ts';
import type { ConfigInput } from './schema.ts';
import { assertTrusted } from './trusted-file.ts';

type EtcdInput = NonNullable<ConfigInput['etcd']>;
type FileKey = 'ca_file' | 'cert_file' | 'key_file' | 'password_file';

/** Keys that mean nothing without another. */
const NEEDS: readonly (readonly [key: keyof EtcdInput, needed: keyof EtcdInput])[] = [
  ['cert_file', 'key_file'],
  ['key_file', 'cert_file'],
  ['cert_file', 'ca_file'],
  ['user', 'password_file'],
  ['password_file', 'user'],
];

/**
 * How etcd is spoken to, from the key `etcd` of all files; later ones win. Each path is relative to the directory of the file that
 * gives it. Whoever can write one of these files decides who the store is: nobody but root and the agent's user may.
 *
 * @throws CONFIG_CONFLICT, CONFIG_UNTRUSTED, CONFIG_UNREADABLE with the place of the key
 */
export async function etcdConfigOf(files: readonly ConfigFile[]): Promise<EtcdAccess> {
  const given = mergedOf(files);
  for (const [key, needed] of NEEDS) {
    if (given[key] === undefined || given[needed] !== undefined) continue;
    throw configConflict.with(placeOf(files, key), `etcd.${key} is given without etcd.${needed}`);
  }
  const pathOf = async (key: FileKey): Promise<string | null> =>
    given[key] === undefined ? null : trustedPath(files, key, given[key]);
  const [caFile, certFile, keyFile, passwordFile] = await Promise.all([
    pathOf('ca_file'),
    pathOf('cert_file'),
    pathOf('key_file'),
    pathOf('password_file'),
  ]);
  return Object.freeze({
    tls: caFile === null ? null : Object.freeze({ caFile, certFile, keyFile }),
    user: given.user === undefined || passwordFile === null ? null : Object.freeze({ name: given.user, passwordFile }),
  });
}

/** What an operator should hear about it. Pure. */
export function etcdWarnings({ tls, user }: EtcdAccess, store: string): string[] {
  const isUsed = store.startsWith('etcd:');
  if (!isUsed)
    return tls === null && user === null ? [] : [`etcd is configured, and the store is ${store}: it means nothing`];
  if (user === null || tls !== null) return [];
  return ['etcd.user without etcd.ca_file: the password crosses the network in the clear'];
}

function mergedOf(files: readonly ConfigFile[]): EtcdInput {
  return files.reduce<EtcdInput>((merged, { input }) => ({ ...merged, ...input.etcd }), {});
}

async function trustedPath(files: readonly ConfigFile[], key: FileKey, given: string): Promise<string> {
  const from = lastWith(files, key);
  const file = path.resolve(from?.directory ?? process.cwd(), given);
  await assertTrusted({ what: `etcd.${key}`, file, place: placeOf(files, key).place ?? {} });
  return file;
}

function placeOf(
  files: readonly ConfigFile[],
  key: keyof EtcdInput,
): { readonly place?: ReturnType<ConfigFile['document']['placeOf']> } {
  const from = lastWith(files, key);
  return from === undefined ? {} : { place: from.document.placeOf(['etcd', key]) };
}

function lastWith(files: readonly ConfigFile[], key: keyof EtcdInput): ConfigFile | undefined {
  return files.findLast(({ input }) => input.etcd?.[key] !== undefined);
}
