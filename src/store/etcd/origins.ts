import type { Entry } from '../contract.ts';
import type { EtcdClient, TxnRequestInit } from './client.ts';
import type { Origin } from './era.ts';
import { Era } from './era.ts';
import { bytesOf, originsPrefix, rawPrefix, textOf } from './keys.ts';
import type { Pointer } from './meta.ts';

/** So many entries' revisions share a value: well below what etcd takes in one request. */
const IN_A_CHUNK = 4_000;
const CHUNK_CHARS = 500_000;
const PAGE = 8n;

type Record = readonly [key: string, createRevision: number, modRevision: number];

/** What holds from this pointer on, with the revisions that the entries of its generation came with. */
export async function loadEra(client: EtcdClient, pointer: Pointer): Promise<Era> {
  const origins = new Map<string, Origin>();
  if (pointer.generation === 0) return new Era(pointer, origins);
  const { key: first, rangeEnd } = rawPrefix(originsPrefix(pointer.generation));
  let key: Uint8Array = first;
  for (;;) {
    const { kvs, more } = await client.range({ key, rangeEnd, limit: PAGE }, { timeoutMs: 30_000 });
    for (const kv of kvs)
      for (const [name, createRevision, modRevision] of JSON.parse(textOf(kv.value)) as Record[])
        origins.set(name, { createRevision, modRevision });
    const last = kvs.at(-1);
    if (!more || last === undefined) return new Era(pointer, origins);
    key = Buffer.concat([last.key, Buffer.of(0)]);
  }
}

/** What has to be written so that `loadEra` finds it, one request a chunk. */
export function originWrites(entries: readonly Entry[], generation: number): NonNullable<TxnRequestInit['success']>[] {
  const chunks: Record[][] = [];
  let chars = CHUNK_CHARS;
  for (const { key, createRevision, modRevision } of entries) {
    const last = chunks.at(-1);
    if (last === undefined || last.length >= IN_A_CHUNK || chars >= CHUNK_CHARS) {
      chunks.push([]);
      chars = 0;
    }
    chars += key.length * 2;
    chunks.at(-1)?.push([key, createRevision, modRevision]);
  }
  return chunks.map((chunk, index) => {
    const key = bytesOf(originsPrefix(generation) + String(index).padStart(6, '0'));
    return [{ request: { case: 'requestPut', value: { key, value: Buffer.from(JSON.stringify(chunk)) } } }];
  });
}
