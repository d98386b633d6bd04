import type { Committed, Compare, Conflict, Entry, Revision, StoreEvent, Txn, Write } from '../contract.ts';
import type { Cell, Tape } from './tape.ts';

/** What the main thread asks of the writer: transactions of callers, a restore, and the life of leases. */
export type Operation =
  | { readonly type: 'txn'; readonly txn: Txn }
  | { readonly type: 'restore'; readonly entries: readonly Entry[]; readonly revision: Revision }
  | { readonly type: 'grant'; readonly ttlMs: number }
  | { readonly type: 'revoke'; readonly id: number };

/** On the tape: the kinds of operations and of writes. */
export const CODE = { txn: 0, grant: 1, revoke: 2, restore: 3, put: 0, delete: 1, deleteRange: 2 } as const;

/** What became of an operation: the caller's answer, and what watchers see. */
export interface Outcome {
  readonly answer: Answer;
  readonly events: readonly StoreEvent[];
  /** Everything was replaced: watchers cannot follow from before. */
  readonly replaced?: boolean;
}

export type Answer = Committed | Conflict | Granted | Replaced;

/** What became of a restore; not ok: the store has meanwhile given out the revisions that it was to use. */
export interface Replaced {
  readonly ok: boolean;
  readonly revision: Revision;
}

export interface Granted {
  readonly ok: true;
  readonly leaseId: number;
  /** No revision of its own. */
  readonly revision: 0;
}

/** Writes an operation at the end of `cells`. Engine revisions: without the base. */
export function writeOperation(cells: Cell[], operation: Operation, base: Revision): void {
  if (operation.type === 'grant') cells.push(CODE.grant, operation.ttlMs);
  else if (operation.type === 'revoke') cells.push(CODE.revoke, operation.id);
  else if (operation.type === 'restore') writeRestore(cells, operation, base);
  else writeTxn(cells, operation.txn, base);
}

function writeRestore(
  cells: Cell[],
  { entries, revision }: Extract<Operation, { type: 'restore' }>,
  base: Revision,
): void {
  const lowest = entries.reduce((least, { createRevision }) => Math.min(least, createRevision), revision);
  cells.push(CODE.restore, lowest - base, revision - base, entries.length);
  for (const { key, value, createRevision, modRevision } of entries)
    cells.push(key, value, createRevision - base, modRevision - base);
}

function writeTxn(cells: Cell[], txn: Txn, base: Revision): void {
  cells.push(CODE.txn, txn.compares.length);
  for (const compare of txn.compares) cells.push(compare.key, engineRevision(compare, base));
  const { unchanged = [] } = txn;
  cells.push(unchanged.length);
  for (const { range, since } of unchanged) cells.push(range.start, range.end, Math.max(0, since - base));
  cells.push(txn.writes.length);
  for (const write of txn.writes) {
    if (write.type === 'put') cells.push(CODE.put, write.key, write.value, Number(write.lease?.id ?? 0));
    else if (write.type === 'delete') cells.push(CODE.delete, write.key);
    else cells.push(CODE.deleteRange, write.range.start, write.range.end);
  }
}

/** A revision at or below the base names no entry of this store: -1, which equals none, for 0 means absence. */
function engineRevision(compare: Compare, base: Revision): number {
  if (compare.modRevision === 0) return 0;
  return compare.modRevision > base ? compare.modRevision - base : -1;
}

/** Reads what the writer answered to `operation`. */
export function readOutcome(tape: Tape, operation: Operation, base: Revision): Outcome {
  if (operation.type === 'grant') return { answer: { ok: true, leaseId: tape.number(), revision: 0 }, events: [] };
  const ok = operation.type === 'revoke' || tape.number() === 1;
  const revision = tape.number() + base;
  if (operation.type === 'restore') return { answer: { ok, revision }, events: [], replaced: ok };
  if (!ok) return { answer: { ok, revision, entries: readEntries(tape, base) }, events: [] };
  const events: StoreEvent[] = [];
  if (operation.type === 'revoke') readDeletions(tape, events);
  else for (const write of operation.txn.writes) readEvents(tape, write, revision, base, events);
  return { answer: { ok, revision }, events };
}

function readEvents(tape: Tape, write: Write, revision: Revision, base: Revision, events: StoreEvent[]): void {
  if (write.type === 'put') {
    const { key, value } = write;
    events.push({ type: 'put', entry: { key, value, createRevision: tape.number() + base, modRevision: revision } });
  } else if (write.type === 'delete-range') readDeletions(tape, events);
  else if (tape.number() === 1) events.push({ type: 'delete', key: write.key });
}

function readDeletions(tape: Tape, events: StoreEvent[]): void {
  for (let left = tape.number(); left > 0; left--) events.push({ type: 'delete', key: tape.text() });
}

function readEntries(tape: Tape, base: Revision): Entry[] {
  return Array.from({ length: tape.number() }, () => ({
    key: tape.text(),
    value: tape.text(),
    createRevision: tape.number() + base,
    modRevision: tape.number() + base,
  }));
}
