import sortedBtree from 'sorted-btree';

/**
 * A map from text to values, kept in order of UTF-16 code units (byte order for latin1 keys): a B+ tree with cheap
 * ordered ranges. Everything of `sorted-btree` is there: `get`, `set`, `delete`, `forRange`, `getRange`, `entries`.
 */
export class SortedMap<V> extends sortedBtree.default<string, V> {
  constructor() {
    super(undefined, compareText);
  }
}

function compareText(a: string, b: string): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}
