import type { Entry, StoreEvent } from '../store/index.ts';
import type { Projection } from './feed.ts';

/** The events that lead from what the projections hold to `entries`: deletions first. Tombstones are always put again, which is harmless. */
export function differenceEvents(projections: readonly Projection[], entries: readonly Entry[]): StoreEvent[] {
  const changed = new Map(entries.map((entry) => [entry.key, entry]));
  const gone = new Set<string>();
  const same = new Set<string>();
  for (const projection of projections) {
    for (const { key, modRevision } of projection.held()) {
      const entry = changed.get(key);
      if (entry === undefined) gone.add(key);
      else if (entry.modRevision === modRevision) same.add(key);
    }
  }
  for (const key of same) changed.delete(key);
  return [
    ...[...gone].map((key): StoreEvent => ({ type: 'delete', key })),
    ...changed.values().map((entry): StoreEvent => ({ type: 'put', entry })),
  ];
}
