/** A filter expression, read. Several parts in a row are one node, so only brackets and `not` make it deep. */
export type FilterExpression =
  | { readonly type: 'or' | 'and'; readonly parts: readonly FilterExpression[] }
  | { readonly type: 'not'; readonly part: FilterExpression }
  | FilterMatch;

/** One comparison. `contains` is `in` with its sides turned. */
export interface FilterMatch {
  readonly type: 'match';
  readonly selector: FilterSelector;
  readonly operator: FilterOperator;
  /** `!=`, `not in`, `is not empty`, `not matches`. */
  readonly isNegated: boolean;
  /** Empty for `empty`. */
  readonly value: string;
}

export type FilterOperator = 'equal' | 'in' | 'empty' | 'matches';

/** Which field: the steps to it, and how it was written. */
export interface FilterSelector {
  readonly steps: readonly string[];
  readonly text: string;
}
