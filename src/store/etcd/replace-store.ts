import { checkRestore } from '../check-restore.ts';
import type { Entry, Revision } from '../contract.ts';
import { storeNotEmpty, storeServed } from '../errors.ts';
import type { OpenStoreOptions } from '../open-store.ts';
import { withEtcd } from './open-etcd.ts';
import { openPointer } from './open-pointer.ts';
import { keyOf, rawPrefix } from './keys.ts';
import { loadEra } from './origins.ts';
import { restoreGeneration } from './restore-generation.ts';

/**
 * Puts a state in the place of what the etcd holds, all or nothing, with the revisions that it comes with, whichever the store has given
 * out before. For one that no server runs on.
 *
 * @throws STORE_SERVED, STORE_NOT_EMPTY unless `mayReplace`, STORE_BAD_RESTORE, and what opening it throws: nothing was changed
 */
export function replaceEtcd(
  url: string,
  options: OpenStoreOptions,
  state: { readonly entries: readonly Entry[]; readonly revision: Revision; readonly mayReplace: boolean },
): Promise<void> {
  const { entries, revision, mayReplace } = state;
  checkRestore(entries, revision, 0);
  return withEtcd(url, options, async (client, clock) => {
    const { pointer, header } = await openPointer(client, 0);
    const era = await loadEra(client, pointer);
    const servers = await client.range({ ...rawPrefix(`${era.prefix}srv/`), keysOnly: true });
    if (servers.kvs.length > 0)
      throw storeServed(
        url,
        servers.kvs.map(({ key }) => keyOf(key).slice(era.prefix.length + 'srv/'.length)).join(', '),
      );
    const { count } = await client.range({ ...rawPrefix(era.prefix), countOnly: true });
    if (count > 0n && !mayReplace) throw storeNotEmpty(url, Number(count));
    await restoreGeneration({ client, clock, era, entries, revision, startsOver: header.revision });
  });
}
