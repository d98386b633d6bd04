import type { Entry, Revision } from '../store/index.ts';

/** `pq/<id>`: a question for instances that is kept under a name (consul-http-api 11). */
export interface PreparedQueryRecord {
  /** A UUID. */
  readonly id: string;
  /** What it is asked for by; of a template what names begin with. Case does not count. */
  readonly name: string;
  /** It goes with this session; empty for none. */
  readonly session: string;
  /** AccessorID of the token that it is executed with; empty: whoever asks. */
  readonly accessor: string;
  /** Null for a query that is no template. */
  readonly template: PreparedTemplate | null;
  readonly service: PreparedService;
  /** `DNS.TTL` in Go's notation, as it was written; empty for none. */
  readonly dnsTtl: string;
}

/** Makes a query of every name that begins with the template's. */
export interface PreparedTemplate {
  /** RE2, for `${match(N)}`; empty for none. */
  readonly regexp: string;
  readonly removeEmptyTags: boolean;
}

/** Which instances are asked for. The texts of a template may hold `${name.full}` and its kin. */
export interface PreparedService {
  readonly service: string;
  /** In any case; those that begin with `!` an instance must not have. */
  readonly tags: readonly string[];
  readonly nodeMeta: Readonly<Record<string, string>>;
  readonly serviceMeta: Readonly<Record<string, string>>;
  /** Instances with warnings are left out. */
  readonly onlyPassing: boolean;
  /** Checks that do not count. */
  readonly ignoreCheckIds: readonly string[];
  /** A node's name, `_agent` or `_ip`: its instances first; empty for any order. */
  readonly near: string;
  readonly connect: boolean;
  readonly failover: PreparedFailover;
}

/** Where to look when this datacenter has no instance. */
export interface PreparedFailover {
  readonly nearestN: number;
  readonly datacenters: readonly string[];
  readonly targets: readonly { readonly datacenter: string; readonly peer: string }[];
}

/** A query as it stands in the store. */
export interface PreparedQuery {
  readonly record: PreparedQueryRecord;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

export const PREPARED_FAMILY = 'pq/';
/** The topic of all queries; deletions leave `tomb/pq`. */
export const PREPARED_TOPIC = 'pq';
export const preparedKey = (id: string): string => PREPARED_FAMILY + id;

/** Reads an entry of the family. @throws SyntaxError, TypeError when it is not of drover's making */
export function decodePrepared({ key, value, createRevision, modRevision }: Entry): PreparedQuery {
  const record = JSON.parse(value) as PreparedQueryRecord;
  if (preparedKey(record.id) !== key) throw new TypeError(`${key} holds the prepared query ${record.id}`);
  return { record, createRevision, modRevision };
}
