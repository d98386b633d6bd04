import type { Revision } from '../contract.ts';
import { storeForeignData } from '../errors.ts';
import type { EtcdClient } from './client.ts';
import { Compare_CompareResult, Compare_CompareTarget } from './generated/rpc_pb.ts';
import type { ResponseHeader } from './generated/rpc_pb.ts';
import { bytesOf, generationOf, keyOf, LAYOUT, META_KEY, rawPrefix, ROOT } from './keys.ts';
import { formatMeta, parseMeta } from './meta.ts';
import type { Pointer } from './meta.ts';
import { readOf } from './translate.ts';

/** The pointer, and where etcd stood when it was read. */
export interface Opened {
  readonly pointer: Pointer;
  readonly header: ResponseHeader;
}

const META_BYTES = bytesOf(META_KEY);

/**
 * Reads the pointer of the store, and makes it where there is nothing at all below `/drover/`. Of several servers that do so at
 * once, one makes it.
 *
 * @throws STORE_FOREIGN_DATA, STORE_NEWER_LAYOUT, EtcdCallFailed
 */
export async function openPointer(client: EtcdClient, base: Revision): Promise<Opened> {
  for (;;) {
    const { header, kvs } = await client.range({ key: META_BYTES });
    const [kv] = kvs;
    if (kv !== undefined && header !== undefined) return { pointer: parseMeta(kv), header };
    await create(client, Math.max(base, Number(header?.revision ?? 0n) + 1));
  }
}

async function create(client: EtcdClient, revision: Revision): Promise<void> {
  const value = formatMeta({ layout: LAYOUT, generation: 0, revision });
  const all = rawPrefix(ROOT);
  const { succeeded, responses } = await client.txn({
    compare: [
      {
        key: all.key,
        rangeEnd: all.rangeEnd,
        target: Compare_CompareTarget.MOD,
        result: Compare_CompareResult.LESS,
        targetUnion: { case: 'modRevision', value: 1n },
      },
    ],
    success: [{ request: { case: 'requestPut', value: { key: META_BYTES, value } } }],
    failure: [readOf(META_BYTES), { request: { case: 'requestRange', value: { ...all, limit: 1n, keysOnly: true } } }],
  });
  if (succeeded) return;
  const [meta, first] = responses.map(({ response }) => (response.case === 'responseRange' ? response.value.kvs : []));
  const [found] = first ?? [];
  // Another server has made it meanwhile.
  if ((meta ?? []).length > 0 || found === undefined) return;
  const key = keyOf(found.key);
  const isOurs = generationOf(key) !== null;
  throw storeForeignData(
    key,
    isOurs ? `it is drover's, but the pointer ${META_KEY} is gone` : 'nothing of drover was made here yet',
  );
}

/** A key below `/drover/` that is nobody's here, for a warning; undefined when there is none. */
export async function findStranger(client: EtcdClient): Promise<string | undefined> {
  const gaps = [
    [ROOT, `${ROOT}1.`],
    [`${ROOT}10`, META_KEY],
    [`${META_KEY}\0`, '/drover0'],
  ] as const;
  for (const [start, end] of gaps) {
    const { kvs } = await client.range({ key: bytesOf(start), rangeEnd: bytesOf(end), limit: 1n, keysOnly: true });
    if (kvs[0] !== undefined) return keyOf(kvs[0].key);
  }
  return undefined;
}
