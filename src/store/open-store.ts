import type { Clock } from '../lib/index.ts';
import type { Revision, Store } from './contract.ts';
import { badStoreUrl } from './errors.ts';
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
  /** Spreads reconnections. */
  readonly random?: () => number;
  /** Told of what failed and is tried again. */
  readonly report?: (error: unknown) => void;
  /** Told once each what an operator should know of the engine: faults of its version. */
  readonly warn?: (message: string) => void;
}

/**
 * The store that `--store` names: `memory:`, `sqlite:DIRECTORY` (relative to the working directory), or
 * `etcd://HOST:PORT,…`.
 *
 * @throws STORE_BAD_URL, and what the engine's `start` throws
 */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<Store> {
  const [, scheme, rest = ''] = /^([a-z]+):(.*)$/s.exec(url) ?? [];
  // An agent that has no etcd does not load what talks to it.
  if (scheme === 'etcd') return (await import('./etcd/open-etcd.ts')).openEtcd(url, options);
  if (scheme === 'memory' && rest === '') return MemoryStore.start(options);
  if (scheme === 'sqlite' && rest !== '') return SqliteStore.start({ ...options, directory: rest });
  throw badStoreUrl(url);
}
