import { SortedMap } from '../lib/index.ts';
import { floorKey, prefixOfTopic } from '../registry/index.ts';
import type { ChangeBuilder, Held, Projection } from '../registry/index.ts';
import { prefixRange } from '../store/index.ts';
import type { Batch, Entry, Revision, StoreEvent } from '../store/index.ts';
import { decodeEntry } from './kv-entry.ts';
import type { KvEntry } from './kv-entry.ts';
import { KvIndex } from './kv-index.ts';
import { displayKey, ENTRY_FAMILY, KV_FAMILIES, kvTopic, TOMB_FAMILY, TREE_TOMB_FAMILY } from './kv-keys.ts';

/** So many keys of one revision are named to people; then only how many more. */
const MAX_NAMED = 10;

export interface KvOptions {
  /** Told of entries that drover did not write and cannot read; they are left out. */
  readonly report?: (error: unknown) => void;
}

/** The region's keys and values in memory. Keys are raw bytes as latin1 text, in byte order. */
export class Kv implements Projection {
  readonly families = KV_FAMILIES;
  readonly #report: (error: unknown) => void;
  readonly #entries = new SortedMap<KvEntry>();
  readonly #index = new KvIndex();

  constructor(options: KvOptions = {}) {
    this.#report = options.report ?? (() => {});
  }

  get(key: string): KvEntry | undefined {
    return this.#entries.get(key);
  }

  /** Entries whose key begins with `prefix`, in byte order; the empty prefix is every key. */
  list(prefix: string): KvEntry[] {
    const found: KvEntry[] = [];
    this.#each(prefix, (entry) => void found.push(entry));
    return found;
  }

  /**
   * Keys that begin with `prefix` and that the reader sees, in byte order. With a separator each is cut after the first one
   * past the prefix, and equal ones are given once.
   */
  keys(prefix: string, separator = '', sees: (key: string) => boolean = () => true): string[] {
    const found: string[] = [];
    this.#each(prefix, ({ key }) => {
      if (!sees(key)) return;
      const at = separator === '' ? -1 : key.indexOf(separator, prefix.length);
      const cut = at < 0 ? key : key.slice(0, at + separator.length);
      if (found.at(-1) !== cut) found.push(cut);
    });
    return found;
  }

  /** The index of a topic made with `kvTopic` or `kvPrefixTopic`; 1 for what never was. */
  index(topic: string): Revision {
    const prefix = prefixOfTopic(topic);
    if (prefix === undefined) return this.#index.ofKey(topic.slice(ENTRY_FAMILY.length));
    return this.#index.ofPrefix(prefix.slice(ENTRY_FAMILY.length));
  }

  load(entries: Iterable<Entry>, _revision: Revision): void {
    this.#entries.clear();
    this.#index.clear();
    for (const entry of entries) this.#attempt(() => this.#put(entry));
  }

  apply(batch: Batch, change: ChangeBuilder): void {
    const named: string[] = [];
    let more = 0;
    // A deletion comes with its tombstone in the same revision: the tombstone has the last word.
    for (const event of batch.events) if (event.type === 'delete') this.#remove(event.key);
    for (const event of batch.events) {
      if (event.type === 'put') this.#attempt(() => this.#put(event.entry));
      const key = keyOf(event);
      if (!key.startsWith(ENTRY_FAMILY)) continue;
      change.topics.add(key);
      if (named.length === MAX_NAMED) more++;
      else named.push(`kv ${displayKey(key.slice(ENTRY_FAMILY.length))}${event.type === 'delete' ? ' gone' : ''}`);
    }
    change.summary.push(...named);
    if (more > 0) change.summary.push(`and ${more} more keys`);
  }

  *held(): Iterable<Held> {
    for (const { key, modRevision } of this.#entries.values()) yield { key: kvTopic(key), modRevision };
  }

  #put(entry: Entry): void {
    const { key, modRevision } = entry;
    if (key.startsWith(TREE_TOMB_FAMILY)) this.#index.touchTree(key.slice(TREE_TOMB_FAMILY.length), modRevision);
    else if (key.startsWith(TOMB_FAMILY)) this.#index.touch(key.slice(TOMB_FAMILY.length), modRevision);
    else if (key.startsWith(ENTRY_FAMILY)) {
      const decoded = decodeEntry(entry);
      this.#entries.set(decoded.key, decoded);
      this.#index.touch(decoded.key, modRevision);
    } else if (key === floorKey('kv'))
      this.#index.raiseFloor((JSON.parse(entry.value) as { revision: Revision }).revision);
  }

  #remove(key: string): void {
    if (key.startsWith(TREE_TOMB_FAMILY)) this.#index.forgetTree(key.slice(TREE_TOMB_FAMILY.length));
    else if (key.startsWith(TOMB_FAMILY)) {
      const name = key.slice(TOMB_FAMILY.length);
      if (!this.#entries.has(name)) this.#index.forget(name);
    } else if (key.startsWith(ENTRY_FAMILY)) {
      this.#entries.delete(key.slice(ENTRY_FAMILY.length));
      this.#index.forget(key.slice(ENTRY_FAMILY.length));
    }
  }

  #each(prefix: string, visit: (entry: KvEntry) => void): void {
    const { start, end } = prefixRange(prefix);
    this.#entries.forRange(start, end, false, (_key, entry) => visit(entry));
  }

  #attempt(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#report(error);
    }
  }
}

function keyOf(event: StoreEvent): string {
  return event.type === 'put' ? event.entry.key : event.key;
}
