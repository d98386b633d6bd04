import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StoreUnderTest } from './conformance.ts';
import { keyRange, prefixRange } from './contract.ts';
import type { Committed, Store, Txn, Write } from './contract.ts';
import { ALL, history, modelSteps, ModelStore, replay, txnOf } from './model.ts';

const put = (key: string, value = `value of ${key}`): Write => ({ type: 'put', key, value });
const del = (key: string): Write => ({ type: 'delete', key });

async function write(store: Store, ...writes: Write[]): Promise<number> {
  const outcome = await store.commit({ compares: [], writes });
  expect(outcome.ok).toBe(true);
  return outcome.revision;
}

async function keysIn(store: Store, prefix: string): Promise<string[]> {
  return (await store.read(prefixRange(prefix))).entries.map((entry) => entry.key);
}

/** Reading and committing. */
export function txnConformance(target: StoreUnderTest): void {
  describe('read()', () => readTests(target));
  describe('commit()', () => {
    commitTests(target);
    revisionTests(target);
    rangeTests(target);
  });
  describe('commit() refuses', () => {
    refusalTests(target);
    closingTests(target);
  });
  describe('as a whole', () => modelTests(target));
}

function readTests(target: StoreUnderTest): void {
  test('gives entries in byte order with their revisions', async () => {
    await using store = await target.start();
    const first = await write(store, put('b'), put('a'));
    const second = await write(store, put('a', 'again 😀\0'), put('\u{ff}'));
    expect(await store.read(ALL)).toEqual({
      revision: second,
      entries: [
        { key: 'a', value: 'again 😀\0', createRevision: first, modRevision: second },
        { key: 'b', value: 'value of b', createRevision: first, modRevision: first },
        { key: '\u{ff}', value: 'value of \u{ff}', createRevision: second, modRevision: second },
      ],
    });
    expect(second).toBe(first + 1);
  });

  test('keeps to range, limit and keysOnly', async () => {
    await using store = await target.start();
    await write(store, ...['a/1', 'a/2', 'a/3', 'a0', 'b', 'a'].map((key) => put(key)));
    expect(await keysIn(store, 'a/')).toEqual(['a/1', 'a/2', 'a/3']);
    expect((await store.read(keyRange('a'))).entries).toHaveLength(1);
    const some = await store.read(prefixRange('a/'), { limit: 2, keysOnly: true });
    expect(some.entries.map(({ key, value }) => [key, value])).toEqual([
      ['a/1', ''],
      ['a/2', ''],
    ]);
    expect((await store.read(ALL, { limit: 0 })).entries).toEqual([]);
    expect((await store.read({ start: 'b', end: 'a' })).entries).toEqual([]);
    expect((await store.read(prefixRange('c'))).entries).toEqual([]);
  });

  test('takes any byte in a key, ranges over 0xff included', async () => {
    await using store = await target.start();
    const keys = Array.from({ length: 256 }, (_, byte) => `k${String.fromCharCode(byte)}`);
    for (let from = 0; from < 256; from += 128)
      await write(store, ...keys.slice(from, from + 128).map((key) => put(key)));
    expect(await keysIn(store, 'k')).toEqual(keys);
    await write(store, put('k\u{ff}\u{ff}'), put('l'));
    expect(await keysIn(store, 'k\u{ff}')).toEqual(['k\u{ff}', 'k\u{ff}\u{ff}']);
    expect(await keysIn(store, 'k\0')).toEqual(['k\0']);
  });
}

function commitTests(target: StoreUnderTest): void {
  test('is atomic: one revision for all writes, none when a compare fails', async () => {
    await using store = await target.start();
    const first = await write(store, put('x', '1'), put('y', '1'));
    const refused = await store.commit({
      compares: [
        { key: 'x', modRevision: first },
        { key: 'absent', modRevision: 0 },
        { key: 'y', modRevision: first + 1 },
      ],
      writes: [put('x', '2'), del('y'), put('z')],
    });
    expect(refused).toEqual({
      ok: false,
      revision: first,
      entries: [
        { key: 'x', value: '1', createRevision: first, modRevision: first },
        { key: 'y', value: '1', createRevision: first, modRevision: first },
      ],
    });
    expect(await keysIn(store, '')).toEqual(['x', 'y']);
    expect(store.status().revision).toBe(first);
  });

  test('compares modification revisions, 0 for absence', async () => {
    await using store = await target.start();
    const create: Txn = { compares: [{ key: 'k', modRevision: 0 }], writes: [put('k', '1')] };
    const created = await store.commit(create);
    expect(created.ok).toBe(true);
    expect((await store.commit(create)).ok).toBe(false);
    const update: Txn = { compares: [{ key: 'k', modRevision: created.revision }], writes: [put('k', '2')] };
    expect((await store.commit(update)).ok).toBe(true);
    expect((await store.commit(update)).ok).toBe(false);
    await write(store, del('k'));
    expect((await store.commit(create)).ok).toBe(true);
  });

  test('gives a key a new creation revision after its deletion', async () => {
    await using store = await target.start();
    await write(store, put('k'));
    await write(store, del('k'));
    const revision = await write(store, put('k'));
    expect((await store.read(keyRange('k'))).entries[0]?.createRevision).toBe(revision);
  });

  test('deletes a range at one revision', async () => {
    await using store = await target.start();
    await write(store, put('a/1'), put('a/2'), put('b'));
    const revision = await write(store, { type: 'delete-range', range: prefixRange('a/') }, put('c'));
    expect(await keysIn(store, '')).toEqual(['b', 'c']);
    expect((await history(store, revision - 1)).map((batch) => batch.events.length)).toEqual([3]);
  });
}

function revisionTests(target: StoreUnderTest): void {
  test('gives no revision to what changes nothing', async () => {
    await using store = await target.start();
    const revision = await write(store, put('k'));
    expect(await write(store)).toBe(revision);
    expect(await write(store, del('absent'), { type: 'delete-range', range: prefixRange('absent/') })).toBe(revision);
    expect(store.status().revision).toBe(revision);
    expect(await write(store, put('k'))).toBe(revision + 1);
  });

  test('orders concurrent transactions: each its own dense revision, one winner of a race', async () => {
    await using store = await target.start();
    const before = store.status().revision;
    const writes = Array.from({ length: 200 }, (_, index) => write(store, put(`k${index % 7}`, String(index))));
    const revisions = await Promise.all(writes);
    if (target.isShared !== true) expect(revisions).toEqual(revisions.map((_, index) => before + 1 + index));
    expect(revisions.slice(0, 7).every((revision) => revision > before)).toBe(true);
    // Of one key each its own, in the order of the calls.
    for (const [index, revision] of revisions.entries())
      if (index >= 7) expect(revision).toBeGreaterThan(revisions[index - 7] as number);
    for (let key = 0; key < 7; key++) {
      const last = writes.length - 1 - ((writes.length - 1 - key) % 7);
      expect((await store.read(keyRange(`k${key}`))).entries).toMatchObject([
        { value: String(last), modRevision: revisions[last] },
      ]);
    }
    const race: Txn = { compares: [{ key: 'lock', modRevision: 0 }], writes: [put('lock')] };
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => store.commit(race)));
    expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
    const winner = (outcomes.find((outcome) => outcome.ok) as Committed).revision;
    for (const outcome of outcomes)
      if (!outcome.ok) expect(outcome.entries.map((entry) => entry.modRevision)).toEqual([winner]);
  });
}

function rangeTests(target: StoreUnderTest): void {
  test('compares ranges: nothing in them may have been put since', async () => {
    await using store = await target.start();
    const since = await write(store, put('a/1'), put('b'));
    const attempt = (prefix: string, revision = since): Promise<{ readonly ok: boolean }> =>
      store.commit({
        compares: [],
        unchanged: [{ range: prefixRange(prefix), since: revision }],
        writes: [put('seen')],
      });
    expect((await attempt('a/')).ok).toBe(true);
    expect((await attempt('a/', since - 1)).ok).toBe(false);
    await write(store, put('a/2'));
    expect([(await attempt('a/')).ok, (await attempt('b')).ok, (await attempt('none')).ok]).toEqual([
      false,
      true,
      true,
    ]);
    await write(store, del('a/2'));
    expect((await attempt('a/')).ok).toBe(true);
  });

  test('is seen by a read that starts after it', async () => {
    await using store = await target.start();
    for (let round = 0; round < 20; round++) {
      const revision = await write(store, put('k', String(round)));
      const seen = await store.read(keyRange('k'));
      expect([seen.entries[0]?.value, seen.entries[0]?.modRevision]).toEqual([String(round), revision]);
      expect(seen.revision).toBe(revision);
    }
  });
}

function refusalTests(target: StoreUnderTest): void {
  const many = Array.from({ length: 513 }, (_, index) => `k${index}`);
  test.each<[string, Txn, string]>([
    ['a key put twice', { compares: [], writes: [put('k'), put('k')] }, 'written twice'],
    ['a key put and deleted', { compares: [], writes: [put('k'), del('k')] }, 'written twice'],
    [
      'a key put inside a deleted range',
      { compares: [], writes: [put('a/k'), { type: 'delete-range', range: prefixRange('a') }] },
      'deleted range',
    ],
    [
      'overlapping deleted ranges',
      {
        compares: [],
        writes: [
          { type: 'delete-range', range: prefixRange('a') },
          { type: 'delete-range', range: prefixRange('a/') },
        ],
      },
      'overlap',
    ],
    ['an empty key', { compares: [], writes: [put('')] }, 'empty key'],
    ['a key beyond latin1', { compares: [], writes: [put('ключ')] }, 'more than bytes'],
    ['a compare of such a key', { compares: [{ key: '\u{100}', modRevision: 0 }], writes: [] }, 'more than bytes'],
    ['a broken revision', { compares: [{ key: 'k', modRevision: -1 }], writes: [] }, 'revision -1'],
    ['half a surrogate pair', { compares: [], writes: [put('k', '\ud800')] }, 'not Unicode'],
    ['more than 512 writes', { compares: [], writes: many.map((key) => put(key)) }, '513 writes'],
    ['more than 512 compares', { compares: many.map((key) => ({ key, modRevision: 0 })), writes: [] }, '513 compares'],
  ])('%s', async (_what, txn, message) => {
    await using store = await target.start();
    await expect(store.commit(txn)).rejects.toMatchObject({
      code: 'STORE_BAD_TXN',
      message: expect.stringContaining(message) as string,
    });
    expect((await store.read(ALL)).entries).toEqual([]);
  });
}

function closingTests(target: StoreUnderTest): void {
  test('everything after disposal', async () => {
    const store = await target.start();
    await write(store, put('k'));
    await store[Symbol.asyncDispose]();
    await expect(store.commit({ compares: [], writes: [put('k')] })).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(store.read(ALL)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(store.lease(1_000)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    expect(store.status()).toMatchObject({ leaderKnown: false, failure: 'the store is closed' });
    await store[Symbol.asyncDispose]();
  });

  test('or finishes what is under way at disposal', async () => {
    const store = await target.start();
    const commits = Array.from({ length: 50 }, (_, index) => write(store, put(`k${index}`)));
    const settled = Promise.allSettled(commits);
    await store[Symbol.asyncDispose]();
    const outcomes = await settled;
    expect(outcomes.map((outcome) => outcome.status)).toEqual(outcomes.map(() => 'fulfilled'));
  });
}

function modelTests(target: StoreUnderTest): void {
  test('tells what it is and where it stands', async () => {
    await using store = await target.start();
    const revision = await write(store, put('k'));
    const status = store.status();
    expect(status).toMatchObject({ leaderKnown: true, full: false, revision });
    if (target.isShared === true) expect(status.lastContactMs).toBeLessThan(5_000);
    else expect(status.lastContactMs).toBe(0);
    expect(status.failure).toBeUndefined();
    expect(status.compacted).toBeLessThan(revision);
  });

  test('behaves as a plain map does, and its watch adds up to its state at every revision', async () => {
    await fc.assert(
      fc.asyncProperty(modelSteps, async (steps) => {
        await using store = await target.start();
        const start = store.status().revision;
        const model = new ModelStore(start);
        const states = [model.sorted()];
        for (const step of steps) {
          const txn = txnOf(step, model);
          const outcome = await store.commit(txn);
          expect(outcome.ok).toBe(model.commit(txn));
          expect(outcome.revision).toBe(model.revision);
          states[model.revision - start] = model.sorted();
        }
        expect(await store.read(ALL)).toEqual({ revision: model.revision, entries: model.sorted() });
        const all = await history(store, start);
        expect(all.map((batch) => batch.revision)).toEqual(all.map((_, index) => start + 1 + index));
        for (const [index, state] of states.entries()) expect(replay(all.slice(0, index))).toEqual(state);
      }),
      { numRuns: target.runs },
    );
  });
}
