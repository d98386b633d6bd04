import type { Entry, KeyRange, Put, Revision } from './contract.ts';
import { prefixRange } from './contract.ts';

/** What changed: a key, all keys under a prefix, a definition, a datastore, something of access control. */
export type HistoryKind = 'kv' | 'kvtree' | 'def' | 'ds' | 'acl';

/** Who changed what, when, and what it was before (design 4). It is written in the transaction of the change itself. */
export interface HistoryRecord {
  readonly kind: HistoryKind;
  /** The store key of what changed, after its family: `a/b` of `kv/a/b`, `default/api` of `def/default/api`. */
  readonly subject: string;
  /** `token <accessor>`, or where an unnamed one came from. */
  readonly author: string;
  /** ISO time. */
  readonly at: string;
  /** The stored value before, as it stood; null when it was not there. Of a secret `sha256:` and its hash. */
  readonly before: string | null;
  /** The modification revision before; 0 when it was not there. */
  readonly beforeRevision: Revision;
}

/** A record with the revision that it tells of. */
export interface HistoryEntry extends HistoryRecord {
  readonly revision: Revision;
}

/** Who writes, for history. */
export interface Authored {
  /** `unknown` unless told. */
  readonly author?: string;
}

const FAMILY = 'hist/';
const DIGITS = 16;
const SIZE_DIGITS = 8;

/**
 * The write that goes with a change. `decidedAt` is the revision that the writer had applied when it decided: two changes
 * of one subject never share it, since each compares with what the one before left.
 */
export function historyPut(record: HistoryRecord, decidedAt: Revision): Put {
  const { author, ...rest } = record;
  // The author first: it is read of every change as it passes, without the rest.
  const value = JSON.stringify({ author, ...rest });
  // The size in the key: what history takes is known without reading it.
  const order = String(decidedAt).padStart(DIGITS, '0') + String(value.length).padStart(SIZE_DIGITS, '0');
  return { type: 'put', key: `${FAMILY}${record.kind}/${record.subject}\0${order}`, value };
}

/** Who made the change that a stored record tells of. @throws TypeError when it is not of drover's making */
export function historyAuthor(value: string): string {
  const [, author] = /^\{"author":("(?:[^"\\]|\\.)*")/.exec(value) ?? [];
  if (author === undefined) throw new TypeError('a record of history without its author');
  return JSON.parse(author) as string;
}

/** What a record's key says by itself; `decidedAt` puts the records of a subject in order. */
export interface HistoryKey {
  readonly kind: HistoryKind;
  readonly subject: string;
  readonly decidedAt: Revision;
}

/** Reads a record's key, with the characters of its value. Subjects hold any byte, so it is read from its end. */
export function historyKey(key: string): HistoryKey & { readonly size: number } {
  const slash = key.indexOf('/', FAMILY.length);
  return {
    kind: key.slice(FAMILY.length, slash) as HistoryKind,
    subject: key.slice(slash + 1, key.length - SIZE_DIGITS - DIGITS - 1),
    decidedAt: Number(key.slice(-SIZE_DIGITS - DIGITS, -SIZE_DIGITS)),
    size: Number(key.slice(-SIZE_DIGITS)),
  };
}

/** The records of a subject that were decided later, and some of others. */
export function historyAfter({ kind, subject, decidedAt }: HistoryKey): KeyRange {
  const { start, end } = historyRange(kind, subject);
  return { start: start + String(decidedAt + 1).padStart(DIGITS, '0'), end };
}

/** The records of a kind whose subject begins so, and some more: of kv all keys under a prefix. */
export function historyPrefixRange(kind: HistoryKind, prefix: string): KeyRange {
  return prefixRange(`${FAMILY}${kind}/${prefix}`);
}

/** The keys of all records, of those of a kind, or of one subject and of those whose name begins with it and a NUL. */
export function historyRange(kind?: HistoryKind, subject?: string): KeyRange {
  const within = kind === undefined ? '' : `${kind}/`;
  return prefixRange(FAMILY + within + (subject === undefined ? '' : `${subject}\0`));
}

/** @throws SyntaxError when the entry is not of drover's making */
export function historyEntry({ value, createRevision }: Entry): HistoryEntry {
  return { ...(JSON.parse(value) as HistoryRecord), revision: createRevision };
}
