import fc from 'fast-check';
import type { Batch, Compare, Entry, Revision, Store, Txn, Unchanged, Write } from './contract.ts';
import { inRange, prefixRange } from './contract.ts';

/** Every key of a store. */
export const ALL = prefixRange('');

/** The obvious store: a plain map, rebuilt whole at every step. Tests compare the real ones with it. */
export class ModelStore {
  entries = new Map<string, Entry>();
  revision: Revision;

  constructor(revision: Revision) {
    this.revision = revision;
  }

  /** Whether the transaction's compares hold; its writes are done if they do. */
  commit(txn: Txn): boolean {
    const holds = ({ key, modRevision }: Compare): boolean => (this.entries.get(key)?.modRevision ?? 0) === modRevision;
    if (!txn.compares.every(holds)) return false;
    const isUnchanged = ({ range, since }: Unchanged): boolean =>
      [...this.entries.values()].every((entry) => !inRange(range, entry.key) || entry.modRevision <= since);
    if (!(txn.unchanged ?? []).every(isUnchanged)) return false;
    const next = new Map(this.entries);
    for (const write of txn.writes) this.#write(next, write);
    const changed = txn.writes.some((write) => write.type === 'put') || next.size !== this.entries.size;
    if (changed) this.revision++;
    this.entries = next;
    return true;
  }

  #write(next: Map<string, Entry>, write: Write): void {
    if (write.type === 'put') {
      const revision = this.revision + 1;
      const createRevision = next.get(write.key)?.createRevision ?? revision;
      next.set(write.key, { key: write.key, value: write.value, createRevision, modRevision: revision });
    } else {
      const gone = (key: string): boolean => (write.type === 'delete' ? key === write.key : inRange(write.range, key));
      for (const key of next.keys()) if (gone(key)) next.delete(key);
    }
  }

  /** The entries in byte order of their keys. */
  sorted(): Entry[] {
    return sortEntries(this.entries.values());
  }
}

/** Entries in byte order of their keys. */
export function sortEntries(entries: Iterable<Entry>): Entry[] {
  return [...entries].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** The state that a watch of everything adds up to, on top of `from`. */
export function replay(batches: readonly Batch[], from: readonly Entry[] = []): Entry[] {
  const state = new Map(from.map((entry) => [entry.key, entry]));
  for (const batch of batches) {
    for (const event of batch.events) {
      if (event.type === 'put') state.set(event.entry.key, event.entry);
      else state.delete(event.key);
    }
  }
  return sortEntries(state.values());
}

/** All batches after a revision up to the store's present one. */
export async function history(store: Store, after: Revision): Promise<Batch[]> {
  const until = store.status().revision;
  const found: Batch[] = [];
  if (until <= after) return found;
  const abort = new AbortController();
  for await (const batch of store.watch(ALL, after, abort.signal)) {
    found.push(batch);
    if (batch.revision >= until) abort.abort();
  }
  return found;
}

/** A step whose compares are filled in from the model when it is run: `stale` ones are wrong on purpose. */
export interface ModelStep {
  readonly writes: readonly Write[];
  readonly compared: readonly string[];
  /** A range that is compared, and how many revisions back. */
  readonly unchanged?: { readonly prefix: string; readonly ago: number } | undefined;
  readonly stale: boolean;
}

const byte = fc.constantFrom('a', 'b', '/', '\0', '\u{7f}', '\u{e9}', '\u{ff}');
const key = fc.string({ unit: byte, minLength: 1, maxLength: 2 });
// Every code point but surrogates. The library's own unit for that is a table that takes seconds to make.
const codePoint = fc.oneof(fc.integer({ min: 0, max: 0xd7_ff }), fc.integer({ min: 0xe0_00, max: 0x10_ff_ff }));
const value = fc.string({ unit: codePoint.map((code) => String.fromCodePoint(code)), maxLength: 12 });

/** Random transactions over a handful of keys, so that they meet. */
export const modelSteps: fc.Arbitrary<ModelStep[]> = fc.array(
  fc.record({
    writes: fc
      .uniqueArray(
        fc.oneof(
          { weight: 6, arbitrary: fc.record({ type: fc.constant('put' as const), key, value }) },
          { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
          {
            weight: 1,
            arbitrary: key.map((prefix) => ({ type: 'delete-range' as const, range: prefixRange(prefix) })),
          },
        ),
        { maxLength: 4, comparator: collide },
      )
      .map((writes): Write[] => writes),
    compared: fc.uniqueArray(key, { maxLength: 2 }),
    unchanged: fc.option(fc.record({ prefix: key, ago: fc.nat(4) }), { nil: undefined, freq: 3 }),
    stale: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
  }),
  { minLength: 1, maxLength: 25 },
);

/** The transaction of a step, as one who knows the model would write it. */
export function txnOf(step: ModelStep, model: ModelStore): Txn {
  const compares = step.compared.map((name) => {
    const modRevision = model.entries.get(name)?.modRevision ?? 0;
    return { key: name, modRevision: step.stale ? modRevision + 1 : modRevision };
  });
  if (step.unchanged === undefined) return { compares, writes: step.writes };
  const { prefix, ago } = step.unchanged;
  const unchanged = [{ range: prefixRange(prefix), since: Math.max(0, model.revision - ago) }];
  return { compares, unchanged, writes: step.writes };
}

/** Two writes that may touch one key, which a transaction must not. */
function collide(a: Write, b: Write): boolean {
  if (a.type === 'delete-range' && b.type === 'delete-range')
    return a.range.start < b.range.end && b.range.start < a.range.end;
  if (a.type === 'delete-range') return b.type !== 'delete-range' && inRange(a.range, b.key);
  if (b.type === 'delete-range') return inRange(b.range, a.key);
  return a.key === b.key;
}
