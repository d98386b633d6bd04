import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../lib/index.ts';
import { KnownServers, serverKey, StoreFeed, type ServerRecord } from '../../registry/index.ts';
import { Duties, keyRange, MemoryStore, type Store } from '../../store/index.ts';
import { LeaderlessStore } from '../../store/testing.ts';
import { RegionServers } from './region-servers.ts';

const TTL_MS = 10_000;

const record = (name: string, incarnation = `${name}-place.1`): ServerRecord => ({
  name,
  address: '10.0.0.1',
  httpPort: 0,
  version: '1',
  datacenter: 'aws',
  protocol: 1,
  incarnation,
});

interface World extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly errors: unknown[];
  serve(own: ServerRecord, store?: Store): Promise<RegionServers>;
}

async function world(): Promise<World> {
  const stack = new AsyncDisposableStack();
  const clock = new FakeClock();
  const store = stack.use(await MemoryStore.start({ clock, base: 1 }));
  const errors: unknown[] = [];
  const report = (error: unknown): number => errors.push(error);
  const serve = async (own: ServerRecord, over: Store = store): Promise<RegionServers> => {
    const known = new KnownServers();
    const feed = stack.use(await StoreFeed.start({ store: over, projections: [known], clock, report }));
    const random = (): number => 0.5;
    const duties = stack.use(Duties.start({ store: over, holder: own.name, ttlMs: TTL_MS, clock, random, report }));
    const servers = { feed, known, duties, store: over, record: own, ttlMs: TTL_MS, clock, report };
    return stack.use(await RegionServers.start(servers));
  };
  return { clock, store, errors, serve, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const names = (servers: RegionServers): string[] => servers.list().map(({ name }) => name);

describe('RegionServers', () => {
  test('list() has every server that runs, and loses one soon after it stops or dies', async () => {
    await using one = await world();
    const line = new LeaderlessStore(one.store);
    const a = await one.serve(record('a'));
    const b = await one.serve(record('b'), line);
    const c = await one.serve(record('c'));
    await one.clock.advance(0);
    let changes = 0;
    a.onChange(() => changes++);
    expect([names(a), names(b)]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
    await one.clock.advance(TTL_MS * 3);
    expect(names(a)).toEqual(['a', 'b', 'c']);
    await c[Symbol.asyncDispose]();
    await one.clock.advance(0);
    expect([names(a), changes]).toEqual([['a', 'b'], 1]);
    line.cut();
    await one.clock.advance(TTL_MS);
    expect([names(a), changes]).toEqual([['a'], 2]);
    // It says so again as soon as it can.
    line.cut(false);
    await one.clock.advance(TTL_MS);
    expect(names(a)).toEqual(['a', 'b']);
  });

  test('reachable() has those whose HTTP answers, with where', async () => {
    await using one = await world();
    const a = await one.serve(record('a'));
    const b = await one.serve(record('b'));
    expect(a.reachable()).toEqual([]);
    await b.announce({ address: 'fd00::1', httpPort: 8_500 });
    expect(a.reachable()).toEqual([{ name: 'b', url: 'http://[fd00::1]:8500' }]);
    expect(b.self).toMatchObject({ address: 'fd00::1', httpPort: 8_500 });
  });

  test('announce() is said again until it stands, when the store did not take it at first', async () => {
    await using one = await world();
    const a = await one.serve(record('a'));
    const line = new LeaderlessStore(one.store);
    // Its lease goes on: only what is written comes to nothing, as with a leader that has just changed.
    line.lease = (ttlMs) => one.store.lease(ttlMs);
    const b = await one.serve(record('b'), line);
    line.cut();
    await b.announce({ address: '10.0.0.2', httpPort: 8_500 });
    line.cut(false);
    expect(a.reachable()).toEqual([]);
    await one.clock.advance(TTL_MS);
    expect(a.reachable()).toEqual([{ name: 'b', url: 'http://10.0.0.2:8500' }]);
  });

  test('leader() is one of them, and another when it goes', async () => {
    await using one = await world();
    const a = await one.serve(record('a'));
    const b = await one.serve(record('b'));
    await one.clock.advance(TTL_MS);
    expect([a.leader()?.name, b.leader()?.name]).toEqual(['a', 'a']);
    await a[Symbol.asyncDispose]();
    expect(b.leader()?.name).toBeUndefined();
  });

  test('start() refuses a name that another server has, once its lease would have run out', async () => {
    await using one = await world();
    await one.serve(record('a'));
    const second = one.serve(record('a', 'elsewhere.2')).catch((error: unknown) => error);
    await one.clock.advance(TTL_MS * 2);
    expect(await second).toMatchObject({
      code: 'AGENT_SERVER_NAME_TAKEN',
      message: expect.stringContaining('(incarnation a-place.1)'),
    });
    const { entries } = await one.store.read(keyRange(serverKey('a')));
    expect(entries[0]?.value).toContain('a-place.1');
  });

  test('start() takes over at once what the same server left when it was killed, and what another did once it is gone', async () => {
    await using one = await world();
    const lease = await one.store.lease(TTL_MS);
    const left = (name: string, incarnation: string) =>
      one.store.commit({
        compares: [],
        writes: [{ type: 'put', key: serverKey(name), value: JSON.stringify(record(name, incarnation)), lease }],
      });
    await left('a', 'a-place.0');
    await left('b', 'elsewhere.0');
    expect(names(await one.serve(record('a')))).toContain('a');
    const b = one.serve(record('b'));
    await one.clock.advance(TTL_MS * 1.2);
    expect(names(await b)).toContain('b');
    await one.clock.advance(TTL_MS * 3);
    const { entries } = await one.store.read({ start: 'srv/', end: 'srv0' });
    expect(entries.map(({ value }) => (JSON.parse(value) as ServerRecord).incarnation)).toEqual([
      'a-place.1',
      'b-place.1',
    ]);
  });

  test('start() does not wait for a store that takes no writes, and says it when it does; also again after a restore', async () => {
    await using one = await world();
    const line = new LeaderlessStore(one.store);
    const feed = await one.serve(record('other'));
    line.cut();
    const a = await one.serve(record('a'), line);
    expect(names(a)).toContain('a');
    expect(names(feed)).not.toContain('a');
    line.cut(false);
    await one.clock.advance(TTL_MS);
    expect(names(feed)).toContain('a');
    await one.store.restore([], 1_000);
    await one.clock.advance(TTL_MS);
    expect(names(feed)).toEqual(['a', 'other']);
    expect((await one.store.read({ start: 'srv/', end: 'srv0' })).entries).toHaveLength(2);
  });
});
