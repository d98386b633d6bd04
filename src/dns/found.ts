import type { ResourceRecord } from '../message/index.ts';
import { RCODE } from '../message/index.ts';

/** One record of an answer. */
export interface Item {
  readonly record: ResourceRecord;
  /** Its share of first places among the answers. */
  readonly weight: number;
  /** What goes along with it as ADDITIONAL: the addresses of its target. */
  readonly additionals: readonly ResourceRecord[];
}

/** What a question finds, before it is ordered, limited and written. */
export interface Found {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly items: readonly Item[];
  readonly order: 'weight' | 'random' | 'fixed';
  /** At most this many items are the whole answer: leaving out others is no truncation. */
  readonly most: number;
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  /** Recursors are asked instead, where there are any: nobody here has a word on it. */
  readonly forward: boolean;
  /** A host name outside the zone to which the last item leads as CNAME: recursors know its addresses. */
  readonly outside: string | null;
  /** Whether others would be answered otherwise for the address that they ask from (RFC 7871). */
  readonly isForSource: boolean;
  /** What it was made from: `svc/<service>` and `node/<node>`, in lower case. */
  readonly dependsOn: readonly string[];
  /** Names that exist only because they were asked for must not fill the cache. */
  readonly isCacheable: boolean;
}

const NOTHING: Found = {
  rcode: RCODE.NOERROR,
  authoritative: true,
  items: [],
  order: 'fixed',
  most: Number.POSITIVE_INFINITY,
  authorities: [],
  additionals: [],
  forward: false,
  outside: null,
  isForSource: false,
  dependsOn: [],
  isCacheable: false,
};

/** A result from what differs to an empty, authoritative NOERROR. */
export const found = (parts: Partial<Found>): Found => ({ ...NOTHING, ...parts });

/** An item that stands for itself. */
export const item = (record: ResourceRecord, additionals: readonly ResourceRecord[] = [], weight = 1): Item => ({
  record,
  weight,
  additionals,
});
