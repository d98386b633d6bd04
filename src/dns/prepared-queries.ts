import type { Authority } from '../access/index.ts';
import type { Instance } from '../registry/index.ts';

/** What a prepared query gives at the moment. */
export interface ExecutedQuery {
  readonly service: string;
  /** Those that are well, filtered and in the query's order. */
  readonly instances: readonly Instance[];
  /** Of its `DNS.TTL`; null when it says none. */
  readonly ttlSeconds: number | null;
  /** Whether the order means something and is to be kept. */
  readonly isOrdered: boolean;
  /** What of it may be seen, where a token is bound to the query; else what DNS questions may. */
  readonly authority?: Authority;
}

/** Executes prepared queries; undefined when there is none of that name or id, an error when it cannot be executed. */
export interface PreparedQueries {
  /** `source` is the address of who asks; empty when unknown. */
  execute(nameOrId: string, options: { readonly source: string }): ExecutedQuery | undefined;
}
