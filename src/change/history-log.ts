import {
  historyAfter,
  historyEntry,
  historyKey,
  historyPrefixRange,
  historyRange,
  keyRange,
  treeValues,
} from '../store/index.ts';
import type { Entry, HistoryEntry, HistoryKey, HistoryKind, KeyRange, Revision, Store } from '../store/index.ts';
import { secretHash } from '../registry/index.ts';

/** What of history is asked for. */
export interface HistoryQuery {
  readonly kind?: HistoryKind | undefined;
  /** Exactly this; of kv also what recursive deletes did to the key. Needs `kind`. */
  readonly subject?: string | undefined;
  /** Those that begin so; of kv also recursive deletes above and below. Needs `kind`. */
  readonly prefix?: string | undefined;
  /** Only later changes: after a revision, or from a time (ISO) on. */
  readonly since?: Revision | string | undefined;
  readonly limit: number;
  /** Who asks may see it. */
  sees?(change: { readonly kind: HistoryKind; readonly subject: string }): boolean;
}

/** A change as it is read: with what came of it. */
export interface HistoryItem extends HistoryEntry {
  /** Later changes of the subject were decided later. */
  readonly decidedAt: Revision;
  /** The stored value that it left; null when it left nothing. Of a secret its hash. */
  readonly after: string | null;
  /** Whether nothing has changed the subject since. */
  readonly isLatest: boolean;
}

/** A list ends when it holds more than this, however few changes that are. */
const MAX_BYTES = 8 * 1024 * 1024;

interface Found extends HistoryKey {
  readonly key: string;
  readonly revision: Revision;
}

/**
 * Reads history from the store by range: only keys of all that may be meant, and the records of what is shown. Newest first.
 *
 * @example
 * const [last] = await new HistoryLog(store).list({ kind: 'kv', subject: 'config/limit', limit: 1 });
 */
export class HistoryLog {
  readonly #store: Pick<Store, 'read'>;

  constructor(store: Pick<Store, 'read'>) {
    this.#store = store;
  }

  /** The latest changes that the query means, newest first; fewer where their values are large. */
  async list(query: HistoryQuery): Promise<HistoryItem[]> {
    const trees = await this.#find(historyRange('kvtree'));
    const oldestFirst = await this.#candidates(query, trees);
    const since =
      typeof query.since === 'string' ? await this.#revisionAt(oldestFirst, query.since) : (query.since ?? 0);
    const items: HistoryItem[] = [];
    let bytes = 0;
    for (let at = oldestFirst.length - 1; at >= 0 && items.length < query.limit && bytes <= MAX_BYTES; at--) {
      const one = foundOf(oldestFirst[at] as Entry);
      if (one.revision <= since) break;
      if (!isMeant(one, query) || query.sees?.(one) === false) continue;
      const item = await this.#item(one, trees, query.kind === 'kv' ? query.subject : undefined);
      if (item === undefined) continue;
      items.push(item);
      bytes += (item.before?.length ?? 0) + (item.after?.length ?? 0);
    }
    return items;
  }

  /** What one revision changed of a kind, or of one subject of it. A recursive delete counts among kv, also for one key. */
  async at(revision: Revision, kind: HistoryKind, subject?: string): Promise<HistoryItem[]> {
    const trees = await this.#find(historyRange('kvtree'));
    const own = kind === 'kvtree' ? trees : await this.#find(historyRange(kind, subject));
    const all = kind === 'kv' && subject === undefined ? [...own, ...trees] : own;
    const found = all.filter((one) => one.revision === revision && (subject === undefined || one.subject === subject));
    const items = await Promise.all(found.map((one) => this.#item(one, trees)));
    if (kind === 'kv' && subject !== undefined) items.push(await this.#sweptAt(revision, subject, trees));
    return items.filter((item) => item !== undefined);
  }

  /** What a recursive delete did to one key, as a change of that key. */
  async #sweptAt(revision: Revision, key: string, trees: readonly Found[]): Promise<HistoryItem | undefined> {
    const tree = trees.find((one) => one.revision === revision && key.startsWith(one.subject));
    const item = tree === undefined ? undefined : await this.#item(tree, trees, key);
    return item === undefined ? undefined : { ...item, kind: 'kv', subject: key };
  }

  /** Keys of records, the oldest first; their keys are read only when it is their turn, for there may be many. */
  async #candidates({ kind, subject, prefix }: HistoryQuery, trees: readonly Found[]): Promise<Entry[]> {
    const range = kind === undefined || subject !== undefined ? historyRange(kind, subject) : rangeOf(kind, prefix);
    const { entries } = await this.#store.read(range, { keysOnly: true });
    if (kind === 'kv') {
      const touched = trees.filter((tree) => covers(tree.subject, subject, prefix));
      for (const { key, revision } of touched)
        entries.push({ key, value: '', createRevision: revision, modRevision: revision });
    }
    return entries.toSorted((a, b) => a.createRevision - b.createRevision);
  }

  async #find(range: KeyRange): Promise<Found[]> {
    const { entries } = await this.#store.read(range, { keysOnly: true });
    return inOrder(entries.map(foundOf));
  }

  /** The last revision before a time: revisions rise with time, so it is looked for by halves. */
  async #revisionAt(oldestFirst: readonly Entry[], time: string): Promise<Revision> {
    const atMs = Date.parse(time);
    let [low, high] = [0, oldestFirst.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const entry = await this.#record(oldestFirst[middle] as Entry);
      if (entry === undefined || Date.parse(entry.at) < atMs) low = middle + 1;
      else high = middle;
    }
    return oldestFirst[low - 1]?.createRevision ?? 0;
  }

  /** Undefined when it was reaped meanwhile, or when a recursive delete did nothing to the key that is asked for. */
  async #item(one: Found, trees: readonly Found[], key?: string): Promise<HistoryItem | undefined> {
    const record = await this.#record(one);
    if (record === undefined) return undefined;
    if (one.kind === 'kvtree')
      return key === undefined ? wholeTree(record, one) : this.#ofTree(record, key, { one, trees });
    return { ...record, decidedAt: one.decidedAt, ...(await this.#outcome(one, trees)) };
  }

  async #ofTree(
    record: HistoryEntry,
    key: string,
    { one, trees }: { readonly one: Found; readonly trees: readonly Found[] },
  ): Promise<HistoryItem | undefined> {
    const was = treeValues(record).get(key);
    if (was === undefined) return undefined;
    const { isLatest } = await this.#outcome({ ...one, kind: 'kv', subject: key }, trees);
    return { ...record, decidedAt: one.decidedAt, before: was, after: null, isLatest };
  }

  /** What the subject was after a change: what the next one found, else what it is now. */
  async #outcome(one: Omit<Found, 'key'>, trees: readonly Found[]): Promise<Pick<HistoryItem, 'after' | 'isLatest'>> {
    const { kind, subject, revision } = one;
    const later = await this.#next(one);
    const swept = kind === 'kv' ? await this.#sweptAfter(subject, revision, later?.revision, trees) : undefined;
    if (swept !== undefined) return { after: swept, isLatest: false };
    if (later !== undefined) return { after: (await this.#record(later))?.before ?? null, isLatest: false };
    const current = await this.current(kind, subject);
    return { after: sayValue(kind, current), isLatest: true };
  }

  /** The next change of the same subject. */
  async #next(one: HistoryKey): Promise<Found | undefined> {
    const { entries } = await this.#store.read(historyAfter(one), { keysOnly: true, limit: 1 });
    const [first] = entries.map(foundOf);
    if (first === undefined || first.subject === one.subject) return first;
    // Another whose name begins with this one and a NUL.
    return (await this.#find(historyAfter(one))).find(({ subject }) => subject === one.subject);
  }

  /** What a later recursive delete found at a key, unless something else changed the key before it. */
  async #sweptAfter(
    key: string,
    after: Revision,
    before: Revision = Infinity,
    trees: readonly Found[],
  ): Promise<string | undefined> {
    for (const tree of trees) {
      if (tree.revision <= after || tree.revision >= before || !key.startsWith(tree.subject)) continue;
      const record = await this.#record(tree);
      const was = record === undefined ? undefined : treeValues(record).get(key);
      if (was !== undefined) return was;
    }
    return undefined;
  }

  /** Whether nothing that history knows of changed the subject after a revision. */
  async isLatest(
    kind: HistoryKind,
    subject: string,
    after: Pick<HistoryItem, 'revision' | 'decidedAt'>,
  ): Promise<boolean> {
    const trees = await this.#find(historyRange('kvtree'));
    return (await this.#outcome({ kind, subject, ...after }, trees)).isLatest;
  }

  /** The stored entry of a subject as it is now. */
  async current(kind: HistoryKind, subject: string): Promise<Entry | undefined> {
    const key = kind === 'acl' ? await this.#aclKey(subject) : `${kind === 'kvtree' ? 'kv' : kind}/${subject}`;
    return key === undefined ? undefined : this.#entry(key);
  }

  /** Tokens are stored by the hash of their secret and named by their accessor. */
  async #aclKey(subject: string): Promise<string | undefined> {
    if (!subject.startsWith('tok/')) return `acl/${subject}`;
    const accessor = await this.#entry(`acl/acc/${subject.slice('tok/'.length)}`);
    if (accessor === undefined) return undefined;
    return `acl/tok/${(JSON.parse(accessor.value) as { tok: string }).tok}`;
  }

  async #entry(key: string): Promise<Entry | undefined> {
    return (await this.#store.read(keyRange(key))).entries[0];
  }

  async #record({ key }: Pick<Found, 'key'>): Promise<HistoryEntry | undefined> {
    const entry = await this.#entry(key);
    return entry === undefined ? undefined : historyEntry(entry);
  }
}

/** Of kv also recursive deletes, which were looked at before. */
function isMeant(one: HistoryKey, { kind, subject }: HistoryQuery): boolean {
  return subject === undefined || one.kind !== kind || one.subject === subject;
}

function rangeOf(kind: HistoryKind, prefix: string | undefined): KeyRange {
  return prefix === undefined ? historyRange(kind) : historyPrefixRange(kind, prefix);
}

function inOrder(found: readonly Found[]): Found[] {
  return found.toSorted((a, b) => a.revision - b.revision || a.decidedAt - b.decidedAt);
}

/** Tokens made in legacy mode hold their secret. */
function withoutSecret(text: string): string {
  const { secret: _secret, ...record } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(record);
}

function foundOf({ key, createRevision }: Entry): Found {
  return { ...historyKey(key), key, revision: createRevision };
}

function wholeTree(record: HistoryEntry, { decidedAt }: Found): HistoryItem {
  return { ...record, decidedAt, after: null, isLatest: true };
}

function sayValue(kind: HistoryKind, entry: Entry | undefined): string | null {
  if (entry === undefined) return null;
  if (kind === 'ds') return secretHash(entry.value);
  return kind === 'acl' ? withoutSecret(entry.value) : entry.value;
}

/** Whether a recursive delete can have touched the key, or keys under the prefix; all when neither is named. */
function covers(tree: string, key: string | undefined, prefix: string = ''): boolean {
  if (key !== undefined) return key.startsWith(tree);
  return tree.startsWith(prefix) || prefix.startsWith(tree);
}
