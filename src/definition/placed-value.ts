import type { KeyPath } from './describe.ts';

/** A value and where it stands: offsets in UTF-16 units. */
export interface PlacedValue {
  readonly value: unknown;
  readonly offset: number;
  /** Where its key stands, for the member of a map. */
  readonly keyOffset?: number;
  /** A number or boolean as it is written. */
  readonly written?: string;
  /** Members of a map by key, elements of a list by index. */
  readonly children?: ReadonlyMap<string | number, PlacedValue>;
}

/** What can be wrong with a text before its meaning is looked at. */
export type ReadProblem =
  | { readonly kind: 'syntax'; readonly offset: number; readonly message: string; readonly hint?: string }
  | {
      readonly kind: 'duplicate';
      readonly offset: number;
      readonly key: string;
      readonly firstOffset: number;
      readonly hint?: string;
    }
  | { readonly kind: 'depth'; readonly offset: number; readonly hint?: string };

export type ReadResult =
  | { readonly ok: true; readonly root: PlacedValue }
  | { readonly ok: false; readonly problems: readonly ReadProblem[] };

/** The value at a path, or the nearest one around it (`exact` false). */
export function placedAt(root: PlacedValue, path: KeyPath): { found: PlacedValue; exact: boolean } {
  let found = root;
  for (const step of path) {
    const next = found.children?.get(step) ?? alike(found, step);
    if (next === undefined) return { found, exact: false };
    found = next;
  }
  return { found, exact: true };
}

/** A check's keys are found in either of Consul's spellings (`TLSSkipVerify` for `tls_skip_verify`). */
function alike(within: PlacedValue, step: string | number): PlacedValue | undefined {
  if (typeof step === 'number' || within.children === undefined) return undefined;
  const wanted = squeeze(step);
  for (const [key, child] of within.children) if (typeof key === 'string' && squeeze(key) === wanted) return child;
  return undefined;
}

/** A key without underscores and in lower case. */
export function squeeze(key: string): string {
  return key.replaceAll('_', '').toLowerCase();
}

export interface Member {
  readonly key: string;
  readonly keyOffset: number;
  readonly child: PlacedValue;
}

/** A file full of duplicates need not name them all. */
const MOST_PROBLEMS = 20;

/** The value of a map; keys such as `__proto__` become plain members. Duplicates are added to `problems`. */
export function placedMap(offset: number, members: readonly Member[], problems: ReadProblem[]): PlacedValue {
  const children = new Map<string, PlacedValue>();
  const value: Record<string, unknown> = {};
  for (const { key, keyOffset, child } of members) {
    const first = children.get(key);
    if (first !== undefined) {
      if (problems.length < MOST_PROBLEMS)
        problems.push({ kind: 'duplicate', offset: keyOffset, key, firstOffset: first.keyOffset ?? first.offset });
      continue;
    }
    children.set(key, { ...child, keyOffset });
    Object.defineProperty(value, key, { value: child.value, writable: true, enumerable: true, configurable: true });
  }
  return { value, offset, children };
}

/** The value of a list. */
export function placedList(offset: number, elements: readonly PlacedValue[]): PlacedValue {
  return { value: elements.map((element) => element.value), offset, children: new Map(elements.entries()) };
}
