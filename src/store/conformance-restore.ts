import { describe, expect, test } from 'vitest';
import type { StoreUnderTest } from './conformance.ts';
import type { Entry, Store, Txn } from './contract.ts';
import { prefixRange } from './contract.ts';
import { ALL } from './model.ts';

type MakeEntry = (key: string, createRevision: number, modRevision?: number) => Entry;

/** Entries whose revisions lie above where a store stands, which need not begin at 0. */
function entriesAbove(start: number): MakeEntry {
  return (key, createRevision, modRevision = createRevision) => ({
    key,
    value: `restored ${key}`,
    createRevision: start + createRevision,
    modRevision: start + modRevision,
  });
}

async function put(store: Store, ...keys: string[]): Promise<number> {
  const { revision } = await store.commit({
    compares: [],
    writes: keys.map((key) => ({ type: 'put', key, value: key })),
  });
  return revision;
}

/** Restoring, and reading around a range. */
export function restoreConformance(target: StoreUnderTest): void {
  describe('restore()', () => {
    replaceTests(target);
    compareTests(target);
    effectTests(target);
  });
  exceptTests(target);
}

function replaceTests(target: StoreUnderTest): void {
  test('replaces everything by entries with their revisions, and goes on above them', async () => {
    await using store = await target.start();
    const start = await put(store, 'a', 'gone');
    const entry = entriesAbove(start);
    const entries = [entry('a', 101, 105), entry('b', 103), entry('\u{ff}', 110)];
    expect(await store.restore(entries, start + 120)).toBe(start + 120);
    expect(store.status().revision).toBe(start + 120);
    expect(await store.read(ALL)).toEqual({ entries, revision: start + 120 });
    expect((await store.read(ALL, { keysOnly: true })).entries).toEqual(entries.map((one) => ({ ...one, value: '' })));
    expect(await put(store, 'a')).toBe(start + 121);
    const { entries: after } = await store.read(prefixRange('a'));
    expect(after).toEqual([{ key: 'a', value: 'a', createRevision: start + 101, modRevision: start + 121 }]);
  });
}

function compareTests(target: StoreUnderTest): void {
  test('leaves compares right: of what was restored, of what was before, and of ranges', async () => {
    await using store = await target.start();
    const start = await put(store, 'a', 'b', 'c/1');
    const entry = entriesAbove(start);
    await store.restore([entry('a', 101, 105), entry('b', 103), entry('c/1', 110), entry('c/2', 104)], start + 120);
    const holds = async (txn: Omit<Txn, 'writes'>): Promise<boolean> => (await store.commit({ ...txn, writes: [] })).ok;
    const compare = (key: string, revision: number): Promise<boolean> =>
      holds({ compares: [{ key, modRevision: revision }] });
    const unchanged = (prefix: string, since: number): Promise<boolean> =>
      holds({ compares: [], unchanged: [{ range: prefixRange(prefix), since: start + since }] });
    expect([await compare('a', start + 105), await compare('b', start + 103)]).toEqual([true, true]);
    expect([await compare('a', start), await compare('a', start + 101), await compare('a', start + 120)]).toEqual([
      false,
      false,
      false,
    ]);
    expect([await compare('a', 0), await compare('d', 0)]).toEqual([false, true]);
    expect([await unchanged('c/', 110), await unchanged('c/', 109), await unchanged('c/2', 104)]).toEqual([
      true,
      false,
      true,
    ]);
    expect([await unchanged('', 120), await unchanged('c/', 0)]).toEqual([true, false]);
    const conflict = await store.commit({ compares: [{ key: 'b', modRevision: start }], writes: [] });
    expect(conflict).toMatchObject({ ok: false, entries: [entry('b', 103)] });
    await put(store, 'b');
    expect([await compare('b', start + 103), await compare('b', start + 121)]).toEqual([false, true]);
    await store.commit({ compares: [], writes: [{ type: 'delete', key: 'c/1' }] });
    expect([await unchanged('c/', 104), await compare('c/1', start + 110)]).toEqual([true, false]);
    await put(store, 'c/1');
    const { entries } = await store.read(prefixRange('c/'));
    expect(entries.map(({ createRevision }) => createRevision - start)).toEqual([123, 104]);
    expect(await unchanged('c/', 122)).toBe(false);
  });
}

function effectTests(target: StoreUnderTest): void {
  test('can be done again', async () => {
    await using store = await target.start();
    for (let round = 0; round < 3; round++) {
      const entry = entriesAbove(await put(store, 'a', `round ${round}`));
      await store.restore([entry('a', 101, 105), entry('b', 102)], entry('', 120).modRevision);
      expect((await store.read(ALL)).entries).toEqual([entry('a', 101, 105), entry('b', 102)]);
    }
  });

  test('ends watches from before it, also those that wait, and takes those from after it', async () => {
    await using store = await target.start();
    const first = await put(store, 'a');
    const signal = new AbortController().signal;
    // What a shared store does for it are revisions without events.
    const waiting = (async () => {
      for await (const { events } of store.watch(ALL, first, signal)) expect(events).toEqual([]);
    })();
    const entry = entriesAbove(first);
    const ended = expect(waiting).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
    await store.restore([entry('a', 101)], first + 120);
    await ended;
    const follow = store.watch(ALL, first + 120, signal)[Symbol.asyncIterator]();
    await put(store, 'b');
    expect((await follow.next()).value).toMatchObject({ revision: first + 121 });
    await follow.return?.();
  });

  test('takes nothing half: what it refuses changes nothing', async () => {
    await using store = await target.start();
    const revision = await put(store, 'a');
    const entry = entriesAbove(revision);
    const before = await store.read(ALL);
    const refused: [readonly Entry[], number][] = [
      [[], 0],
      [[entry('x', 0)], 120],
      [[entry('x', 121)], 120],
      [[entry('x', 110, 105)], 120],
      [[entry('x', 110), entry('x', 111)], 120],
      [[entry('\u{100}', 110)], 120],
      [[{ ...entry('x', 110), value: '\u{d800}' }], 120],
    ];
    for (const [entries, at] of refused)
      await expect(store.restore(entries, revision + at)).rejects.toMatchObject({ code: 'STORE_BAD_RESTORE' });
    expect(await store.read(ALL)).toEqual(before);
    expect(await put(store, 'b')).toBe(revision + 1);
  });

  test('takes keys from their leases, which end without them', async () => {
    await using store = await target.start();
    const lease = await store.lease(10_000);
    await store.commit({ compares: [], writes: [{ type: 'put', key: 'leased', value: '', lease }] });
    const start = store.status().revision;
    await store.restore([entriesAbove(start)('leased', 101)], start + 120);
    await lease.revoke();
    expect((await store.read(ALL)).entries).toHaveLength(1);
  });
}

function exceptTests(target: StoreUnderTest): void {
  test('read() leaves a range out, and counts what is left', async () => {
    await using store = await target.start();
    await put(store, 'a', 'b/1', 'b/2', 'c', 'd');
    const except = prefixRange('b/');
    const keys = async (range: typeof ALL, limit?: number): Promise<string[]> =>
      (await store.read(range, { except, ...(limit === undefined ? {} : { limit }) })).entries.map(({ key }) => key);
    expect(await keys(ALL)).toEqual(['a', 'c', 'd']);
    expect(await keys(ALL, 2)).toEqual(['a', 'c']);
    expect(await keys(prefixRange('b/'))).toEqual([]);
    expect(await keys(prefixRange('c'))).toEqual(['c']);
  });
}
