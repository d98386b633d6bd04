/**
 * What a filter expression may speak of: the fields of a row, down to texts, numbers and flags. `texts` is a list of
 * texts, `map` has texts under any key, `[shape]` is a list of objects of which any element may match, and `['map', shape]`
 * has objects under any key.
 */
export type FilterShape =
  | 'text'
  | 'number'
  | 'flag'
  | 'texts'
  | 'map'
  | readonly [FilterFields]
  | readonly ['map', FilterFields]
  | FilterFields;

/** Fields by name, as they stand in selectors: `Node`, `ServiceTags`. */
export interface FilterFields {
  readonly [field: string]: FilterShape;
}
