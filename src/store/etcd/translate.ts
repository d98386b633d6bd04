import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Compare, Conflict, Entry, Revision, Txn, Unchanged, Write } from '../contract.ts';
import type { TxnRequestInit } from './client.ts';
import type { Era } from './era.ts';
import { Compare_CompareResult as Result, Compare_CompareTarget as Target } from './generated/rpc_pb.ts';
import type { CompareSchema, RequestOpSchema, ResponseOp, TxnResponse } from './generated/rpc_pb.ts';
import { bytesOf, META_KEY, rawRange } from './keys.ts';

export type CompareInit = MessageInitShape<typeof CompareSchema>;
export type OpInit = MessageInitShape<typeof RequestOpSchema>;

const META_BYTES = bytesOf(META_KEY);
/** No key has it: a compare that never holds. */
export const NEVER = -1n;

/** A transaction with what had to be looked up for it: etcd's revisions of restored keys that it compares. */
export interface PreparedTxn extends Txn {
  readonly restored?: ReadonlyMap<string, bigint>;
}

/** `Unchanged.since` of a range that is known to have changed. */
export const CHANGED = -1;

/** One transaction of etcd's for one or for several of ours, which touch nothing that another of them writes. */
export function requestOf(txns: readonly PreparedTxn[], era: Era): TxnRequestInit {
  const [txn] = txns;
  return txn !== undefined && txns.length === 1 ? aloneRequest(txn, era) : batchRequest(txns, era);
}

// Whether the pointer still holds, which every write compares, stands among its own compares.
function aloneRequest(txn: PreparedTxn, era: Era): TxnRequestInit {
  return {
    compare: [pointerCompare(era), ...comparesOf(txn, era)],
    success: writesOf(txn.writes, era),
    failure: [readOf(META_BYTES), ...readsOf(txn, era)],
  };
}

// Those that compare are nested, so that each succeeds or fails alone; those that do not stand there as they are.
function batchRequest(txns: readonly PreparedTxn[], era: Era): TxnRequestInit {
  return {
    compare: [pointerCompare(era)],
    success: txns.flatMap((txn) => (isConditional(txn) ? [nestedOf(txn, era)] : writesOf(txn.writes, era))),
    failure: [readOf(META_BYTES)],
  };
}

/** What became of each transaction of a request; null when the pointer does not hold any more and nothing was done. */
export function outcomesOf(txns: readonly Txn[], response: TxnResponse, era: Era): Outcome[] | null {
  const revision = era.revision(response.header?.revision ?? 0n);
  if (!response.succeeded && !pointerHeld(response, era)) return null;
  if (txns.length === 1)
    return [response.succeeded ? { ok: true, revision } : conflictOf(response.responses.slice(1), revision, era)];
  const nested = response.responses.flatMap(({ response: op }) => (op.case === 'responseTxn' ? [op.value] : []));
  return txns.map((txn): Outcome => {
    const own = isConditional(txn) ? nested.shift() : undefined;
    return own === undefined || own.succeeded ? { ok: true, revision } : conflictOf(own.responses, revision, era);
  });
}

export type Outcome = { readonly ok: true; readonly revision: Revision } | Conflict;

/** Whether anything is compared: then a transaction is nested in a batch. */
export function isConditional(txn: Txn): boolean {
  return txn.compares.length > 0 || (txn.unchanged ?? []).length > 0;
}

/** That the pointer is the one that we know. */
export function pointerCompare(era: Era): CompareInit {
  return modCompare(META_BYTES, Result.EQUAL, BigInt(era.pointer.flip));
}

/** Reads a key. */
export function readOf(key: Uint8Array): OpInit {
  return { request: { case: 'requestRange', value: { key } } };
}

function nestedOf(txn: PreparedTxn, era: Era): OpInit {
  const value = { compare: comparesOf(txn, era), success: writesOf(txn.writes, era), failure: readsOf(txn, era) };
  return { request: { case: 'requestTxn', value } };
}

function comparesOf(txn: PreparedTxn, era: Era): CompareInit[] {
  const ranges = (txn.unchanged ?? []).flatMap((one) => unchangedCompare(one, era));
  return [...txn.compares.flatMap((one) => keyCompares(one, era, txn.restored?.get(one.key))), ...ranges];
}

/** Whether a compare is with the revision that a key was restored with. */
export function isOfOrigin({ key, modRevision }: Compare, { origins, pointer }: Era): boolean {
  return modRevision > 0 && modRevision <= pointer.revision && origins.get(key)?.modRevision === modRevision;
}

function keyCompares({ key, modRevision }: Compare, era: Era, raw?: bigint): CompareInit[] {
  const bytes = bytesOf(era.prefix + key);
  if (modRevision === 0) return [modCompare(bytes, Result.EQUAL, 0n)];
  const { flip, revision } = era.pointer;
  if (modRevision > revision) return [modCompare(bytes, Result.EQUAL, BigInt(era.rawRevision(modRevision)))];
  // Of before the pointer: the entry that was restored with it, as long as nobody has touched it.
  if (!isOfOrigin({ key, modRevision }, era)) return [modCompare(bytes, Result.EQUAL, NEVER)];
  if (raw !== undefined) return [modCompare(bytes, Result.EQUAL, raw)];
  return [modCompare(bytes, Result.LESS, BigInt(flip + 1)), modCompare(bytes, Result.GREATER, 0n)];
}

function unchangedCompare({ range, since }: Unchanged, era: Era): CompareInit[] {
  const raw = rawRange(range, era.prefix);
  if (raw === null) return [];
  // Nothing is below 0, not even the 0 of an empty range.
  const below = since === CHANGED ? 0n : BigInt(Math.max(era.rawRevision(since), era.pointer.flip) + 1);
  return [{ ...modCompare(raw.key, Result.LESS, below), rangeEnd: raw.rangeEnd }];
}

/** That the modification revision of a key, or of all keys of a range, is so. */
export function modCompare(key: Uint8Array, result: Result, modRevision: bigint): CompareInit {
  return { key, target: Target.MOD, result, targetUnion: { case: 'modRevision', value: modRevision } };
}

function writesOf(writes: readonly Write[], era: Era): OpInit[] {
  return writes.flatMap((write): OpInit[] => {
    if (write.type === 'put') return [putOf(write, era)];
    if (write.type === 'delete')
      return [{ request: { case: 'requestDeleteRange', value: { key: bytesOf(era.prefix + write.key) } } }];
    const value = rawRange(write.range, era.prefix);
    return value === null ? [] : [{ request: { case: 'requestDeleteRange', value } }];
  });
}

function putOf({ key, value, lease }: Extract<Write, { type: 'put' }>, era: Era): OpInit {
  const put = { key: bytesOf(era.prefix + key), value: Buffer.from(value), lease: BigInt(lease?.id ?? 0) };
  return { request: { case: 'requestPut', value: put } };
}

function readsOf(txn: Txn, era: Era): OpInit[] {
  return txn.compares.map(({ key }) => readOf(bytesOf(era.prefix + key)));
}

function conflictOf(responses: readonly ResponseOp[], revision: Revision, era: Era): Conflict {
  const entries = responses.flatMap(({ response }): Entry[] =>
    response.case === 'responseRange' ? response.value.kvs.map((kv) => era.entry(kv)) : [],
  );
  return { ok: false, revision, entries };
}

function pointerHeld({ responses: [first] }: TxnResponse, era: Era): boolean {
  const [kv] = first?.response.case === 'responseRange' ? first.response.value.kvs : [];
  return kv?.modRevision === BigInt(era.pointer.flip);
}
