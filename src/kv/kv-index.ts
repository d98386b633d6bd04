import { SortedMap } from '../lib/index.ts';
import { prefixRange } from '../store/index.ts';
import type { Revision } from '../store/index.ts';

/** So many prefixes keep their index at hand; beyond, all are found again when asked for. */
const MAX_PREFIXES = 10_000;

/**
 * Indexes of keys and prefixes: the highest revision of entries and tombstones. A prefix that is asked for is remembered
 * and kept up to date, so that asking again costs nothing however many keys it has.
 */
export class KvIndex {
  /** Key → highest revision of its entry and its tombstone. */
  readonly #keys = new SortedMap<Revision>();
  /** Prefix of a recursive delete → its revision. */
  readonly #trees = new SortedMap<Revision>();
  readonly #prefixes = new Map<string, Revision>();
  /** Lengths of remembered prefixes. */
  readonly #lengths = new Set<number>();
  #floor: Revision = 1;

  /** 1 for a key that never was. */
  ofKey(key: string): Revision {
    return Math.max(this.#keys.get(key) ?? 0, this.#treesAround(key), this.#floor);
  }

  /** 1 for a prefix under which nothing ever was. */
  ofPrefix(prefix: string): Revision {
    const known = this.#prefixes.get(prefix) ?? this.#remember(prefix);
    return Math.max(known, this.#floor);
  }

  touch(key: string, revision: Revision): void {
    if ((this.#keys.get(key) ?? 0) < revision) this.#keys.set(key, revision);
    for (const length of this.#lengths) if (length <= key.length) this.#raise(key.slice(0, length), revision);
  }

  touchTree(prefix: string, revision: Revision): void {
    if ((this.#trees.get(prefix) ?? 0) < revision) this.#trees.set(prefix, revision);
    for (const known of this.#prefixes.keys())
      if (known.startsWith(prefix) || prefix.startsWith(known)) this.#raise(known, revision);
  }

  raiseFloor(revision: Revision): void {
    this.#floor = Math.max(this.#floor, revision);
  }

  /** A key that has no entry any more: what is left of it is in a tombstone, or below the floor. */
  forget(key: string): void {
    this.#keys.delete(key);
  }

  forgetTree(prefix: string): void {
    this.#trees.delete(prefix);
  }

  clear(): void {
    for (const table of [this.#keys, this.#trees, this.#prefixes, this.#lengths]) table.clear();
    this.#floor = 1;
  }

  #raise(prefix: string, revision: Revision): void {
    const known = this.#prefixes.get(prefix);
    if (known !== undefined && known < revision) this.#prefixes.set(prefix, revision);
  }

  #remember(prefix: string): Revision {
    if (this.#prefixes.size >= MAX_PREFIXES) {
      this.#prefixes.clear();
      this.#lengths.clear();
    }
    const revision = Math.max(highest(this.#keys, prefix), highest(this.#trees, prefix), this.#treesAround(prefix));
    this.#prefixes.set(prefix, revision);
    this.#lengths.add(prefix.length);
    return revision;
  }

  /** Of recursive deletes that took the key or prefix along. */
  #treesAround(key: string): Revision {
    if (this.#trees.isEmpty) return 0;
    let revision = 0;
    for (let length = 0; length <= key.length; length++)
      revision = Math.max(revision, this.#trees.get(key.slice(0, length)) ?? 0);
    return revision;
  }
}

function highest(revisions: SortedMap<Revision>, prefix: string): Revision {
  let found = 0;
  const { start, end } = prefixRange(prefix);
  revisions.forRange(start, end, false, (_key, revision) => {
    if (revision > found) found = revision;
  });
  return found;
}
