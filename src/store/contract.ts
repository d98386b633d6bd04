/** A number that rises with every committed transaction: `meta/base` plus the engine's own revision. */
export type Revision = number;

/**
 * Keys from `start` up to but not including `end`, in byte order. Keys are latin1 strings: each char is one byte, so
 * that string order is byte order and KV keys can hold any byte. `prefixRange` and `keyRange` make the usual ones.
 */
export interface KeyRange {
  readonly start: string;
  readonly end: string;
}

export interface Entry {
  readonly key: string;
  /** Unicode text (JSON in every family); empty with `keysOnly`. */
  readonly value: string;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/** True when the key's modification revision is `modRevision`; 0 means "does not exist". */
export interface Compare {
  readonly key: string;
  readonly modRevision: Revision;
}

/** True while no key of the range was put after `since`. It sees no deletions: those who delete put tombstones beside. */
export interface Unchanged {
  readonly range: KeyRange;
  readonly since: Revision;
}

export type Write = Put | Delete | DeleteRange;

export interface Put {
  readonly type: 'put';
  readonly key: string;
  readonly value: string;
  readonly lease?: Lease;
}

export interface Delete {
  readonly type: 'delete';
  readonly key: string;
}

export interface DeleteRange {
  readonly type: 'delete-range';
  readonly range: KeyRange;
}

/**
 * One transaction: all compares hold and all writes happen at one revision, or nothing does. No key is written twice; at
 * most 512 compares and 512 writes. One that changes nothing (no writes, or only of absent keys) gets no revision of its
 * own: its outcome carries the current one.
 */
export interface Txn {
  readonly compares: readonly Compare[];
  /** More compares, of whole ranges. */
  readonly unchanged?: readonly Unchanged[];
  readonly writes: readonly Write[];
}

export interface Committed {
  readonly ok: true;
  readonly revision: Revision;
}

/** At least one compare failed and nothing was written; `entries` are the compared keys as they are now. */
export interface Conflict {
  readonly ok: false;
  readonly revision: Revision;
  readonly entries: readonly Entry[];
}

export type StoreEvent =
  | { readonly type: 'put'; readonly entry: Entry }
  | { readonly type: 'delete'; readonly key: string };

/**
 * All events of one revision. Watchers see whole revisions, in order, each once. Transactions that were committed together may share
 * one, when none of them looked at what another wrote; and a revision may have no events (a key of somebody else's in the same etcd).
 */
export interface Batch {
  readonly revision: Revision;
  readonly events: readonly StoreEvent[];
}

/** A lease of the store: keys put with it vanish, all in one revision, when it is not kept alive for its TTL. */
export interface Lease {
  readonly id: string;
  readonly ttlMs: number;
  /** Restarts the TTL. @throws STORE_LEASE_LOST when it is gone. */
  keepAlive(): Promise<void>;
  /** Ends the lease and deletes its keys; ending it twice is harmless. */
  revoke(): Promise<void>;
  /** Settles when the lease is gone, by revocation or expiry. */
  readonly lost: Promise<void>;
}

export interface StoreStatus {
  readonly engine: 'memory' | 'sqlite' | 'etcd';
  /** Whether the store takes writes now: an etcd leader is known; an embedded store has not failed. */
  readonly leaderKnown: boolean;
  /** ms since the store was last heard of; for embedded stores since they failed, and 0 before. */
  readonly lastContactMs: number;
  /** No space left: reads go on, writes fail with STORE_FULL. */
  readonly full: boolean;
  readonly version: string;
  readonly revision: Revision;
  /** The oldest revision after which `watch` can still begin. */
  readonly compacted: Revision;
  /** Why writes fail, when they do. */
  readonly failure?: string;
  /** What an operator should know of the engine's version. */
  readonly warning?: string;
  /** What the contents are known by: another one after a restore or migration, and elsewhere. Of stores of other machines. */
  readonly identity?: string;
}

/** A key that is held in memory, and the revision it is held at. */
export type HeldKey = readonly [key: string, modRevision: Revision];

/** A key that is not in memory as it is in the store: 0 where it is absent. */
export interface Difference {
  readonly key: string;
  readonly held: Revision;
  readonly stored: Revision;
}

export interface ReadOptions {
  readonly keysOnly?: boolean;
  /** At most so many entries, from the start of the range. */
  readonly limit?: number;
  readonly linearizable?: boolean;
  /** Entries of this range are left out. */
  readonly except?: KeyRange;
}

/**
 * The single source of truth (design 4): keys with revisions, atomic transactions, resumable watches, leases.
 * `memory`, `sqlite` and `etcd` pass one conformance suite; nothing above knows which one it has.
 */
export interface Store {
  /** Entries of the range in key order, all at `revision`. */
  read(range: KeyRange, options?: ReadOptions): Promise<{ readonly entries: Entry[]; readonly revision: Revision }>;
  /**
   * Resolves only when the outcome is durable. With an embedded engine watchers were told before; `Feed.commit` waits for it.
   *
   * @throws STORE_BAD_TXN, STORE_LEASE_LOST: nothing was written. STORE_FAILED, STORE_FULL, STORE_NO_LEADER, STORE_CLOSED: nothing was
   * acknowledged, but it may have happened
   */
  commit(txn: Txn): Promise<Committed | Conflict>;
  /**
   * Every revision greater than `after` that touches the range; ends when aborted.
   *
   * @throws STORE_COMPACTED when `after` is too old, STORE_CLOSED when the store closes first.
   */
  watch(range: KeyRange, after: Revision, signal: AbortSignal): AsyncIterable<Batch>;
  lease(ttlMs: number): Promise<Lease>;
  /** Forgets history up to and including `before`; state stays. */
  compact(before: Revision): Promise<void>;
  /**
   * Replaces everything by these entries, all or nothing; they keep the revisions they come with, and the store goes on at
   * `revision`. All of them lie above every revision ever given out. Watches end with STORE_COMPACTED; leases lose their keys.
   *
   * @throws STORE_BAD_RESTORE: nothing was changed
   */
  restore(entries: readonly Entry[], revision: Revision): Promise<Revision>;
  /**
   * Which keys of a range are not as they are held in memory as of `revision` (store.md 6.2). Only of engines whose watches may lose events.
   *
   * @throws STORE_COMPACTED when that revision is gone by now
   */
  difference?(held: Iterable<HeldKey>, range: KeyRange, revision: Revision): Promise<Difference[]>;
  status(): StoreStatus;
  [Symbol.asyncDispose](): Promise<void>;
}

/** All keys that begin with `prefix`; the empty prefix is every key. */
export function prefixRange(prefix: string): KeyRange {
  for (let end = prefix.length - 1; end >= 0; end--) {
    const byte = prefix.charCodeAt(end);
    if (byte < 0xff) return { start: prefix, end: prefix.slice(0, end) + String.fromCharCode(byte + 1) };
  }
  return { start: prefix, end: '\u{100}' };
}

/** Just this key. */
export function keyRange(key: string): KeyRange {
  return { start: key, end: `${key}\0` };
}

/** The parts of a range that are left when another is taken out of it, in order; none of them is empty. */
export function rangesWithout({ start, end }: KeyRange, except: KeyRange | undefined): KeyRange[] {
  if (except === undefined) return start < end ? [{ start, end }] : [];
  const before = { start, end: except.start < end ? except.start : end };
  const after = { start: except.end > start ? except.end : start, end };
  return [before, after].filter((part) => part.start < part.end);
}

/** Whether the key lies in the range. */
export function inRange(range: KeyRange, key: string): boolean {
  return key >= range.start && key < range.end;
}
