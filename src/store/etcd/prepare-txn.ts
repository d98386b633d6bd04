import type { Txn, Unchanged } from '../contract.ts';
import type { EtcdClient } from './client.ts';
import type { Era } from './era.ts';
import { rawRange } from './keys.ts';
import { CHANGED } from './translate.ts';

/**
 * A transaction that wants a range unchanged since before the last restore cannot be told so by etcd's revisions: what was restored is
 * looked at first. What it finds unchanged so far is compared in the transaction itself, as anything later is.
 */
export async function prepareTxn(client: EtcdClient, txn: Txn, era: Era): Promise<Txn> {
  const { unchanged = [] } = txn;
  if (era.origins.size === 0 || unchanged.every(({ since }) => since >= era.pointer.revision)) return txn;
  const looked = await Promise.all(
    unchanged.map(async (one) => ((await hasChanged(client, one, era)) ? { ...one, since: CHANGED } : one)),
  );
  return { ...txn, unchanged: looked };
}

async function hasChanged(client: EtcdClient, { range, since }: Unchanged, era: Era): Promise<boolean> {
  const raw = rawRange(range, era.prefix);
  if (raw === null || since >= era.pointer.revision) return false;
  const maxModRevision = BigInt(era.pointer.flip);
  const { kvs } = await client.range({ ...raw, keysOnly: true, maxModRevision });
  return kvs.some((kv) => era.entry(kv).modRevision > since);
}
