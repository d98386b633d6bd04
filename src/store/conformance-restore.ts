import { describe, expect, test } from 'vitest';
import type { StoreUnderTest } from './conformance.ts';
import type { Entry, Store } from './contract.ts';
import { prefixRange } from './contract.ts';
import { ALL } from './model.ts';

const entry = (key: string, createRevision: number, modRevision = createRevision): Entry => ({
  key,
  value: `restored ${key}`,
  createRevision,
  modRevision,
});

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
    test('replaces everything by entries with their revisions, and goes on above them', async () => {
      await using store = await target.start();
      await put(store, 'a', 'gone');
      const entries = [entry('a', 101, 105), entry('b', 103), entry('\u{ff}', 110)];
      expect(await store.restore(entries, 120)).toBe(120);
      expect(await store.read(ALL)).toEqual({ entries, revision: 120 });
      expect(await put(store, 'a')).toBe(121);
      const { entries: after } = await store.read(prefixRange('a'));
      expect(after).toEqual([{ key: 'a', value: 'a', createRevision: 101, modRevision: 121 }]);
      const compared = { compares: [{ key: 'b', modRevision: 103 }], writes: [] };
      expect((await store.commit(compared)).ok).toBe(true);
    });

    test('ends watches from before it, also those that wait, and takes those from after it', async () => {
      await using store = await target.start();
      const first = await put(store, 'a');
      const signal = new AbortController().signal;
      const waiting = store.watch(ALL, first, signal)[Symbol.asyncIterator]().next();
      await store.restore([entry('a', 101)], 120);
      await expect(waiting).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
      const follow = store.watch(ALL, 120, signal)[Symbol.asyncIterator]();
      await put(store, 'b');
      expect((await follow.next()).value).toMatchObject({ revision: 121 });
      await follow.return?.();
    });

    test('takes nothing half: what it refuses changes nothing', async () => {
      await using store = await target.start();
      const revision = await put(store, 'a');
      const before = await store.read(ALL);
      const refused: [readonly Entry[], number][] = [
        [[], revision],
        [[entry('x', revision)], 120],
        [[entry('x', 121)], 120],
        [[entry('x', 110, 105)], 120],
        [[entry('x', 110), entry('x', 111)], 120],
        [[entry('\u{100}', 110)], 120],
        [[{ ...entry('x', 110), value: '\u{d800}' }], 120],
      ];
      for (const [entries, at] of refused)
        await expect(store.restore(entries, at)).rejects.toMatchObject({ code: 'STORE_BAD_RESTORE' });
      expect(await store.read(ALL)).toEqual(before);
      expect(await put(store, 'b')).toBe(revision + 1);
    });

    test('takes keys from their leases, which end without them', async () => {
      await using store = await target.start();
      const lease = await store.lease(10_000);
      await store.commit({ compares: [], writes: [{ type: 'put', key: 'leased', value: '', lease }] });
      await store.restore([entry('leased', 101)], 120);
      await lease.revoke();
      expect((await store.read(ALL)).entries).toHaveLength(1);
    });
  });
  exceptTests(target);
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
