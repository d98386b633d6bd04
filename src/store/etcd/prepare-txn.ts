import type { Compare, Txn, Unchanged } from '../contract.ts';
import type { EtcdClient } from './client.ts';
import type { Era } from './era.ts';
import { bytesOf, rawRange } from './keys.ts';
import { BATCH_LIMITS } from './plan-batch.ts';
import { CHANGED, isOfOrigin, NEVER, type PreparedTxn } from './translate.ts';

/**
 * What of a transaction cannot be told by etcd's revisions, since it is of before the last restore, is looked at first. What is found
 * unchanged so far is compared in the transaction itself, as anything later is.
 */
export async function prepareTxn(client: EtcdClient, txn: Txn, era: Era): Promise<PreparedTxn> {
  if (era.origins.size === 0) return txn;
  const [ranges, keys] = await Promise.all([withRanges(client, txn, era), originsOf(client, txn, era)]);
  return keys.size === 0 ? ranges : { ...ranges, restored: keys };
}

/**
 * etcd's own revisions of the restored keys that a large transaction compares: a key takes two compares without them, and with them the
 * transaction has as many as ever.
 */
async function originsOf(client: EtcdClient, { compares }: Txn, era: Era): Promise<ReadonlyMap<string, bigint>> {
  const restored = compares.filter((one) => isOfOrigin(one, era));
  if (compares.length + restored.length <= BATCH_LIMITS.compares) return new Map();
  return new Map(await Promise.all(restored.map((one) => originOf(client, one, era))));
}

async function originOf(client: EtcdClient, { key }: Compare, era: Era): Promise<[key: string, raw: bigint]> {
  const { kvs } = await client.range({ key: bytesOf(era.prefix + key), keysOnly: true });
  const raw = kvs[0]?.modRevision ?? NEVER;
  return [key, raw > BigInt(era.pointer.flip) ? NEVER : raw];
}

/** Ranges that are wanted unchanged since before the restore. */
async function withRanges(client: EtcdClient, txn: Txn, era: Era): Promise<Txn> {
  const { unchanged = [] } = txn;
  if (unchanged.every(({ since }) => since >= era.pointer.revision)) return txn;
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
