import { treeBefore, historyPut, prefixRange } from '../store/index.ts';
import type { Compare, HistoryRecord, Put, Revision, Txn, Unchanged, Write } from '../store/index.ts';
import { encodeEntry } from './kv-entry.ts';
import type { KvEntry } from './kv-entry.ts';
import { ENTRY_FAMILY, kvTopic, TOMB_FAMILY, TREE_TOMB_FAMILY } from './kv-keys.ts';
import { tombKey } from '../registry/index.ts';
import { lockDelayKey, sessionKey, sessionLockKey, sessionLockPrefix, topicsOfSession } from './session-keys.ts';
import type { Session, SessionRecord } from './session-record.ts';

/** So much of what a recursive delete takes is kept for history. */
const TREE_BYTES = 512 * 1024;
/** A recursive delete ends at most so many locks by itself; the others end with their session, which finds the keys gone. */
const MAX_TREE_LOCKS = 100;

/** What a draft has become: what it relies on, and what it makes different. */
export interface DraftState {
  /** The revision that it was made at. */
  readonly revision: Revision;
  /** Store keys that were read, with their revision. */
  readonly read: ReadonlyMap<string, Revision>;
  /** Prefixes of keys that were listed. */
  readonly listed: ReadonlySet<string>;
  /** Keys that were written: their entry before and now. */
  readonly changed: ReadonlyMap<string, { readonly before: KvEntry | undefined; readonly now: KvEntry | undefined }>;
  /** Prefixes that were deleted. */
  readonly trees: ReadonlySet<string>;
  readonly ended: ReadonlyMap<string, Session>;
  /** Sessions that are put as they are. */
  readonly put: readonly SessionRecord[];
  /** `sesslock/` entries of keys that their session does not hold any more. */
  readonly stale: readonly { readonly id: string; readonly key: string }[];
  readonly delays: ReadonlyMap<string, number>;
}

/** Who writes and when; undefined where history is switched off. */
export interface DraftHistory {
  readonly author: string;
  /** ISO time. */
  readonly at: string;
}

/** The transaction that makes a draft so; without writes when it changes nothing. */
export function txnOfDraft(draft: DraftState, history: DraftHistory | undefined): Txn {
  return txnOfOnePut(draft, history) ?? txnOfAny(draft, history);
}

/** Nearly every draft: one key has another value, and its lock is as it was. */
function txnOfOnePut(draft: DraftState, history: DraftHistory | undefined): Txn | undefined {
  const { changed, listed, trees, ended, put, stale, delays } = draft;
  if (changed.size !== 1 || listed.size + trees.size + ended.size + put.length + stale.length + delays.size > 0)
    return undefined;
  for (const [key, { before, now }] of changed) {
    if (now === undefined || now === before || now.session !== before?.session) return undefined;
    const writes: Put[] = [{ type: 'put', key: kvTopic(key), value: encodeEntry(now) }];
    if (history !== undefined && !isSameContent(before, now))
      writes.push(historyPut(recordOfKey(key, before, history), draft.revision));
    return { compares: comparesOf(draft), writes };
  }
  return undefined;
}

function txnOfAny(draft: DraftState, history: DraftHistory | undefined): Txn {
  const writes = new Map<string, Write>();
  const put = (key: string, value: string): void => void writes.set(key, { type: 'put', key, value });
  const remove = (key: string): void => void writes.set(key, { type: 'delete', key });
  const trees = wholeTrees(draft);
  for (const [key, { before, now }] of draft.changed) {
    if (now === undefined) {
      if (before === undefined || trees.some((prefix) => key.startsWith(prefix))) continue;
      remove(kvTopic(key));
      put(TOMB_FAMILY + key, '{}');
    } else if (now !== before) put(kvTopic(key), encodeEntry(now));
  }
  for (const prefix of trees) put(TREE_TOMB_FAMILY + prefix, '{}');
  for (const { id, key } of endedLocks(draft, trees)) remove(sessionLockKey(id, key));
  for (const [key, { before, now }] of draft.changed)
    if (now?.session !== undefined && now.session !== before?.session) put(sessionLockKey(now.session, key), '{}');
  for (const session of draft.put) put(sessionKey(session.id), JSON.stringify(session));
  for (const session of draft.ended.values()) {
    remove(sessionKey(session.id));
    for (const topic of topicsOfSession(session)) put(tombKey(topic), '{}');
  }
  for (const [key, delayMs] of draft.delays) put(lockDelayKey(key), JSON.stringify({ ms: delayMs }));
  if (history !== undefined) for (const write of historyOf(draft, trees, history)) writes.set(write.key, write);
  const ranges = trees.map((prefix): Write => ({ type: 'delete-range', range: prefixRange(ENTRY_FAMILY + prefix) }));
  return { compares: comparesOf(draft), unchanged: unchangedOf(draft), writes: [...ranges, ...writes.values()] };
}

/** Deleted prefixes under which nothing is left, without those within another: one write each. */
function wholeTrees({ changed, trees }: DraftState): string[] {
  const whole = [...trees].filter((prefix) =>
    changed.entries().every(([key, { now }]) => now === undefined || !key.startsWith(prefix)),
  );
  return whole.filter((prefix) => !whole.some((other) => other !== prefix && prefix.startsWith(other)));
}

function* endedLocks(draft: DraftState, trees: readonly string[]): Iterable<{ id: string; key: string }> {
  yield* draft.stale;
  let left = MAX_TREE_LOCKS;
  for (const [key, { before, now }] of draft.changed) {
    if (before?.session === undefined || before.session === now?.session) continue;
    if (trees.some((prefix) => key.startsWith(prefix)) && left-- <= 0) continue;
    yield { id: before.session, key };
  }
}

function comparesOf({ read }: DraftState): Compare[] {
  return [...read].map(([key, modRevision]) => ({ key, modRevision }));
}

/** Deletions show in tombstones; a recursive one around a prefix may have any prefix, so none at all may have been. */
function unchangedOf({ revision, listed, ended }: DraftState): Unchanged[] {
  const ranges = [...listed].flatMap((prefix) => [
    prefixRange(ENTRY_FAMILY + prefix),
    prefixRange(TOMB_FAMILY + prefix),
  ]);
  if (listed.size > 0) ranges.push(prefixRange(TREE_TOMB_FAMILY));
  for (const id of ended.keys()) ranges.push(prefixRange(sessionLockPrefix(id)));
  return ranges.map((range) => ({ range, since: revision }));
}

/** A record for each key whose value or flags became different, one for a recursive delete: a lock alone leaves none. */
function historyOf(draft: DraftState, trees: readonly string[], history: DraftHistory): Put[] {
  const records: HistoryRecord[] = [];
  for (const [key, { before, now }] of draft.changed) {
    if (trees.some((prefix) => key.startsWith(prefix)) || isSameContent(before, now)) continue;
    records.push(recordOfKey(key, before, history));
  }
  for (const prefix of trees) {
    const taken = takenBy(draft, prefix);
    const beforeRevision = taken.reduce((highest, entry) => Math.max(highest, entry.modRevision), 0);
    const values = taken.values().map((entry) => ({
      key: entry.key,
      get value() {
        return encodeEntry(entry);
      },
    }));
    records.push({
      kind: 'kvtree',
      subject: prefix,
      ...history,
      before: treeBefore(values, TREE_BYTES),
      beforeRevision,
    });
  }
  return records.map((record) => historyPut(record, draft.revision));
}

function recordOfKey(subject: string, before: KvEntry | undefined, { author, at }: DraftHistory): HistoryRecord {
  const text = before === undefined ? null : encodeEntry(before);
  return { kind: 'kv', subject, author, at, before: text, beforeRevision: before?.modRevision ?? 0 };
}

function takenBy({ changed }: DraftState, prefix: string): KvEntry[] {
  const all = [...changed.values()].map(({ before }) => before).filter((entry) => entry !== undefined);
  return all.filter(({ key }) => key.startsWith(prefix)).toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** Whether two entries say the same to those who read them, locks apart. */
export function isSameContent(a: KvEntry | undefined, b: KvEntry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || (a.flags === b.flags && a.value.equals(b.value));
}
