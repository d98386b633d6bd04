import type { EtcdClient } from './client.ts';
import type { Era } from './era.ts';
import { Compare_CompareResult, Compare_CompareTarget } from './generated/rpc_pb.ts';
import { bytesOf, claimKey, generationOf, keyOf, originsPrefix, prefixOf, rawPrefix } from './keys.ts';
import type { RawRange } from './keys.ts';
import { pointerCompare, type CompareInit } from './translate.ts';

/** So many keys go in one transaction: etcd takes some 15 ms for them. */
const AT_ONCE = 1_000n;

/**
 * Deletes the generations that do not hold and that nobody is filling, in small steps: what a restore has replaced, or has left behind
 * because it did not end.
 */
export async function sweepGenerations(client: EtcdClient, era: () => Era, signal: AbortSignal): Promise<void> {
  for (const generation of await listGenerations(client, signal)) {
    if (generation === era().pointer.generation) continue;
    for (const prefix of [originsPrefix(generation), prefixOf(generation)])
      await sweepRange(client, era(), generation, rawPrefix(prefix), signal);
  }
}

/** The generations of which there are keys. */
async function listGenerations(client: EtcdClient, signal: AbortSignal): Promise<number[]> {
  const found = new Set<number>();
  let key: Uint8Array = bytesOf('/drover/1.');
  const rangeEnd = rawPrefix(prefixOf(0)).rangeEnd;
  for (;;) {
    const { kvs } = await client.range({ key, rangeEnd, limit: 1n, keysOnly: true }, { signal });
    if (kvs[0] === undefined) return [...found];
    const name = keyOf(kvs[0].key);
    const generation = generationOf(name);
    if (generation !== null) found.add(generation);
    key = afterPart(name, generation);
  }
}

/** Behind all keys of the same generation and kind. */
function afterPart(name: string, generation: number | null): Uint8Array {
  if (generation === null || name === claimKey(generation)) return bytesOf(`${name}\0`);
  const part = name.startsWith(prefixOf(generation)) ? prefixOf(generation) : originsPrefix(generation);
  return rawPrefix(part).rangeEnd;
}

async function sweepRange(
  client: EtcdClient,
  era: Era,
  generation: number,
  raw: RawRange,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const { kvs } = await client.range({ ...raw, limit: AT_ONCE, keysOnly: true }, { signal, timeoutMs: 30_000 });
    const last = kvs.at(-1);
    if (last === undefined) return;
    const value = { key: raw.key, rangeEnd: Buffer.concat([last.key, Buffer.of(0)]) };
    const { succeeded } = await client.txn(
      {
        compare: [pointerCompare(era), unclaimed(generation)],
        success: [{ request: { case: 'requestDeleteRange', value } }],
      },
      { signal },
    );
    if (!succeeded) return;
  }
}

/** That nobody fills the generation. */
export function unclaimed(generation: number): CompareInit {
  return {
    key: bytesOf(claimKey(generation)),
    target: Compare_CompareTarget.VERSION,
    result: Compare_CompareResult.EQUAL,
    targetUnion: { case: 'version', value: 0n },
  };
}
