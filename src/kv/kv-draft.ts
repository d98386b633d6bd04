import type { Revision, Txn } from '../store/index.ts';
import { txnOfDraft } from './draft-txn.ts';
import type { DraftHistory } from './draft-txn.ts';
import type { KvEntry } from './kv-entry.ts';
import { kvTopic } from './kv-keys.ts';
import type { Kv } from './kv.ts';
import { sessionKey } from './session-keys.ts';
import type { Session, SessionRecord } from './session-record.ts';
import type { Sessions } from './sessions.ts';

/** The revision of what a draft itself writes: that of its transaction, which nobody knows before it is committed. */
export const PENDING: Revision = 0;

/** What a draft begins with. */
export interface DraftBase {
  readonly kv: Pick<Kv, 'get' | 'list'>;
  readonly sessions: Pick<Sessions, 'get' | 'stored' | 'locked' | 'delays'>;
  /** The revision at which both stand. */
  readonly revision: Revision;
}

interface Changed {
  readonly before: KvEntry | undefined;
  readonly now: KvEntry | undefined;
}

/**
 * Keys and sessions as a transaction is to leave them. What is read sees what was written before in the same draft; all that
 * was read is compared when the transaction is committed, so that it happens on exactly this state or not at all. Pure.
 */
export class KvDraft {
  readonly #base: DraftBase;
  readonly #read = new Map<string, Revision>();
  /** What the base has, by key: looked for once. */
  readonly #known = new Map<string, KvEntry | undefined>();
  readonly #changed = new Map<string, Changed>();
  readonly #listed = new Set<string>();
  readonly #trees = new Set<string>();
  readonly #ended = new Map<string, Session>();
  readonly #put: SessionRecord[] = [];
  readonly #stale: { id: string; key: string }[] = [];
  readonly #delays = new Map<string, number>();

  constructor(base: DraftBase) {
    this.#base = base;
  }

  get(key: string): KvEntry | undefined {
    const changed = this.#changed.get(key);
    if (changed !== undefined) return changed.now;
    const entry = this.#before(key);
    this.#read.set(kvTopic(key), entry?.modRevision ?? 0);
    return entry;
  }

  /** Entries under a prefix, in order of key. */
  list(prefix: string): KvEntry[] {
    this.#listed.add(prefix);
    const found = this.#base.kv.list(prefix);
    if (this.#changed.size === 0) return found;
    const kept = found.filter(({ key }) => !this.#changed.has(key));
    for (const [key, { now }] of this.#changed) if (now !== undefined && key.startsWith(prefix)) kept.push(now);
    return kept.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** A session that something can be locked with. */
  session(id: string): Session | undefined {
    const session = this.#base.sessions.get(id);
    this.#read.set(sessionKey(id), this.#base.sessions.stored(id)?.modRevision ?? 0);
    return this.#ended.has(id) ? undefined : session;
  }

  /** Whether nobody may lock the key yet. */
  isDelayed(key: string): boolean {
    return this.#delays.has(key) || this.#base.sessions.delays.has(key);
  }

  /** Sets an entry; revisions are the draft's to say. */
  put(entry: Omit<KvEntry, 'createRevision' | 'modRevision'>): KvEntry {
    const known = this.get(entry.key);
    const now = { ...entry, createRevision: known?.createRevision ?? PENDING, modRevision: PENDING };
    this.#change(entry.key, now);
    return now;
  }

  delete(key: string): void {
    if (this.get(key) !== undefined) this.#change(key, undefined);
  }

  deleteTree(prefix: string): void {
    const entries = this.list(prefix);
    if (entries.length === 0) return;
    for (const { key } of entries) this.#change(key, undefined);
    this.#trees.add(prefix);
  }

  /** Puts a session's record as it is. */
  putSession(record: SessionRecord): void {
    this.session(record.id);
    this.#put.push(record);
  }

  /** Ends a session: what it holds goes as its behaviour says, and nobody may lock that for its lock-delay. */
  endSession(session: Session): void {
    this.session(session.id);
    this.releaseLocks(session, this.#base.sessions.locked(session.id));
    const own = [...this.#changed].filter(([, { now }]) => now?.session === session.id);
    for (const [key] of own) this.#release(session, key);
    this.#ended.set(session.id, session);
  }

  /** Takes these keys from a session that ends. */
  releaseLocks(session: Session, keys: readonly string[]): void {
    for (const key of keys) {
      if (this.get(key)?.session === session.id) this.#release(session, key);
      else if (this.#changed.get(key)?.before?.session !== session.id) this.#stale.push({ id: session.id, key });
    }
  }

  /**
   * The transaction; without writes when nothing becomes different. `isLoose` leaves out the compares of whole prefixes, for
   * recursive deletes of what others write to without pause.
   */
  toTxn(history: DraftHistory | undefined, isLoose = false): Txn {
    const txn = txnOfDraft(
      {
        revision: this.#base.revision,
        read: this.#read,
        listed: isLoose ? new Set() : this.#listed,
        changed: this.#changed,
        trees: this.#trees,
        ended: this.#ended,
        put: this.#put,
        stale: this.#stale,
        delays: this.#delays,
      },
      history,
    );
    return txn;
  }

  #release(session: Session, key: string): void {
    const entry = this.get(key);
    if (entry === undefined) return;
    const { session: _holder, ...free } = entry;
    if (session.behavior === 'delete') this.delete(key);
    else this.put(free);
    if (session.lockDelayMs > 0) this.#delays.set(key, session.lockDelayMs);
  }

  #before(key: string): KvEntry | undefined {
    const known = this.#known.get(key);
    if (known !== undefined || this.#known.has(key)) return known;
    const entry = this.#base.kv.get(key);
    this.#known.set(key, entry);
    return entry;
  }

  #change(key: string, now: KvEntry | undefined): void {
    const changed = this.#changed.get(key);
    this.#changed.set(key, { before: changed === undefined ? this.#before(key) : changed.before, now });
  }
}
