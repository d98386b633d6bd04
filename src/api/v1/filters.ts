import { topic, type CatalogNode, type Instance } from '../../registry/index.ts';
import type { Query } from './query.ts';

/** `node-meta=key:value`, all of which a node must have. */
export type MetaFilter = readonly (readonly [key: string, value: string])[];

const NO_FILTER: readonly never[] = Object.freeze([]);

/** The node metadata that a query asks for. */
export function metaFilter(query: Query): MetaFilter {
  if (!query.has('node-meta')) return NO_FILTER;
  return query.getAll('node-meta').map((pair) => {
    const colon = pair.indexOf(':');
    return colon < 0 ? ([pair, ''] as const) : ([pair.slice(0, colon), pair.slice(colon + 1)] as const);
  });
}

/** Whether a node has all of it. */
export function matchesMeta(node: CatalogNode, filter: MetaFilter): boolean {
  return filter.every(([key, value]) => Object.hasOwn(node.record.meta, key) && node.record.meta[key] === value);
}

/** What an answer depends on beside its own topics when it is filtered by node metadata. */
export function nodeTopics(filter: MetaFilter): readonly string[] {
  return filter.length === 0 ? NO_FILTER : [topic.nodes];
}

/** `tag=…`, all of which an instance must have, in lower case. */
export function tagFilter(query: Query): readonly string[] {
  return query.has('tag') ? query.getAll('tag').map((tag) => tag.toLowerCase()) : NO_FILTER;
}

/** Whether an instance has all of the tags, in any case. */
export function hasTags(instance: Instance, tags: readonly string[]): boolean {
  if (tags.length === 0) return true;
  const own = instance.record.tags.map((tag) => tag.toLowerCase());
  return tags.every((tag) => own.includes(tag));
}
