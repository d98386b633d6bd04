import path from 'node:path';
import { countFamilies } from '../lib/index.ts';
import { digestEntries, findDifference } from './compare-entries.ts';
import type { Entry, Revision, Store } from './contract.ts';
import { prefixRange } from './contract.ts';
import {
  badStoreUrl,
  storeNotEmpty,
  storeNotEqual,
  storeNotKept,
  storeNotThere,
  storeSame,
  storeServed,
} from './errors.ts';
import { openStore, type OpenStoreOptions } from './open-store.ts';
import { ofTheState } from './snapshot.ts';
import { entriesIn, hasSqlite, replaceSqlite } from './sqlite/replace-store.ts';

export interface MigrateOptions {
  /** `sqlite:DIRECTORY` or `etcd://HOST:PORT,…`. */
  readonly from: string;
  readonly to: string;
  /** What is in the target goes. */
  readonly mayReplace?: boolean;
  /** Only looks whether it could be done. */
  readonly isDryRun?: boolean;
  /** How etcd is spoken to, on both sides. */
  readonly store?: OpenStoreOptions;
}

/** What was moved, or would be. */
export interface Migration {
  readonly from: string;
  readonly to: string;
  readonly entries: number;
  /** By family of keys: `node`, `kv`, … */
  readonly families: Readonly<Record<string, number>>;
  /** What belongs to servers that ran on the source, and stays behind. */
  readonly left: number;
  /** The target goes on from it, as the source would have. */
  readonly revision: Revision;
  /** SHA-256 of all entries with their revisions. */
  readonly digest: string;
  readonly dryRun: boolean;
}

/**
 * Moves a state from one store to another that no server runs on: all entries with the revisions that they have, so that clients' indexes
 * and compare-and-swap go on being right; what belongs to running servers stays behind. Read back at the end and compared, one by one. The source is only read.
 *
 * @throws STORE_BAD_URL, STORE_NOT_KEPT, STORE_NOT_THERE, STORE_SAME, STORE_IN_USE, STORE_SERVED, STORE_NOT_EMPTY, STORE_NEWER_LAYOUT and what
 * opening either throws: the target is as it was. STORE_NOT_EQUAL when it is not.
 */
export async function migrateStore(options: MigrateOptions): Promise<Migration> {
  const { mayReplace = false, isDryRun = false, store = {} } = options;
  const [from, to] = [placeOf(options.from), placeOf(options.to)];
  if (from.url === to.url) throw storeSame(from.url);
  if (from.directory !== null && !hasSqlite(from.directory)) throw storeNotThere(from.url);
  // Held until the target is done: nobody shall write to the source meanwhile.
  await using source = await openStore(from.url, store);
  const state = await stateOf(from, source);
  const migration = { ...(await aboutOf(state)), from: from.url, to: to.url, dryRun: isDryRun };
  if (isDryRun) await refuse(to, mayReplace, store);
  else await replace(to, { ...state, mayReplace }, store);
  return migration;
}

/** A URL of a store, by which two of them can be told apart. */
interface Place {
  readonly url: string;
  /** Of sqlite; null for etcd. */
  readonly directory: string | null;
}

interface State {
  readonly entries: readonly Entry[];
  readonly left: number;
  readonly revision: Revision;
}

function placeOf(url: string): Place {
  if (url.startsWith('memory:')) throw storeNotKept(url);
  if (url.startsWith('etcd:')) return { url, directory: null };
  const [, directory] = /^sqlite:(.+)$/s.exec(url) ?? [];
  if (directory === undefined) throw badStoreUrl(url);
  return { url: `sqlite:${path.resolve(directory)}`, directory: path.resolve(directory) };
}

async function stateOf(from: Place, source: Store): Promise<State> {
  const { entries, revision } = await source.read(prefixRange(''), { linearizable: true });
  refuseServers(from, entries);
  const kept = entries.filter(ofTheState);
  // A store that was never written to is at 0 or 1, which none can be restored to.
  return { entries: kept, left: entries.length - kept.length, revision: Math.max(revision, 2) };
}

/** The embedded store has a lock for that; what a killed agent has left in it says nothing. */
function refuseServers({ url, directory }: Place, entries: readonly Entry[]): void {
  const servers = entries.filter(({ key }) => key.startsWith('srv/')).map(({ key }) => key.slice('srv/'.length));
  if (directory === null && servers.length > 0) throw storeServed(url, servers.join(', '));
}

type About = Pick<Migration, 'entries' | 'families' | 'left' | 'revision' | 'digest'>;

async function aboutOf({ entries, left, revision }: State): Promise<About> {
  const [families, digest] = [countFamilies(entries.map(({ key }) => key)), await digestEntries(entries)];
  return { entries: entries.length, families, left, revision, digest };
}

async function refuse(to: Place, mayReplace: boolean, store: OpenStoreOptions): Promise<void> {
  const count = to.directory === null ? await entriesAt(to, store) : await entriesIn(to.directory);
  if (count > 0 && !mayReplace) throw storeNotEmpty(to.url, count);
}

async function entriesAt(to: Place, options: OpenStoreOptions): Promise<number> {
  await using store = await openStore(to.url, options);
  const { entries } = await store.read(prefixRange(''), { keysOnly: true, linearizable: true });
  refuseServers(to, entries);
  return entries.length;
}

async function replace(
  to: Place,
  state: State & { readonly mayReplace: boolean },
  options: OpenStoreOptions,
): Promise<void> {
  if (to.directory !== null) await replaceSqlite(to.directory, state);
  else await (await import('./etcd/replace-store.ts')).replaceEtcd(to.url, options, state);
  await using store = await openStore(to.url, options);
  const found = await store.read(prefixRange(''), { linearizable: true });
  const difference = findDifference(state.entries, found.entries);
  if (difference !== null) throw storeNotEqual(to.url, difference);
  if (found.revision < state.revision)
    throw storeNotEqual(to.url, `it stands at ${found.revision}, not at ${state.revision}`);
}
