import type { Txn, Write } from './contract.ts';
import { badTxn } from './errors.ts';

/**
 * So many compares and so many writes fit in one transaction: 128 operations of Consul's `/v1/txn` with their locks and
 * tombstones. What drover packs by itself stays within 128, etcd's default (docs/decisions/137).
 */
export const MAX_TXN_OPS = 512;

const LATIN1 = /^[\0-\u{ff}]+$/u;

/**
 * Refuses what not every engine could do: too many operations, keys that are not bytes, values that are not Unicode
 * text, a key written twice.
 *
 * @throws STORE_BAD_TXN
 */
export function checkTxn(txn: Txn): void {
  const compares = txn.compares.length + (txn.unchanged?.length ?? 0);
  if (compares > MAX_TXN_OPS) throw badTxn(`${compares} compares, at most ${MAX_TXN_OPS}`);
  if (txn.writes.length > MAX_TXN_OPS) throw badTxn(`${txn.writes.length} writes, at most ${MAX_TXN_OPS}`);
  for (const { key, modRevision } of txn.compares) {
    checkKey(key);
    checkRevision(modRevision, key);
  }
  for (const { range, since } of txn.unchanged ?? []) {
    if (range.start !== '') checkKey(range.start);
    checkRevision(since, range.start);
  }
  for (const write of txn.writes) checkWrite(write);
  checkWrittenOnce(txn.writes);
}

function checkWrite(write: Write): void {
  if (write.type === 'delete-range') {
    if (write.range.start !== '') checkKey(write.range.start);
    return;
  }
  checkKey(write.key);
  if (write.type === 'put' && !write.value.isWellFormed())
    throw badTxn(`the value of ${quote(write.key)} is not Unicode text`);
}

function checkRevision(revision: number, key: string): void {
  if (!Number.isSafeInteger(revision) || revision < 0) throw badTxn(`revision ${revision} compared with ${quote(key)}`);
}

function checkKey(key: string): void {
  if (!LATIN1.test(key)) throw badTxn(key === '' ? 'an empty key' : `key ${quote(key)} holds more than bytes`);
}

function checkWrittenOnce(writes: readonly Write[]): void {
  if (writes.length < 2) return;
  const keys = new Set<string>();
  for (const write of writes) {
    if (write.type === 'delete-range') continue;
    if (keys.has(write.key)) throw badTxn(`${quote(write.key)} is written twice`);
    keys.add(write.key);
  }
  const ranges = writes.flatMap((write) => (write.type === 'delete-range' ? [write.range] : []));
  for (const [index, range] of ranges.entries()) {
    for (const key of keys)
      if (key >= range.start && key < range.end) throw badTxn(`${quote(key)} is written and lies in a deleted range`);
    for (const other of ranges.slice(index + 1))
      if (range.start < other.end && other.start < range.end) throw badTxn('two deleted ranges overlap');
  }
}

function quote(key: string): string {
  return JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key);
}
