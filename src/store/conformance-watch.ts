import { describe, expect, test, vi } from 'vitest';
import type { StoreUnderTest } from './conformance.ts';
import { prefixRange } from './contract.ts';
import type { Batch, KeyRange, Revision, Store } from './contract.ts';
import { ALL, history } from './model.ts';

async function put(store: Store, ...keys: string[]): Promise<Revision> {
  const writes = keys.map((key) => ({ type: 'put', key, value: `value of ${key}` }) as const);
  return (await store.commit({ compares: [], writes })).revision;
}

/** Watches until `count` batches came, then aborts. */
async function take(store: Store, range: KeyRange, after: Revision, count: number): Promise<Batch[]> {
  const abort = new AbortController();
  const batches: Batch[] = [];
  for await (const batch of store.watch(range, after, abort.signal)) {
    batches.push(batch);
    if (batches.length === count) abort.abort();
  }
  return batches;
}

/** Watches everything until so many events came. */
async function takeEvents(store: Store, after: Revision, count: number): Promise<Batch[]> {
  const abort = new AbortController();
  const batches: Batch[] = [];
  let events = 0;
  for await (const batch of store.watch(ALL, after, abort.signal)) {
    batches.push(batch);
    events += batch.events.length;
    if (events >= count) abort.abort();
  }
  return batches;
}

/** Watching. */
export function watchConformance(target: StoreUnderTest): void {
  describe('watch()', () => {
    completenessTests(target);
    orderTests(target);
  });
  describe('watch() ends', () => endTests(target));
}

function completenessTests(target: StoreUnderTest): void {
  test('gives whole revisions in order, each once, while writers go on', async () => {
    await using store = await target.start();
    const start = store.status().revision;
    const watched = takeEvents(store, start, 240);
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let round = 0; round < 30; round++) await put(store, `w${writer}/a${round}`, `w${writer}/b${round}`);
    });
    const batches = await watched;
    await Promise.all(writers);
    expect(batches.map((batch) => batch.revision)).toEqual(batches.map((_, index) => start + 1 + index));
    if (target.isShared !== true) expect(batches).toHaveLength(120);
    const found = batches.map(({ events }) =>
      events.map((event) => (event.type === 'put' ? event.entry.key : event.key)),
    );
    for (const keys of found) {
      const firsts = keys.filter((key) => key.includes('/a'));
      expect(keys.toSorted()).toEqual(firsts.flatMap((key) => [key, key.replace('/a', '/b')]).toSorted());
    }
    expect(new Set(found.flat()).size).toBe(240);
  });

  test('resumes after every revision without loss or repetition', async () => {
    await using store = await target.start();
    const start = store.status().revision;
    for (let index = 0; index < 20; index++) await put(store, `k${index % 3}`);
    const all = await history(store, start);
    for (let index = 0; index <= 20; index++) expect(await history(store, start + index)).toEqual(all.slice(index));
  });

  test('gives only what touches its range', async () => {
    await using store = await target.start();
    const start = store.status().revision;
    await put(store, 'a/1', 'b/1');
    await put(store, 'b/2');
    const deleted = await store.commit({
      compares: [],
      writes: [
        { type: 'delete', key: 'a/1' },
        { type: 'delete', key: 'a/absent' },
        { type: 'delete', key: 'b/1' },
      ],
    });
    const batches = await take(store, prefixRange('a/'), start, 2);
    expect(batches.map((batch) => batch.revision)).toEqual([start + 1, deleted.revision]);
    expect(batches[0]?.events).toMatchObject([{ type: 'put', entry: { key: 'a/1', value: 'value of a/1' } }]);
    expect(batches[1]?.events).toEqual([{ type: 'delete', key: 'a/1' }]);
  });
}

function orderTests(target: StoreUnderTest): void {
  test('waits for a revision that has not come yet', async () => {
    await using store = await target.start();
    const next = store.status().revision + 2;
    const watched = take(store, ALL, next, 1);
    await put(store, 'one');
    await put(store, 'two');
    await put(store, 'three');
    expect((await watched)[0]?.revision).toBe(next + 1);
  });

  test('knows of a commit when its promise resolves', async () => {
    await using store = await target.start();
    const abort = new AbortController();
    let seen = 0;
    const watching = (async () => {
      for await (const batch of store.watch(ALL, store.status().revision, abort.signal)) seen = batch.revision;
    })();
    for (let round = 0; round < 10; round++) {
      const revision = await put(store, 'k');
      await new Promise((resolve) => process.nextTick(resolve));
      if (target.isShared === true) await vi.waitFor(() => expect(seen).toBe(revision), { interval: 1 });
      expect(seen).toBe(revision);
    }
    abort.abort();
    await watching;
  });

  test('of a slow reader misses nothing that history still has', async () => {
    await using store = await target.start({ historyRevisions: 50 });
    const start = store.status().revision;
    await put(store, 'k');
    const abort = new AbortController();
    const seen: Revision[] = [];
    for await (const batch of store.watch(ALL, start, abort.signal)) {
      seen.push(batch.revision);
      if (seen.length <= 20) await Promise.all([put(store, 'k'), put(store, 'k'), put(store, 'k')]);
      if (seen.length === 61) abort.abort();
    }
    expect(seen).toEqual(seen.map((_, index) => start + 1 + index));
    expect(seen).toHaveLength(61);
  });
}

function endTests(target: StoreUnderTest): void {
  test('quietly when aborted, waiting or not', async () => {
    await using store = await target.start();
    const abort = new AbortController();
    const watching = (async () => {
      for await (const batch of store.watch(ALL, store.status().revision, abort.signal)) expect(batch).toBeUndefined();
      return 'ended';
    })();
    await new Promise(setImmediate);
    abort.abort();
    expect(await watching).toBe('ended');
    const before = store.status().revision;
    await put(store, 'k');
    for await (const batch of store.watch(ALL, before, abort.signal)) expect(batch).toBeUndefined();
  });

  test('with STORE_COMPACTED when it begins before what history holds', async () => {
    await using store = await target.start();
    const start = store.status().revision;
    for (let index = 0; index < 5; index++) await put(store, 'k');
    await store.compact(start + 3);
    expect(store.status().compacted).toBe(start + 3);
    await expect(take(store, ALL, start + 2, 1)).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
    expect((await take(store, ALL, start + 3, 2)).map((batch) => batch.revision)).toEqual([start + 4, start + 5]);
    await store.compact(start + 1);
    expect(store.status().compacted).toBe(start + 3);
    expect((await store.read(ALL)).entries).toHaveLength(1);
  });

  test('with STORE_COMPACTED when it is slower than history is long', async () => {
    await using store = await target.start({ historyRevisions: 10 });
    const start = store.status().revision;
    await put(store, 'k');
    const watch = store.watch(ALL, start, new AbortController().signal)[Symbol.asyncIterator]();
    expect((await watch.next()).done).toBe(false);
    for (let index = 0; index < 12; index++) await put(store, 'k');
    await expect(watch.next()).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
  });

  test('with STORE_CLOSED when the store closes, after all that was committed before', async () => {
    const store = await target.start();
    const start = store.status().revision;
    const seen: Revision[] = [];
    const watching = (async () => {
      for await (const batch of store.watch(ALL, start, new AbortController().signal)) seen.push(batch.revision);
    })();
    const ended = expect(watching).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    const commits = [put(store, 'a'), put(store, 'b')];
    await store[Symbol.asyncDispose]();
    const committed = await Promise.all(commits);
    await ended;
    expect(seen).toEqual([...new Set(committed)]);
    if (target.isShared !== true) expect(seen).toEqual([start + 1, start + 2]);
  });
}
