import type { CatalogNode } from '../../registry/index.ts';

/** `node-meta=key:value`, all of which a node must have. */
export type MetaFilter = readonly (readonly [key: string, value: string])[];

/** The node metadata that a query asks for. */
export function metaFilter(query: URLSearchParams): MetaFilter {
  return query.getAll('node-meta').map((pair) => {
    const colon = pair.indexOf(':');
    return colon < 0 ? ([pair, ''] as const) : ([pair.slice(0, colon), pair.slice(colon + 1)] as const);
  });
}

/** Whether a node has all of it. */
export function matchesMeta(node: CatalogNode, filter: MetaFilter): boolean {
  return filter.every(([key, value]) => node.record.meta[key] === value);
}
