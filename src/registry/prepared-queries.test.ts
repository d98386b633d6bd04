import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Instance } from './catalog-reader.ts';
import { PreparedQueries } from './prepared-queries.ts';
import { PREPARED_TOPIC, type PreparedQueryRecord } from './prepared-query.ts';
import { PreparedState } from './prepared-state.ts';
import { PreparedWrites } from './prepared-writes.ts';
import { startTestRegistry, type TestRegistry, type TestRegistryOptions } from './testing.ts';
import { reapTombstones } from './tombstone-reaper.ts';

type Query = Omit<PreparedQueryRecord, 'id'>;

/** A query with every default filled in. */
function query(
  literal: Partial<Omit<Query, 'service'>> & { readonly service?: Partial<Query['service']> } = {},
): Query {
  const { service, ...rest } = literal;
  return {
    name: '',
    session: '',
    accessor: '',
    template: null,
    dnsTtl: '',
    ...rest,
    service: {
      service: 'web',
      tags: [],
      nodeMeta: {},
      serviceMeta: {},
      onlyPassing: false,
      ignoreCheckIds: [],
      near: '',
      connect: false,
      failover: { nearestN: 0, datacenters: [], targets: [] },
      ...service,
    },
  };
}

const TEMPLATE = { regexp: '', removeEmptyTags: false };

interface Started extends AsyncDisposable {
  readonly region: TestRegistry;
  readonly state: PreparedState;
  readonly queries: PreparedQueries;
  readonly writes: PreparedWrites;
}

async function start(options: TestRegistryOptions = {}): Promise<Started> {
  const state = new PreparedState();
  const region = await startTestRegistry({ ...options, projections: [state] });
  const { feed, catalog } = region;
  const queries = new PreparedQueries({ state, catalog, agent: 'n2' });
  let made = 0;
  const uuid = (): string => `00000000-0000-4000-8000-${String(++made).padStart(12, '0')}`;
  const writes = new PreparedWrites({ feed, state, session: () => undefined, uuid });
  return { region, state, queries, writes, [Symbol.asyncDispose]: () => region[Symbol.asyncDispose]() };
}

const WEB = {
  nodes: [
    { name: 'n1', address: '10.0.0.1', services: ['web'] },
    { name: 'n2', address: '10.0.0.2', services: ['web', 'api'] },
    { name: 'n3', address: '10.0.0.3', services: [{ service: 'web', draining: true }] },
    { name: 'n4', address: '10.0.0.4', services: ['web'], maintenance: true },
    { name: 'n5', address: '10.0.0.5', services: [{ service: 'web', status: 'unknown' as const }] },
  ],
};

const nodesOf = (instances: readonly Instance[] = []): string[] => instances.map(({ node }) => node.record.name);

test('execute() leaves out what drains, is in maintenance, or has no result yet', async () => {
  await using started = await start(WEB);
  const { queries, writes } = started;
  await writes.create(query({ name: 'web' }));
  expect(nodesOf(queries.execute('web')?.instances)).toEqual(['n1', 'n2']);
  const ignoreCheckIds = ['_service_maintenance:web', '_node_maintenance', 'service:web'];
  await writes.create(query({ name: 'all', service: { ignoreCheckIds } }));
  expect(nodesOf(queries.execute('all')?.instances)).toEqual(['n1', 'n2', 'n3', 'n4', 'n5']);
});

test.each([
  ['', {}, ['n1', 'n2'], false],
  ['n2', {}, ['n2', 'n1'], true],
  ['_agent', {}, ['n2', 'n1'], true],
  ['_agent', { near: 'n1' }, ['n1', 'n2'], true],
  ['', { near: '_agent', limit: 1 }, ['n2'], true],
  ['_ip', { source: '10.0.0.2' }, ['n2', 'n1'], true],
  ['_ip', { source: '10.9.9.9' }, ['n1', 'n2'], true],
  ['_ip', {}, ['n1', 'n2'], true],
  ['', { source: '10.0.0.2' }, ['n1', 'n2'], false],
])('execute() of a query near %j, asked with %j, gives %j', async (near, options, nodes, isOrdered) => {
  await using started = await start(WEB);
  await started.writes.create(query({ name: 'q', service: { near } }));
  const executed = started.queries.execute('q', options);
  expect(nodesOf(executed?.instances)).toEqual(nodes);
  expect(executed).toMatchObject({ isOrdered, service: 'web', failovers: 0 });
});

test.each([
  ['', null],
  ['0s', 0],
  ['10s', 10],
  ['1m30s', 90],
  ['999ms', 0],
])('execute() takes the TTL %j for %j seconds', async (dnsTtl, seconds) => {
  await using started = await start(WEB);
  await started.writes.create(query({ name: 'q', dnsTtl }));
  expect(started.queries.execute('q')?.ttlSeconds).toBe(seconds);
});

test('resolve() takes an id before a name, a name before a template, and the longest template, in any case', async () => {
  await using started = await start();
  const { state, writes } = started;
  const make = async (name: string, service: string, template: Query['template'] = null): Promise<string> =>
    (await writes.create(query({ name, template, service: { service } }))).id;
  const id = await make('geo-db-eu', 'exact');
  expect(state.resolve('geo-db-us')).toBeUndefined();
  await make('', 'any ${name.full}', TEMPLATE);
  await make('Geo-', 'geo ${name.suffix}', TEMPLATE);
  const longest = await make('geo-db', 'db ${name.prefix} ${name.suffix}', TEMPLATE);
  const serviceOf = (name: string): string | undefined => state.resolve(name)?.service.service;
  expect(serviceOf('geo-db-eu')).toBe('exact');
  expect(serviceOf('GEO-DB-EU')).toBe('exact');
  expect(serviceOf(id)).toBe('exact');
  expect(serviceOf('geo-db-us')).toBe('db geo-db -us');
  expect(serviceOf('geo-db')).toBe('db geo-db ');
  expect(serviceOf('GEO-web')).toBe('geo web');
  expect(serviceOf('web')).toBe('any web');
  expect(state.resolve('')).toBeUndefined();
  expect(() => state.resolve(longest)).toThrow('prepared query templates can only be resolved up by name, not by ID');
  await expect(writes.create(query({ template: TEMPLATE }))).rejects.toThrow(
    'a query template with an empty name already exists',
  );
});

test('resolve() runs an expression over the name, in linear time', async () => {
  await using started = await start();
  const { state, writes } = started;
  const template = { regexp: '^((a+)+)b$', removeEmptyTags: true };
  const tags = ['${match(1)}', '${ match( 2 ) }', '${match(-1)}', '$${match(1)}', '!${match(9)}'];
  await writes.create(query({ name: 'a', template, service: { tags } }));
  expect(state.resolve('aab')?.service.tags).toEqual(['aa', 'aa', '${match(1)}', '!']);
  const begin = performance.now();
  expect(state.resolve('a'.repeat(50_000))?.service.tags).toEqual(['${match(1)}', '!']);
  expect(performance.now() - begin).toBeLessThan(2_000);
});

test('update() frees the name, keeps the id and writes nothing that is so already', async () => {
  await using started = await start();
  const { state, writes } = started;
  const { id, revision } = await writes.create(query({ name: 'one' }));
  expect((await writes.update(id, () => query({ name: 'one' }))).revision).toBe(revision);
  await writes.update(id.toUpperCase(), () => query({ name: 'two' }));
  expect([state.named('one'), state.named('TWO')?.record.id]).toEqual([undefined, id]);
  await writes.create(query({ name: 'one' }));
  await expect(writes.update(id, () => query({ name: 'ONE' }))).rejects.toThrow("name 'ONE' aliases an existing");
  await expect(writes.remove('other')).rejects.toThrow("Cannot modify non-existent prepared query: 'other'");
  const denied = new Error('denied');
  const forbid = (): never => {
    throw denied;
  };
  await expect(writes.remove(id, forbid)).rejects.toBe(denied);
  await expect(writes.update(id, forbid)).rejects.toBe(denied);
  expect(state.get(id)?.record.name).toBe('two');
});

test('two servers never give one name twice', async () => {
  await using one = await start();
  const { store } = one.region;
  await using two = await start({ store });
  const both = [one, two].flatMap(({ writes }) => [
    writes.create(query({ name: 'q' })),
    writes.create(query({ name: 'Q' })),
  ]);
  // Both count their ids from one: what one of them made must not be written over by the other.
  const outcomes = await Promise.allSettled(both);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('a create is tried again when another server put a query in between', async () => {
  await using one = await start();
  await using two = await start({ store: one.region.store });
  const made = await Promise.all([
    one.writes.create(query({ name: 'a' })),
    new PreparedWrites({ feed: two.region.feed, state: two.state, session: () => undefined }).create(
      query({ name: 'b' }),
    ),
  ]);
  await one.region.feed.applied(Math.max(...made.map(({ revision }) => revision)));
  expect(
    one.state
      .list()
      .map(({ record }) => record.name)
      .toSorted(),
  ).toEqual(['a', 'b']);
});

test('writesWithSession() deletes what is bound to the session, with its tombstone', async () => {
  await using started = await start();
  const { region, state } = started;
  const { feed } = region;
  await feed.commit({ compares: [], writes: [{ type: 'put', key: 'sess/s1', value: '{}' }] });
  const session = (id: string): { key: string; modRevision: number } | undefined =>
    id === 's1' ? { key: 'sess/s1', modRevision: feed.revision } : undefined;
  const writes = new PreparedWrites({ feed, state, session });
  await writes.create(query({ session: 's1' }));
  await expect(writes.create(query({ session: 's2' }))).rejects.toThrow('invalid session');
  expect(state.writesWithSession('s2')).toEqual([]);
  const bound = state.writesWithSession('s1');
  expect(bound).toHaveLength(2);
  const before = state.index(PREPARED_TOPIC);
  const topics: string[] = [];
  feed.onApplied((change) => topics.push(...change.topics, ...change.summary));
  const outcome = await feed.commit({ compares: [], writes: bound });
  expect(state.list()).toEqual([]);
  expect(state.index(PREPARED_TOPIC)).toBe(outcome.revision);
  expect(outcome.revision).toBeGreaterThan(before);
  expect(topics).toEqual(['pq', expect.stringMatching(/^prepared query .* gone$/)]);
});

test('a state that is loaded anew answers as one that followed, index included', async () => {
  const step = fc.record({
    act: fc.constantFrom('create', 'update', 'remove', 'reap'),
    name: fc.constantFrom('a', 'ab', 'B', ''),
    isTemplate: fc.boolean(),
    pick: fc.nat(5),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      await using started = await start();
      const { state, writes, region } = started;
      for (const { act, name, isTemplate, pick } of steps) {
        const wanted = query({ name, template: isTemplate ? TEMPLATE : null });
        const known = state.list()[pick]?.record.id ?? 'none';
        const done =
          act === 'create'
            ? writes.create(wanted)
            : act === 'update'
              ? writes.update(known, () => wanted)
              : act === 'remove'
                ? writes.remove(known)
                : reapTombstones(region.store, region.feed.revision);
        await done.catch(() => undefined);
      }
      await region.feed.applied(region.store.status().revision);
      await using fresh = await start({ store: region.store });
      expect(fresh.state.list()).toEqual(state.list());
      for (const name of ['a', 'ab', 'abc', 'b', 'x']) expect(fresh.state.resolve(name)).toEqual(state.resolve(name));
      expect(fresh.state.index(PREPARED_TOPIC)).toBe(state.index(PREPARED_TOPIC));
      const names = state.list().map(({ record }) => record.name.toLowerCase());
      expect(new Set(names).size).toBe(names.length);
    }),
    { numRuns: 25 },
  );
});

test('load() leaves out and reports what drover did not write', async () => {
  const errors: unknown[] = [];
  const state = new PreparedState({ report: (error) => errors.push(error) });
  const entry = { createRevision: 2, modRevision: 2 };
  state.load(
    [
      { key: 'pq/a', value: '{', ...entry },
      { key: 'pq/b', value: '{"id":"c"}', ...entry },
    ],
    2,
  );
  expect(state.list()).toEqual([]);
  expect(errors).toHaveLength(2);
});
