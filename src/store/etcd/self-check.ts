import type { Difference, HeldKey, KeyRange, Revision } from '../contract.ts';
import { storeCompacted } from '../errors.ts';
import { EtcdCallFailed, type EtcdClient } from './client.ts';
import type { Era } from './era.ts';
import { rawRange } from './keys.ts';

/** Keys only, so some 600 KB; smaller pages cost etcd 3.4 more, which walks its index to the end of the range for each. */
const PAGE = 10_000;
const PAGE_MS = 30_000;

/** Compares what is held as of a revision with etcd's keys at it, page by page; of any member, since it asks for that revision. */
export async function compareKeys(options: {
  readonly client: EtcdClient;
  readonly era: Era;
  readonly held: Iterable<HeldKey>;
  readonly range: KeyRange;
  readonly revision: Revision;
}): Promise<Difference[]> {
  const { revision, era } = options;
  if (revision < era.pointer.revision) throw storeCompacted(revision, era.pointer.revision);
  const left = new Map(options.held);
  const differences: Difference[] = [];
  for await (const [key, stored] of storedKeys(options)) {
    const held = left.get(key) ?? 0;
    left.delete(key);
    if (held !== stored) differences.push({ key, held, stored });
  }
  for (const [key, held] of left) differences.push({ key, held, stored: 0 });
  return differences;
}

async function* storedKeys({
  client,
  era,
  range,
  revision,
}: {
  client: EtcdClient;
  era: Era;
  range: KeyRange;
  revision: Revision;
}): AsyncGenerator<HeldKey> {
  const raw = rawRange(range, era.prefix);
  if (raw === null) return;
  let key = raw.key;
  for (;;) {
    const request = { key, rangeEnd: raw.rangeEnd, limit: BigInt(PAGE), keysOnly: true };
    const { kvs, more } = await client
      .range({ ...request, revision: BigInt(era.rawRevision(revision)) }, { timeoutMs: PAGE_MS })
      .catch((error: unknown) => {
        throw error instanceof EtcdCallFailed && error.kind === 'compacted'
          ? storeCompacted(revision, revision)
          : error;
      });
    for (const kv of kvs) {
      const entry = era.entry(kv, true);
      yield [entry.key, entry.modRevision];
    }
    const last = kvs.at(-1);
    if (!more || last === undefined) return;
    key = Buffer.concat([last.key, Buffer.of(0)]);
  }
}
