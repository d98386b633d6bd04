import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { historyRange, LateStore, MemoryStore, prefixRange, storeNoLeader } from '../store/index.ts';
import type { Batch, KeyRange, Revision, Store } from '../store/index.ts';
import { Catalog } from './catalog.ts';
import { differenceEvents } from './feed-difference.ts';
import type { AppliedChange, ChangeBuilder, Held, Projection } from './feed.ts';
import { nodeKey, topic } from './keys.ts';
import { Registry } from './registry.ts';
import { StoreFeed } from './store-feed.ts';
import { instanceRecordOf, nodeRecordOf, startTestRegistry } from './testing.ts';

/** A store whose watch can be held back, repeated or broken, as a network does. */
class FlakyStore {
  readonly store: Store;
  watches = 0;
  #failure: Error | undefined;
  #gate = Promise.withResolvers<void>();
  #repeats = false;

  constructor(store: Store) {
    this.store = new Proxy(store, {
      get: (target, name) => {
        if (name === 'watch') return this.#watch.bind(this, target);
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    this.#gate.resolve();
  }

  /** Batches wait until `open`. */
  close(): void {
    this.#gate = Promise.withResolvers();
  }

  open(): void {
    this.#gate.resolve();
  }

  /** The next batch fails instead. */
  fail(error: Error): void {
    this.#failure = error;
  }

  repeat(): void {
    this.#repeats = true;
  }

  async *#watch(store: Store, range: KeyRange, after: Revision, signal: AbortSignal): AsyncGenerator<Batch> {
    this.watches++;
    await this.#gate.promise;
    for await (const batch of store.watch(range, after, signal)) {
      await this.#gate.promise;
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure !== undefined) throw failure;
      yield batch;
      if (this.#repeats) yield batch;
    }
  }
}

interface Fixture extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly flaky: FlakyStore;
  readonly feed: StoreFeed;
  readonly catalog: Catalog;
  readonly changes: AppliedChange[];
  readonly errors: unknown[];
  readonly put: (key: string, value?: string) => Promise<Revision>;
}

async function startFixture(historyRevisions = 100): Promise<Fixture> {
  const clock = new FakeClock();
  const memory = await MemoryStore.start({ clock, historyRevisions });
  const flaky = new FlakyStore(memory);
  const errors: unknown[] = [];
  const changes: AppliedChange[] = [];
  const catalog = new Catalog({ region: 'aws' });
  const report = (error: unknown): void => void errors.push(error);
  const feed = await StoreFeed.start({ store: flaky.store, projections: [catalog], clock, report });
  feed.onApplied((change) => changes.push(change));
  const put = async (key: string, value = '{}'): Promise<Revision> =>
    (await memory.commit({ compares: [], writes: [{ type: 'put', key, value }] })).revision;
  const close = async (): Promise<void> => {
    flaky.open();
    await feed[Symbol.asyncDispose]();
    await memory[Symbol.asyncDispose]();
  };
  return { clock, flaky, feed, catalog, changes, errors, put, [Symbol.asyncDispose]: close };
}

const node = (name: string): string => JSON.stringify(nodeRecordOf({ name }));

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('start() loads what is there, and leaves revision 1 to the layout', async () => {
  await using store = await MemoryStore.start();
  const catalog = new Catalog({ region: 'aws' });
  await using feed = await StoreFeed.start({ store, projections: [catalog] });
  expect(feed.revision).toBe(1);
  const outcome = await feed.commit({
    compares: [],
    writes: [{ type: 'put', key: nodeKey('n1'), value: node('n1') }],
  });
  expect(outcome).toEqual({ ok: true, revision: 2 });
  await using again = await StoreFeed.start({ store, projections: [new Catalog({ region: 'aws' })] });
  expect(again.revision).toBe(2);
});

test('commit() resolves when reads see it, and tells listeners in the same turn as the projections', async () => {
  await using fixture = await startFixture();
  const { feed, catalog } = fixture;
  const seen: unknown[] = [];
  feed.onApplied(({ revision, topics }) => seen.push([revision, topics.has(topic.nodes), catalog.index(topic.nodes)]));
  const write = { type: 'put', key: nodeKey('n1'), value: node('n1') } as const;
  await feed.commit({ compares: [], writes: [write] });
  expect(catalog.node('n1')).toBeDefined();
  expect(seen).toEqual([[2, true, 2]]);
});

test('commit() hands a conflict through', async () => {
  await using fixture = await startFixture();
  const compares = [{ key: 'x/y', modRevision: 9 }];
  expect(await fixture.feed.commit({ compares, writes: [] })).toMatchObject({ ok: false });
});

test('onApplied() tells every revision once and in order, also of families that nobody wants, until taken away', async () => {
  await using fixture = await startFixture();
  const { feed, changes, flaky, put } = fixture;
  flaky.repeat();
  let more = 0;
  const stop = feed.onApplied(() => more++);
  for (let n = 0; n < 5; n++) await put(`srv/${n}`);
  await feed.applied(6);
  stop();
  await put('srv/x');
  await feed.applied(7);
  expect(changes.map((change) => change.revision)).toEqual([2, 3, 4, 5, 6, 7]);
  expect([more, changes.every((change) => change.topics.size === 0)]).toEqual([5, true]);
});

test('a watch that fails is reported and begun again where it stopped', async () => {
  await using fixture = await startFixture();
  const { feed, changes, clock, errors, flaky, put } = fixture;
  await put(nodeKey('n1'), node('n1'));
  await feed.applied(2);
  flaky.fail(new Error('connection lost'));
  await put(nodeKey('n2'), node('n2'));
  await put(nodeKey('n3'), node('n3'));
  await turns();
  expect([feed.revision, errors.length]).toEqual([2, 1]);
  await clock.advance(500);
  expect([feed.revision, flaky.watches]).toEqual([4, 2]);
  expect(changes.map((change) => change.revision)).toEqual([2, 3, 4]);
});

test('a feed that history left behind takes up the difference as one revision', async () => {
  await using fixture = await startFixture(3);
  const { catalog, changes, feed, flaky, put } = fixture;
  for (const name of ['stays', 'goes', 'changes']) await put(nodeKey(name), node(name));
  await feed.applied(4);
  flaky.close();
  const store = fixture.flaky.store;
  await put(nodeKey('changes'), JSON.stringify(nodeRecordOf({ name: 'changes', address: '9.9.9.9' })));
  await store.commit({
    compares: [],
    writes: [
      { type: 'delete', key: nodeKey('goes') },
      { type: 'put', key: 'tomb/nodes', value: '{}' },
    ],
  });
  for (let n = 0; n < 5; n++) await put(nodeKey(`new${n}`), node(`new${n}`));
  flaky.open();
  await feed.applied(11);
  // The revision that was on its way already comes by itself, all others together.
  expect(changes.map((change) => change.revision)).toEqual([2, 3, 4, 5, 11]);
  expect(changes[4]?.nodes).toEqual(new Set(['goes', 'new0', 'new1', 'new2', 'new3', 'new4']));
  expect(catalog.node('goes')).toBeUndefined();
  expect(catalog.node('changes')?.record.address).toBe('9.9.9.9');
  const { entries, revision } = await store.read(prefixRange(''));
  const again = new Catalog({ region: 'aws' });
  again.load(entries, revision);
  for (const name of [topic.nodes, topic.node('stays'), topic.node('changes'), topic.node('new4')])
    expect(catalog.index(name), name).toBe(again.index(name));
});

test('applied() fails when the revision does not come in time, and commit() says that the write stands', async () => {
  await using fixture = await startFixture();
  const { clock, feed, flaky } = fixture;
  flaky.close();
  const commit = feed.commit({ compares: [], writes: [{ type: 'put', key: 'a/b', value: '1' }] });
  const failure = expect(commit).rejects.toMatchObject({ code: 'REGISTRY_NOT_APPLIED' });
  await clock.advance(2_000);
  await failure;
  flaky.open();
  await feed.applied(feed.revision + 1);
});

test('applied() wakes each waiter at its own revision', async () => {
  await using fixture = await startFixture();
  const { feed, put } = fixture;
  const order: number[] = [];
  const waits = [4, 2, 3].map((revision) => feed.applied(revision).then(() => order.push(revision)));
  for (let n = 0; n < 3; n++) await put(`srv/${n}`);
  await Promise.all(waits);
  expect(order).toEqual([2, 3, 4]);
});

test('dispose refuses those who wait, and everybody after', async () => {
  const fixture = await startFixture();
  const waiting = expect(fixture.feed.applied(99)).rejects.toMatchObject({ code: 'REGISTRY_FEED_CLOSED' });
  await fixture[Symbol.asyncDispose]();
  await waiting;
  await expect(fixture.feed.applied(99)).rejects.toMatchObject({ code: 'REGISTRY_FEED_CLOSED' });
});

test('a listener or a projection that throws is reported and costs nobody else the revision', async () => {
  const errors: unknown[] = [];
  const broken: Projection = {
    families: ['node/'],
    load() {},
    apply(_batch: Batch, _change: ChangeBuilder) {
      throw new Error('projection');
    },
    held: (): Held[] => [],
  };
  await using store = await MemoryStore.start();
  const catalog = new Catalog({ region: 'aws' });
  const report = (error: unknown): void => void errors.push((error as Error).message);
  await using feed = await StoreFeed.start({ store, projections: [broken, catalog], report });
  feed.onApplied(() => {
    throw new Error('listener');
  });
  let told = 0;
  feed.onApplied(() => told++);
  await feed.commit({ compares: [], writes: [{ type: 'put', key: nodeKey('n1'), value: node('n1') }] });
  expect([errors, told, catalog.nodes().length]).toEqual([['projection', 'listener'], 1, 1]);
});

test('differenceEvents() finds nothing between a catalog and the store it stands at, tombstones apart', async () => {
  await using region = await startTestRegistry({
    nodes: [
      { name: 'n1', runs: ['api'], services: [{ service: 'api', status: 'passing' }], checks: { disk: 'warning' } },
    ],
    definitions: [{ id: 'api', provides: { API_URL: 'x' } }],
    datastores: { DB: 'x' },
  });
  await region.registry.setDatastore('default', 'aws', 'OTHER', 'y');
  await region.registry.syncNode({ node: nodeRecordOf({ name: 'n2' }), instances: [], checks: [] }, 3);
  const { entries } = await region.store.read(prefixRange(''), { except: historyRange() });
  expect(differenceEvents([region.catalog], entries)).toEqual([]);
});

test('two servers over one store see the same, whoever writes', async () => {
  await using here = await startTestRegistry();
  const catalog = new Catalog({ region: 'aws' });
  await using feed = await StoreFeed.start({ store: here.store, projections: [catalog], clock: here.clock });
  const there = new Registry({ feed, catalog, clock: here.clock });
  const register = (registry: Registry, name: string): Promise<Revision> =>
    registry.registerExternal({ node: { name, address: '1.1.1.1' }, instance: instanceRecordOf({ service: 'api' }) });
  await Promise.all([register(here.registry, 'n1'), register(there, 'n1'), register(there, 'n2')]);
  await feed.applied(here.store.status().revision);
  await here.feed.applied(here.store.status().revision);
  expect(catalog.instances('api')).toHaveLength(2);
  expect(catalog.index(topic.service('api'))).toBe(here.catalog.index(topic.service('api')));
});

describe('StoreFeed with a checkpoint', () => {
  const away = async (clock: FakeClock) => {
    const shared = await MemoryStore.start({ clock, base: 1 });
    const put = (key: string, value = '{}') => shared.commit({ compares: [], writes: [{ type: 'put', key, value }] });
    const begun: number[] = [];
    let isAway = true;
    const store = await LateStore.start({
      open: async () => {
        if (isAway) throw storeNoLeader('nobody is there');
        return shared;
      },
      clock,
      report: () => undefined,
      mayBegin: () => Promise.resolve(true),
    });
    const mirror = { begin: (revision: number) => void begun.push(revision), append: () => undefined };
    return { shared, store, put, begun, mirror, comeBack: () => (isAway = false) };
  };

  test('start() serves what a former run left while the store is away, and takes the difference as one revision', async () => {
    const clock = new FakeClock();
    const { shared, store, put, begun, mirror, comeBack } = await away(clock);
    const node = (name: string) => put(nodeKey(name), JSON.stringify(nodeRecordOf({ name })));
    await node('stays');
    await node('goes');
    const { entries, revision } = await shared.read(prefixRange(''));
    const catalog = new Catalog({ region: 'aws' });
    const load = () => Promise.resolve({ entries, revision, atMs: 0 });
    await using feed = await StoreFeed.start({ store, projections: [catalog], clock, checkpoint: { load, mirror } });
    expect(catalog.nodes().map(({ record }) => record.name)).toEqual(['goes', 'stays']);
    expect([feed.revision, begun]).toEqual([revision, []]);
    const told: number[] = [];
    feed.onApplied((change) => told.push(change.revision));
    await clock.advance(5_000);
    await shared.commit({ compares: [], writes: [{ type: 'delete', key: nodeKey('goes') }] });
    await node('new');
    comeBack();
    await clock.advance(5_000);
    expect(catalog.nodes().map(({ record }) => record.name)).toEqual(['new', 'stays']);
    expect([told, begun]).toEqual([[revision + 2], [revision + 2]]);
    await node('later');
    await clock.advance(0);
    expect(catalog.node('later')).toBeDefined();
    await store[Symbol.asyncDispose]();
  });

  test('start() says so when the store has gone back since, and serves what it holds', async () => {
    const clock = new FakeClock();
    const { store, put, mirror, comeBack } = await away(clock);
    await put(nodeKey('n'), JSON.stringify(nodeRecordOf({ name: 'n' })));
    const entry = {
      key: nodeKey('old'),
      value: JSON.stringify(nodeRecordOf({ name: 'old' })),
      createRevision: 900,
      modRevision: 900,
    };
    const catalog = new Catalog({ region: 'aws' });
    const errors: unknown[] = [];
    await using feed = await StoreFeed.start({
      store,
      projections: [catalog],
      clock,
      report: (error) => errors.push(error),
      checkpoint: { load: () => Promise.resolve({ entries: [entry], revision: 1_000, atMs: 0 }), mirror },
    });
    comeBack();
    await clock.advance(5_000);
    expect(catalog.nodes().map(({ record }) => record.name)).toEqual(['n']);
    expect(feed.revision).toBe(2);
    expect(errors).toMatchObject([{ code: 'REGISTRY_STORE_WENT_BACK' }]);
    await store[Symbol.asyncDispose]();
  });

  test('start() throws when the store is away and nothing was left', async () => {
    const clock = new FakeClock();
    const { store, mirror } = await away(clock);
    const options = { store, projections: [], clock, checkpoint: { load: () => Promise.resolve(null), mirror } };
    await expect(StoreFeed.start(options)).rejects.toMatchObject({ code: 'STORE_NO_LEADER' });
    await store[Symbol.asyncDispose]();
  });
});
