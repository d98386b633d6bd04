import type { Batch, Committed, Conflict, Entry, Revision, Txn } from '../store/index.ts';

/** What one part keeps in memory of the store: fed once with everything, then with whole revisions. */
export interface Projection {
  /** Key families it wants, such as `kv/`. */
  readonly families: readonly string[];
  /** Replaces all state. Entries of its families only, in key order. */
  load(entries: Iterable<Entry>, revision: Revision): void;
  /** Applies the events of its families of one revision; called only when there are some. Adds what changed to `change`. */
  apply(batch: Batch, change: ChangeBuilder): void;
  /** Every key it holds, tombstones apart, in any order: what to compare with when history was compacted away. */
  held(): Iterable<Held>;
}

/** A key as a projection knows it. */
export interface Held {
  readonly key: string;
  readonly modRevision: Revision;
}

/** What one revision made different: for waiters (topics), for interest (the sets) and for people (the summary). */
export interface AppliedChange {
  readonly revision: Revision;
  /** ms on the monotonic clock when this server applied it. */
  readonly appliedAtMs: number;
  /** Set when everything after this revision came at once, because history had been compacted away: what each made different is not known. */
  readonly since?: Revision;
  /** `keys.ts` topic names, also of other parts (`kv/<key>`). */
  readonly topics: ReadonlySet<string>;
  /** Nodes whose record, liveness or own checks changed. */
  readonly nodes: ReadonlySet<string>;
  /** Services of which an instance changed: itself, its checks, or its node. */
  readonly services: ReadonlySet<string>;
  /** `<federation>/<id>`. */
  readonly definitions: ReadonlySet<string>;
  /** `<federation>/<name>`. */
  readonly datastores: ReadonlySet<string>;
  /** Such as `api@api-2 passing` or `datastore PRIMARY_DATABASE_URL`; no secrets. */
  readonly summary: readonly string[];
  /** Who made it, where history says so. */
  readonly author?: string;
  /**
   * It has no revision of its own: it is held here until the store takes writes again, or was missed before; `revision` is the last one
   * that is stored.
   */
  readonly held?: true;
}

/** Collects an AppliedChange while projections apply. */
export interface ChangeBuilder {
  readonly topics: Set<string>;
  readonly nodes: Set<string>;
  readonly services: Set<string>;
  readonly definitions: Set<string>;
  readonly datastores: Set<string>;
  readonly summary: string[];
  author?: string;
}

/** Shows something that is not stored, to everyone who follows the feed. */
export interface Holding {
  /** `show` changes projections, and says what that changed; false when it changed nothing. */
  hold(show: (change: ChangeBuilder) => boolean): void;
}

/** The one reader of the store in a server: loads all, follows one watch, and tells everyone about each revision in order. */
export interface Feed extends AsyncDisposable {
  /** The last revision applied to every projection. */
  readonly revision: Revision;
  /** Called for every revision, in order, in the same event-loop turn in which the projections changed. */
  onApplied(listen: (change: AppliedChange) => void): () => void;
  /** Commits and, when it succeeded, resolves after this server has applied it: reads that follow see it. */
  commit(txn: Txn): Promise<Committed | Conflict>;
  /** Resolves once `revision` is applied here. */
  applied(revision: Revision): Promise<void>;
}
