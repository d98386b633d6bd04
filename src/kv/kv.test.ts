import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { LiveQueries, StoreFeed } from '../registry/index.ts';
import type { AppliedChange } from '../registry/index.ts';
import { MemoryStore } from '../store/index.ts';
import { Kv, kvPrefixTopic, KvWrites, kvTopic, MAX_VALUE_BYTES } from './index.ts';

interface Fixture extends AsyncDisposable {
  readonly kv: Kv;
  readonly writes: KvWrites;
  readonly store: MemoryStore;
  readonly feed: StoreFeed;
  readonly changes: AppliedChange[];
  readonly errors: unknown[];
}

async function start(keys: readonly string[] = []): Promise<Fixture> {
  const store = await MemoryStore.start();
  const errors: unknown[] = [];
  const kv = new Kv({ report: (error) => errors.push(error) });
  const feed = await StoreFeed.start({ store, projections: [kv] });
  const writes = new KvWrites({ feed, kv });
  for (const key of keys) await writes.put(key, Buffer.from(`value of ${key}`));
  const changes: AppliedChange[] = [];
  feed.onApplied((change) => changes.push(change));
  const close = async (): Promise<void> => {
    await feed[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  };
  return { kv, writes, store, feed, changes, errors, [Symbol.asyncDispose]: close };
}

const value = (text: string): Buffer => Buffer.from(text);

test('put() is seen by get() with every byte of key, value and flags', async () => {
  await using fixture = await start();
  const { kv, writes, store, errors } = fixture;
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const key = `${bytes.subarray(0, 0x2e).toString('latin1')}${bytes.subarray(0x2f).toString('latin1')}`;
  const { ok, revision } = await writes.put(key, bytes, { flags: 18_446_744_073_709_551_615n });
  expect(ok).toBe(true);
  const entry = { key, value: bytes, flags: '18446744073709551615', lockIndex: 0 };
  expect(kv.get(key)).toEqual({ ...entry, createRevision: revision, modRevision: revision });
  const again = new Kv();
  await using _ = await StoreFeed.start({ store, projections: [again] });
  expect(again.get(key)).toEqual(kv.get(key));
  expect(errors).toEqual([]);
});

test('put() takes an empty value and a long key', async () => {
  await using fixture = await start();
  const key = 'k'.repeat(4_000);
  await fixture.writes.put(key, value(''));
  expect(fixture.kv.get(key)?.value).toHaveLength(0);
});

test('put() of the same value and flags writes nothing', async () => {
  await using fixture = await start();
  const { writes, changes } = fixture;
  const first = await writes.put('a', value('x'), { flags: '7' });
  expect(await writes.put('a', value('x'), { flags: 7n })).toEqual(first);
  expect(changes).toHaveLength(1);
  expect((await writes.put('a', value('x'))).revision).toBeGreaterThan(first.revision);
  expect(fixture.kv.get('a')?.flags).toBe('0');
});

test('put() with cas writes only at that revision, 0 being "not there"', async () => {
  await using fixture = await start();
  const { kv, writes } = fixture;
  expect((await writes.put('a', value('1'), { cas: 5 })).ok).toBe(false);
  const created = await writes.put('a', value('1'), { cas: 0 });
  expect(created.ok).toBe(true);
  expect((await writes.put('a', value('2'), { cas: 0 })).ok).toBe(false);
  expect((await writes.put('a', value('2'), { cas: created.revision })).ok).toBe(true);
  expect((await writes.put('a', value('3'), { cas: created.revision })).ok).toBe(false);
  expect(kv.get('a')).toMatchObject({ createRevision: created.revision, value: value('2') });
});

test('put() with cas lets one of many through', async () => {
  await using fixture = await start();
  const other = new KvWrites({ feed: fixture.feed, kv: fixture.kv });
  const puts = Array.from({ length: 20 }, (_, n) =>
    (n % 2 === 0 ? fixture.writes : other).put('a', value(`${n}`), { cas: 0 }),
  );
  expect((await Promise.all(puts)).filter((one) => one.ok)).toHaveLength(1);
});

test('put() of many at once without cas loses none', async () => {
  await using fixture = await start();
  const other = new KvWrites({ feed: fixture.feed, kv: fixture.kv });
  const puts = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? fixture.writes : other).put('a', value(`${n}`)));
  expect((await Promise.all(puts)).every((one) => one.ok)).toBe(true);
  expect(fixture.changes).toHaveLength(20);
});

test('put() refuses what cannot be', async () => {
  await using fixture = await start();
  const { writes } = fixture;
  const table: [Promise<unknown>, string, number][] = [
    [writes.put('', value('x')), 'KV_BAD_KEY', 400],
    [writes.put('a/../b', value('x')), 'KV_BAD_KEY', 400],
    [writes.put('Ā', value('x')), 'KV_BAD_KEY', 400],
    [writes.put('k'.repeat(9_000), value('x')), 'KV_BAD_KEY', 400],
    [writes.put('a', value('x'), { flags: '-1' }), 'KV_BAD_FLAGS', 400],
    [writes.put('a', value('x'), { flags: '18446744073709551616' }), 'KV_BAD_FLAGS', 400],
    [writes.put('a', value('x'), { flags: '1e3' }), 'KV_BAD_FLAGS', 400],
    [writes.put('a', Buffer.alloc(MAX_VALUE_BYTES + 1)), 'KV_VALUE_TOO_LARGE', 413],
    [writes.delete(''), 'KV_BAD_KEY', 400],
  ];
  for (const [attempt, code, status] of table) await expect(attempt).rejects.toMatchObject({ code, status });
  expect((await writes.put('a..b/..c', Buffer.alloc(MAX_VALUE_BYTES))).ok).toBe(true);
});

test('list() and keys() are in byte order', async () => {
  await using fixture = await start(['b', 'a/b', 'a', 'a/\u{ff}', 'a/B', 'aa']);
  const { kv } = fixture;
  expect(kv.keys('')).toEqual(['a', 'a/B', 'a/b', 'a/\u{ff}', 'aa', 'b']);
  expect(kv.list('a/').map((entry) => entry.key)).toEqual(['a/B', 'a/b', 'a/\u{ff}']);
  expect(kv.list('never')).toEqual([]);
});

test('keys() cuts after the first separator past the prefix', async () => {
  await using fixture = await start(['base/base/foo', 'base/base/bar', 'base/foo', 'base', 'x::y::z']);
  const { kv } = fixture;
  expect(kv.keys('base/', '/')).toEqual(['base/base/', 'base/foo']);
  expect(kv.keys('', '/')).toEqual(['base', 'base/', 'x::y::z']);
  expect(kv.keys('x', '::')).toEqual(['x::']);
  expect(kv.keys('base/b', '')).toEqual(['base/base/bar', 'base/base/foo']);
});

test('delete() moves the index of key and prefix forward, and is done when there is nothing', async () => {
  await using fixture = await start(['a/b', 'a/c']);
  const { kv, writes } = fixture;
  const before = kv.index(kvPrefixTopic('a/'));
  const { ok, revision } = await writes.delete('a/b');
  expect([ok, kv.get('a/b')]).toEqual([true, undefined]);
  expect(revision).toBeGreaterThan(before);
  for (const topic of [kvTopic('a/b'), kvPrefixTopic('a/'), kvPrefixTopic('')])
    expect(kv.index(topic), topic).toBe(revision);
  expect(await writes.delete('a/b')).toEqual({ ok: true, revision });
});

test('delete() with cas', async () => {
  await using fixture = await start(['a']);
  const { kv, writes } = fixture;
  const { modRevision = 0 } = kv.get('a') ?? {};
  expect((await writes.delete('a', { cas: modRevision + 1 })).ok).toBe(false);
  expect((await writes.delete('a', { cas: modRevision })).ok).toBe(true);
  expect((await writes.delete('a', { cas: 99 })).ok).toBe(true);
});

test('deleteTree() is one revision with one tombstone, whatever it takes', async () => {
  const keys = Array.from({ length: 500 }, (_, n) => `tree/${n}`);
  await using fixture = await start([...keys, 'trees', 'other']);
  const { kv, writes, store, changes } = fixture;
  const { revision } = await writes.deleteTree('tree/');
  expect([kv.keys(''), changes.length]).toEqual([['other', 'trees'], 1]);
  expect((await store.read({ start: 'kvt', end: 'kvu' })).entries.map((entry) => entry.key)).toEqual(['kvtree/tree/']);
  for (const topic of [kvTopic('tree/7'), kvPrefixTopic('tree/'), kvPrefixTopic('tree/7'), kvPrefixTopic('')])
    expect(kv.index(topic), topic).toBe(revision);
  expect(kv.index(kvTopic('trees'))).toBeLessThan(revision);
  expect(changes[0]?.summary).toHaveLength(11);
  expect(await writes.deleteTree('tree/')).toEqual({ ok: true, revision });
  await writes.deleteTree('');
  expect(kv.keys('')).toEqual([]);
});

test('apply() names keys to people and never values', async () => {
  await using fixture = await start();
  await fixture.writes.put(Buffer.from('größe').toString('latin1'), value('secret'));
  await fixture.writes.delete(Buffer.from('größe').toString('latin1'));
  expect(fixture.changes.map((change) => change.summary)).toEqual([['kv größe'], ['kv größe gone']]);
});

test('load() leaves out an entry that it cannot read, and reports it', async () => {
  await using fixture = await start(['a']);
  await fixture.feed.commit({ compares: [], writes: [{ type: 'put', key: 'kv/broken', value: '{' }] });
  expect([fixture.kv.keys(''), fixture.errors.length]).toEqual([['a'], 1]);
});

test('blocking reads of a key and of a prefix wake for their own changes only', async () => {
  await using fixture = await start(['a/b', 'c']);
  const { feed, kv, writes } = fixture;
  await using live = await LiveQueries.start({ feed, index: (topic) => kv.index(topic), clock: new FakeClock() });
  const query = (topic: string, prefix: string) => ({
    key: topic,
    topics: [topic],
    render: () => JSON.stringify(kv.list(prefix).map((entry) => [entry.key, entry.value.toString()])),
  });
  const tree = live.wait(query(kvPrefixTopic('a/'), 'a/'), { index: kv.index(kvPrefixTopic('a/')) });
  const missing = live.wait(query(kvTopic('new'), 'new'), { index: kv.index(kvTopic('new')) });
  await writes.put('c', value('other'));
  await writes.put('a', value('beside'));
  expect(live.waiters).toBe(2);
  await writes.deleteTree('a');
  expect((await tree).body.toString()).toBe('[]');
  const { revision } = await writes.put('new', value('x'));
  expect(await missing).toMatchObject({ index: revision });
});
