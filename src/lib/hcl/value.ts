/** Where something stands in an HCL text; lines and columns count from 1. */
export interface HclPlace {
  readonly line: number;
  readonly column: number;
}

/** What an attribute can be. A `HclBody` here is an object or what stands between a block's braces. */
export type HclValue = string | number | boolean | null | readonly HclValue[] | HclBody;

/** An attribute (`key = value`, no labels) or a block (`key "label" { … }`). */
export interface HclItem {
  readonly key: string;
  readonly labels: readonly string[];
  readonly value: HclValue;
  readonly place: HclPlace;
}

/** What stands between braces, or the whole text: keeps repeated blocks and attributes, in order. */
export interface HclBody {
  readonly items: readonly HclItem[];
  readonly place: HclPlace;
}

/** Tells a body from a list, which both are objects. */
export function isHclBody(value: HclValue): value is HclBody {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
