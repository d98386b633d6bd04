import type { CatalogReader } from './catalog-reader.ts';
import type { Feed } from './feed.ts';
import { PreparedQueries } from './prepared-queries.ts';
import type { PreparedState } from './prepared-state.ts';
import { PreparedWrites, type PreparedWritesOptions } from './prepared-writes.ts';

export interface PreparedPartsOptions {
  readonly state: PreparedState;
  readonly feed: Feed;
  readonly catalog: CatalogReader;
  /** The node that `_agent` stands for. */
  readonly agent: string;
  readonly session: PreparedWritesOptions['session'];
}

/** What executes prepared queries and what changes them. */
export interface PreparedParts {
  readonly preparedQueries: PreparedQueries;
  readonly preparedWrites: PreparedWrites;
}

/** Both, over one state. */
export function preparedParts({ state, feed, catalog, agent, session }: PreparedPartsOptions): PreparedParts {
  return {
    preparedQueries: new PreparedQueries({ state, catalog, agent }),
    preparedWrites: new PreparedWrites({ feed, state, session }),
  };
}
