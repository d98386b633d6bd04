import { expect, test, vi } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { prefixRange, type Duty, type Store } from '../store/index.ts';
import { kvOp, startTestKv, startTestStore, type TestKv } from './testing.ts';

const value = Buffer.from('x');
const NO_CHECKS = { node: 'n1', checks: [] };

async function keysOf(store: Store, prefix: string): Promise<string[]> {
  return (await store.read(prefixRange(prefix))).entries.map((entry) => entry.key);
}

/** Locks so many keys with a new session. */
async function lockMany(server: TestKv, count: number, input: object = {}): Promise<string> {
  const { id } = await server.sessionWrites.create({ ...NO_CHECKS, ...input });
  await Promise.all(Array.from({ length: count }, (_, n) => server.writes.acquire(`k/${n}`, value, id)));
  return id;
}

test('destroy() ends a session and frees its keys in one revision when it holds few', async () => {
  await using server = await startTestKv();
  const id = await lockMany(server, 20);
  const before = server.feed.revision;
  await server.sessionWrites.destroy(id);
  expect(server.feed.revision).toBe(before + 1);
  expect(server.kv.list('').filter((entry) => entry.session !== undefined)).toEqual([]);
  expect(await keysOf(server.store, 'sess')).toEqual([]);
  expect(await keysOf(server.store, 'tomb/')).toEqual(
    ['tomb/sess/', 'tomb/sessions', 'tomb/sessnode/n1'].map((key) => (key.endsWith('/') ? key + id : key)),
  );
});

test.each(['release', 'delete'])(
  'destroy() of a session with 150 locks (%s) lets nothing be locked with it meanwhile',
  async (behavior) => {
    await using server = await startTestKv();
    const id = await lockMany(server, 150, { behavior, lockDelayMs: 0 });
    const seen: boolean[] = [];
    server.feed.onApplied(() => void seen.push(server.sessions.get(id) !== undefined));
    const ending = server.sessionWrites.destroy(id);
    const late = server.writes.acquire('late', value, id);
    await expect(late).rejects.toMatchObject({ code: 'KV_INVALID_SESSION' });
    await ending;
    expect(seen).not.toContain(true);
    expect(seen.length).toBeGreaterThan(5);
    expect(server.kv.list('').map((entry) => entry.session)).toEqual(
      behavior === 'delete' ? [] : Array(150).fill(undefined),
    );
    expect(await keysOf(server.store, 'sess')).toEqual([]);
  },
);

test('an end that was interrupted goes on when the server starts', async () => {
  const clock = new FakeClock();
  await using store = await startTestStore(clock);
  let id: string;
  {
    await using server = await startTestKv({ store, clock });
    id = await lockMany(server, 50);
    const {
      createRevision: _created,
      modRevision: _modified,
      ...record
    } = server.sessions.get(id) as NonNullable<ReturnType<TestKv['sessions']['get']>>;
    await server.sessionWrites[Symbol.asyncDispose]();
    await store.commit({
      compares: [],
      writes: [{ type: 'put', key: `sess/${id}`, value: JSON.stringify({ ...record, isEnding: true }) }],
    });
  }
  await using again = await startTestKv({ store, clock });
  expect(again.sessions.list()).toEqual([]);
  await clock.advance(10);
  expect(again.sessions.stored(id)).toBeUndefined();
  expect(again.kv.list('').filter((entry) => entry.session !== undefined)).toEqual([]);
});

test('what ended while no server ran is ended when one starts: a node that went, a check that is critical', async () => {
  const clock = new FakeClock();
  await using store = await startTestStore(clock);
  const put = (key: string, record: unknown): Promise<unknown> =>
    store.commit({ compares: [], writes: [{ type: 'put', key, value: JSON.stringify(record) }] });
  const ids: string[] = [];
  {
    await using server = await startTestKv({ store, clock });
    for (const input of [{ node: 'n1' }, NO_CHECKS]) ids.push((await server.sessionWrites.create(input)).id);
    await server.writes.acquire('k', value, ids[0] as string);
  }
  await put('alive/n1', { status: 'down', since: '' });
  {
    await using server = await startTestKv({ store, clock });
    await clock.advance(1);
    expect(server.sessions.list().map((one) => one.id)).toEqual([ids[1]]);
    expect(server.kv.get('k')?.session).toBeUndefined();
  }
  await store.commit({ compares: [], writes: [{ type: 'delete', key: 'node/n1' }] });
  await using server = await startTestKv({ store, clock });
  await clock.advance(1);
  expect(server.sessions.list()).toEqual([]);
});

test('after a restart a TTL and a lock-delay begin again in full', async () => {
  const clock = new FakeClock();
  await using store = await startTestStore(clock);
  let next: string;
  {
    await using server = await startTestKv({ store, clock });
    const { id } = await server.sessionWrites.create({ ...NO_CHECKS, lockDelayMs: 10_000 });
    await server.sessionWrites.create({ ...NO_CHECKS, ttl: '10s' });
    ({ id: next } = await server.sessionWrites.create(NO_CHECKS));
    await server.writes.acquire('k', value, id);
    await server.sessionWrites.destroy(id);
    await clock.advance(8_000);
  }
  await using server = await startTestKv({ store, clock });
  await clock.advance(9_900);
  expect([server.sessions.list().length, (await server.writes.acquire('k', value, next)).ok]).toEqual([2, false]);
  await clock.advance(2_000);
  expect((await server.writes.acquire('k', value, next)).ok).toBe(true);
  await clock.advance(8_200);
  expect(server.sessions.list().map((one) => one.id)).toEqual([next]);
  expect(await keysOf(store, 'lockdelay/')).toEqual([]);
});

test('of two servers one takes the lock, and a session that the other destroys takes none', async () => {
  const clock = new FakeClock();
  await using store = await startTestStore(clock);
  await using first = await startTestKv({ store, clock });
  await using second = await startTestKv({ store, clock });
  for (let round = 0; round < 30; round++) {
    const { id: one } = await first.sessionWrites.create({ ...NO_CHECKS, lockDelayMs: 0 });
    const { id: two, revision } = await first.sessionWrites.create({ ...NO_CHECKS, lockDelayMs: 0 });
    await second.feed.applied(revision);
    const taken = await Promise.all([first.writes.acquire('k', value, one), second.writes.acquire('k', value, two)]);
    expect(taken.filter(({ ok }) => ok)).toHaveLength(1);
    const [acquired] = await Promise.allSettled([
      second.writes.acquire(`other/${round}`, value, one),
      first.sessionWrites.destroy(one),
      first.sessionWrites.destroy(two),
    ]);
    await first.feed.applied(store.status().revision);
    expect(acquired.status === 'rejected' || first.kv.get(`other/${round}`)?.session === undefined).toBe(true);
    expect(first.kv.get('k')?.session).toBeUndefined();
  }
});

test('writes of others go with the end of a session, in its transaction', async () => {
  const bound = new Set(['pq/1', 'pq/2']);
  await using server = await startTestKv({
    withSession: () => [...bound].map((key) => ({ type: 'delete', key })),
  });
  const puts = [...bound].map((key) => ({ type: 'put' as const, key, value: '{}' }));
  await server.store.commit({ compares: [], writes: puts });
  server.feed.onApplied(() => bound.clear());
  const { id } = await server.sessionWrites.create(NO_CHECKS);
  for (const key of ['pq/1', 'pq/2']) bound.add(key);
  const before = server.feed.revision;
  await server.sessionWrites.destroy(id);
  expect([await keysOf(server.store, 'pq/'), server.feed.revision]).toEqual([[], before + 1]);
});

test('history has what a session took along, and nothing of mere locks; without history there is none', async () => {
  await using server = await startTestKv();
  const id = await lockMany(server, 1, { behavior: 'delete' });
  await server.writes.put('k/0', value);
  await server.sessionWrites.destroy(id);
  const { entries } = await server.store.read(prefixRange('hist/'));
  const authors = entries.map((entry) => (JSON.parse(entry.value) as { author: string }).author);
  expect(authors).toEqual(['unknown', `session ${id}`]);
  await using silent = await startTestKv({ history: false });
  await silent.writes.put('a', value);
  await silent.writes.deleteTree('');
  await silent.transactions.run([kvOp('set', 'b')]);
  expect(await keysOf(silent.store, 'hist/')).toEqual([]);
});

test('a recursive delete frees what is locked, and is one record of history with all that it took', async () => {
  await using server = await startTestKv();
  const id = await lockMany(server, 3, { lockDelayMs: 0 });
  const before = server.feed.revision;
  await server.writes.deleteTree('k/', { author: 'token x' });
  expect([server.feed.revision, server.kv.keys('')]).toEqual([before + 1, []]);
  expect(await keysOf(server.store, 'sesslock/')).toEqual([]);
  const { entries } = await server.store.read(prefixRange('hist/kvtree/'));
  expect(JSON.parse(entries[0]?.value ?? '')).toMatchObject({
    subject: 'k/',
    author: 'token x',
    beforeRevision: before,
  });
  expect((await server.writes.acquire('k/1', value, id)).ok).toBe(true);
  expect(server.kv.get('k/1')?.lockIndex).toBe(1);
});

test('a recursive delete goes through beside writers that never pause', async () => {
  await using server = await startTestKv();
  await using other = await startTestKv({ store: server.store, clock: server.clock });
  let isDone = false;
  const busy = (async (): Promise<void> => {
    for (let n = 0; !isDone; n++) await other.writes.put(`t/${n % 7}`, Buffer.from(String(n)));
  })();
  for (let round = 0; round < 20; round++) expect((await server.writes.deleteTree('t/')).ok).toBe(true);
  isDone = true;
  await busy;
});

test('a transaction that cannot fit is refused whole', async () => {
  await using server = await startTestKv();
  const many = Array.from({ length: 600 }, (_, n) => kvOp('set', `k/${n}`));
  await expect(server.transactions.run(many)).rejects.toMatchObject({ code: 'KV_TXN_TOO_LARGE', status: 413 });
  expect(server.kv.keys('')).toEqual([]);
});

test('a transaction that ends two sessions takes what is bound to both, with one tombstone', async () => {
  const bound = new Map<string, string>();
  await using server = await startTestKv({
    withSession: (id) => [
      { type: 'delete', key: bound.get(id) ?? 'pq/none' },
      { type: 'put', key: 'tomb/pq', value: '{}' },
    ],
  });
  const ids: string[] = [];
  for (const key of ['pq/1', 'pq/2']) {
    const { id } = await server.sessionWrites.create(NO_CHECKS);
    await server.store.commit({ compares: [], writes: [{ type: 'put', key, value: '{}' }] });
    bound.set(id, key);
    ids.push(id);
  }
  const ops = ids.map((id) => ({ type: 'session', verb: 'delete', id }) as const);
  expect(await server.transactions.run(ops)).toMatchObject({ ok: true });
  expect([server.sessions.list(), await keysOf(server.store, 'pq/')]).toEqual([[], []]);
});

test('renew() of a session that has lapsed fails as the store does while its end cannot be written, and is refused then', async () => {
  await using server = await startTestKv();
  const { id } = await server.sessionWrites.create({ ...NO_CHECKS, ttl: '10s' });
  const commit = vi.spyOn(server.store, 'commit').mockRejectedValue(new Error('no leader'));
  await server.clock.advance(14_999);
  expect((await server.sessionWrites.renew(id)).id).toBe(id);
  await server.clock.advance(15_500);
  await expect(server.sessionWrites.renew(id)).rejects.toThrow('no leader');
  commit.mockRestore();
  await server.clock.advance(2_000);
  expect(server.sessions.stored(id)).toBeUndefined();
  await expect(server.sessionWrites.renew(id)).rejects.toMatchObject({ code: 'KV_UNKNOWN_SESSION' });
});

test('renew() writes the record again where the other servers do not know that this one runs', async () => {
  let isKnown = true;
  await using server = await startTestKv({ duty: dutyOfAnother(), isKnown: () => isKnown });
  const { id } = await server.sessionWrites.create({ ...NO_CHECKS, ttl: '10s' });
  const revision = (): number => server.sessions.get(id)?.modRevision ?? 0;
  const created = revision();
  await server.sessionWrites.renew(id);
  expect(revision()).toBe(created);
  isKnown = false;
  await server.sessionWrites.renew(id);
  expect(revision()).toBeGreaterThan(created);
});

test('renew() writes the record again when the TTL has passed and another server ends sessions', async () => {
  await using server = await startTestKv({ duty: dutyOfAnother() });
  const { id } = await server.sessionWrites.create({ ...NO_CHECKS, ttl: '10s' });
  const created = server.sessions.get(id)?.modRevision ?? 0;
  await server.clock.advance(9_000);
  await server.sessionWrites.renew(id);
  await server.clock.advance(9_000);
  expect((await server.sessionWrites.renew(id)).modRevision).toBe(created);
  await server.clock.advance(11_000);
  expect((await server.sessionWrites.renew(id)).modRevision).toBeGreaterThan(created);
});

function dutyOfAnother(): Duty {
  return { name: 'sessions', fence: null, onChange: () => () => undefined };
}

test('entries of lock-delays that are over go at once, however many there are', async () => {
  await using server = await startTestKv();
  await lockMany(server, 450, { lockDelayMs: 1_000 }).then((id) => server.sessionWrites.destroy(id));
  expect(await keysOf(server.store, 'lockdelay/')).toHaveLength(450);
  await server.clock.advance(2_500);
  expect(await keysOf(server.store, 'lockdelay/')).toEqual([]);
});
