import type { Entry } from './contract.ts';
import type { HistoryRecord } from './history-record.ts';

/** So much of what a recursive delete takes is kept, keys and values together. */
export const TREE_HISTORY_BYTES = 8 * 1024 * 1024;

interface TreeBefore {
  /** Key without its family, and its stored value as it stood. */
  readonly entries: readonly (readonly [key: string, value: string])[];
  /** How many more keys there were than are kept. */
  readonly left: number;
}

/**
 * `before` of a recursive delete: what it takes, in order of key, up to a bound. Keys come without their family.
 *
 * @example historyPut({ kind: 'kvtree', subject: 'a/', before: treeBefore([{ key: 'a/b', value: '{…}' }]), … }, decidedAt)
 */
export function treeBefore(entries: Iterable<Pick<Entry, 'key' | 'value'>>, maxBytes = TREE_HISTORY_BYTES): string {
  const kept: [string, string][] = [];
  let [bytes, left] = [0, 0];
  for (const entry of entries) {
    // Behind the bound no value is looked at: there may be a million, and who gives them makes each when it is asked for.
    if (bytes <= maxBytes) {
      const { key, value } = entry;
      bytes += key.length + value.length;
      if (bytes <= maxBytes) kept.push([key, value]);
    }
    if (bytes > maxBytes) left++;
  }
  return JSON.stringify({ entries: kept, left } satisfies TreeBefore);
}

/** What a recursive delete took, by key, as far as it was kept. */
export function treeValues({ before }: Pick<HistoryRecord, 'before'>): ReadonlyMap<string, string> {
  return new Map(parsed(before).entries);
}

/** How many keys a recursive delete took that were not kept. */
export function treeLeft({ before }: Pick<HistoryRecord, 'before'>): number {
  return parsed(before).left;
}

function parsed(before: string | null): TreeBefore {
  return before === null ? { entries: [], left: 0 } : (JSON.parse(before) as TreeBefore);
}
