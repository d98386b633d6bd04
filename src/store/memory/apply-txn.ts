import type { SortedMap } from '../../lib/index.ts';
import type { Entry, KeyRange, Put, ReadOptions, Revision, StoreEvent, Txn, Unchanged, Write } from '../contract.ts';
import { rangesWithout } from '../contract.ts';

/** All that a memory store knows but its history. */
export interface MemoryState {
  readonly entries: SortedMap<Entry>;
  /** Key to lease id, and back. */
  readonly leaseOf: Map<string, string>;
  readonly keysOf: Map<string, Set<string>>;
}

/** Entries of a range in key order. */
export function readRange(state: MemoryState, range: KeyRange, options: ReadOptions): Entry[] {
  const found: Entry[] = [];
  const limit = options.limit ?? Infinity;
  for (const part of rangesWithout(range, options.except)) {
    if (found.length >= limit) break;
    state.entries.forRange(part.start, part.end, false, (_key, entry) => {
      found.push(options.keysOnly === true ? { ...entry, value: '' } : entry);
      return found.length >= limit ? { break: true } : undefined;
    });
  }
  return found;
}

/** The compared keys as they are, when at least one compare does not hold. */
export function conflictOf(state: MemoryState, txn: Txn): Entry[] | undefined {
  const current = txn.compares.map((compare) => state.entries.get(compare.key));
  const holds = txn.compares.every((compare, index) => (current[index]?.modRevision ?? 0) === compare.modRevision);
  if (holds && (txn.unchanged ?? []).every((one) => isUnchanged(state, one))) return undefined;
  return current.filter((entry) => entry !== undefined);
}

/** Holds exactly these entries from now on; no lease has any of them. */
export function replaceAll(state: MemoryState, entries: readonly Entry[]): void {
  state.entries.clear();
  state.leaseOf.clear();
  for (const keys of state.keysOf.values()) keys.clear();
  for (const { key, value, createRevision, modRevision } of entries)
    state.entries.set(key, { key, value, createRevision, modRevision });
}

function isUnchanged(state: MemoryState, { range, since }: Unchanged): boolean {
  if (range.start >= range.end) return true;
  let holds = true;
  state.entries.forRange(range.start, range.end, false, (_key, entry) => {
    if (entry.modRevision <= since) return undefined;
    holds = false;
    return { break: true };
  });
  return holds;
}

/** Changes the state and returns what happened; nothing happened when only absent keys were deleted. */
export function applyWrites(state: MemoryState, writes: readonly Write[], revision: Revision): StoreEvent[] {
  return writes.flatMap((write): StoreEvent[] => {
    if (write.type === 'put') return [put(state, write, revision)];
    if (write.type === 'delete') return remove(state, [write.key]);
    return remove(
      state,
      readRange(state, write.range, {}).map((entry) => entry.key),
    );
  });
}

function put(state: MemoryState, write: Put, revision: Revision): StoreEvent {
  const { key, value, lease } = write;
  const createRevision = state.entries.get(key)?.createRevision ?? revision;
  const entry: Entry = { key, value, createRevision, modRevision: revision };
  state.entries.set(key, entry);
  detach(state, key);
  if (lease !== undefined) {
    state.leaseOf.set(key, lease.id);
    state.keysOf.get(lease.id)?.add(key);
  }
  return { type: 'put', entry };
}

function remove(state: MemoryState, keys: readonly string[]): StoreEvent[] {
  const present = keys.filter((key) => state.entries.delete(key));
  for (const key of present) detach(state, key);
  return present.map((key) => ({ type: 'delete', key }));
}

function detach(state: MemoryState, key: string): void {
  const lease = state.leaseOf.get(key);
  if (lease === undefined) return;
  state.leaseOf.delete(key);
  state.keysOf.get(lease)?.delete(key);
}
