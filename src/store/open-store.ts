import type { Clock } from '../lib/index.ts';
import type { Revision, Store } from './contract.ts';
import { badStoreUrl, etcdAbsent } from './errors.ts';
import type { EtcdAccess } from './etcd/settings.ts';
import { MemoryStore } from './memory/memory-store.ts';
import { SqliteStore } from './sqlite/sqlite-store.ts';

export interface OpenStoreOptions {
  readonly clock?: Clock;
  /** How many revisions stay watchable; 10,000 unless told. */
  readonly historyRevisions?: number;
  /** How an etcd is spoken to; plain and without a user unless told. */
  readonly etcd?: EtcdAccess | undefined;
  /** The base is at least this. */
  readonly base?: Revision;
}

/**
 * The store that `--store` names: `memory:`, or `sqlite:DIRECTORY` (relative to the working directory).
 *
 * @throws STORE_BAD_URL, STORE_NO_ETCD, and what the engine's `start` throws
 */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<Store> {
  const [, scheme, rest = ''] = /^([a-z]+):(.*)$/s.exec(url) ?? [];
  if (scheme === 'etcd') throw etcdAbsent();
  if (scheme === 'memory' && rest === '') return MemoryStore.start(options);
  if (scheme === 'sqlite' && rest !== '') return SqliteStore.start({ ...options, directory: rest });
  throw badStoreUrl(url);
}
