import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, DroverError, FakeClock } from '../lib/index.ts';
import { Catalog, reapTombstones, topic } from '../registry/index.ts';
import type { CheckRecord, InstanceRecord, Transition } from '../registry/index.ts';
import { checkRecordOf, definitionOf, instanceRecordOf, nodeRecordOf, startTestRegistry } from '../registry/testing.ts';
import type { TestRegistry } from '../registry/testing.ts';
import { familyOf } from '../registry/index.ts';
import { prefixRange } from '../store/index.ts';
import { Kv, kvPrefixTopic, KvWrites, kvTopic, Sessions, sessionTopic, SessionWrites, Transactions } from './index.ts';
import { kvOp } from './testing.ts';

const NODES = ['n1', 'n2', 'n/3'];
const SERVICES = ['api', 'www', 'a b'];
const FEDERATIONS = ['default', 'staging'];
const DEFINITIONS = ['api', 'www'];
const NAMES = ['API_URL', 'DB_URL'];
const REGIONS = ['-', 'aws'];
const KEYS = ['a', 'a/b', 'a/b/c', 'b', '\u{ff}x'];
const PREFIXES = ['', 'a', 'a/', 'a/b', 'b', 'never'];

/** Every kind of query there is, and what the answer to it hangs on. */
const CATALOG_TOPICS: ReadonlyMap<string, (catalog: Catalog) => unknown> = new Map([
  [topic.nodes, (catalog) => catalog.nodes().map((node) => [node.record, node.alive])],
  [topic.services, (catalog) => catalog.serviceNames().map((name) => catalog.instances(name).map((one) => one.record))],
  [
    topic.checks,
    (catalog) => catalog.nodes().map((node) => [node.record.name, node.alive, checksOn(node), instancesOn(node)]),
  ],
  [topic.definitions, (catalog) => catalog.definitions()],
  [topic.datastores, (catalog) => catalog.datastores()],
  ...[...NODES, 'never'].flatMap((name): [string, (catalog: Catalog) => unknown][] => [
    [topic.node(name), (catalog) => nodeContent(catalog, name)],
    [
      topic.nodeChecks(name),
      (catalog) => {
        const node = catalog.node(name);
        return node && [node.alive, [...node.checks.values()]];
      },
    ],
  ]),
  ...[...SERVICES, 'never'].map((name): [string, (catalog: Catalog) => unknown] => [
    topic.service(name),
    (catalog) =>
      catalog
        .instances(name)
        .map((one) => [
          one.record,
          one.modRevision,
          [...one.checks.values()],
          one.node.record,
          one.node.alive,
          [...one.node.checks.values()],
        ]),
  ]),
  ...FEDERATIONS.flatMap((federation) =>
    DEFINITIONS.map((id): [string, (catalog: Catalog) => unknown] => [
      topic.definition(federation, id),
      (catalog) => catalog.definition(federation, id),
    ]),
  ),
  ...FEDERATIONS.flatMap((federation) =>
    NAMES.map((name): [string, (catalog: Catalog) => unknown] => [
      topic.datastore(federation, name),
      (catalog) => REGIONS.map((region) => catalog.datastore(federation, region, name)),
    ]),
  ),
]);

const KV_TOPICS: ReadonlyMap<string, (kv: Kv) => unknown> = new Map([
  ...[...KEYS, 'never'].map((key): [string, (kv: Kv) => unknown] => [kvTopic(key), (kv) => kv.get(key)]),
  ...PREFIXES.map((prefix): [string, (kv: Kv) => unknown] => [kvPrefixTopic(prefix), (kv) => kv.list(prefix)]),
]);

const SESSION_IDS = ['s1', 's2'];
const SESSION_TOPICS: ReadonlyMap<string, (sessions: Sessions) => unknown> = new Map([
  [sessionTopic.all, (sessions) => sessions.list()],
  ...[...SESSION_IDS, 'never'].map((id): [string, (sessions: Sessions) => unknown] => [
    sessionTopic.one(id),
    (sessions) => sessions.get(id),
  ]),
  ...[...NODES, 'never'].map((name): [string, (sessions: Sessions) => unknown] => [
    sessionTopic.ofNode(name),
    (sessions) => sessions.ofNode(name),
  ]),
]);

type Node = NonNullable<ReturnType<Catalog['node']>>;

function instancesOn(node: Node): unknown {
  return [...node.instances.values()].map((one) => [one.record, one.createRevision, one.modRevision]);
}

function checksOn(node: Node): unknown {
  const own = [...node.checks.values()];
  return [own, [...node.instances.values()].map((one) => [...one.checks.values()])];
}

function nodeContent(catalog: Catalog, name: string): unknown {
  const node = catalog.node(name);
  return node && [node.record, node.alive, node.createRevision, node.modRevision, instancesOn(node), checksOn(node)];
}

interface World extends TestRegistry {
  readonly clock: FakeClock;
  readonly kv: Kv;
  readonly writes: KvWrites;
  readonly sessions: Sessions;
  readonly sessionWrites: SessionWrites;
  readonly transactions: Transactions;
}

type Step = (world: World) => Promise<unknown>;

const node = fc.constantFrom(...NODES);
const serviceId = fc.constantFrom('s1', 's2', 's3');
const status = fc.constantFrom('passing', 'warning', 'critical', 'unknown' as const);
const instance: fc.Arbitrary<InstanceRecord> = fc
  .record({ id: serviceId, service: fc.constantFrom(...SERVICES), port: fc.nat(3) })
  .map(instanceRecordOf);
const check = (on: string): fc.Arbitrary<CheckRecord> =>
  fc
    .record({ id: fc.constantFrom('c1', 'c2', 'c3'), status, notes: fc.constantFrom('', 'x') })
    .map((one) => checkRecordOf({ ...one, id: on === '' ? one.id : `${on}:${one.id}`, serviceId: on }));
const checks = (on: string): fc.Arbitrary<CheckRecord[]> =>
  fc.uniqueArray(check(on), { selector: (one) => one.id, maxLength: 2 });

const transition: fc.Arbitrary<Transition> = fc.oneof(
  instance.chain((one) => checks(one.id).map((all): Transition => ({ type: 'instance', instance: one, checks: all }))),
  serviceId.map((id): Transition => ({ type: 'instance-gone', id })),
  fc
    .oneof(serviceId, fc.constant(''))
    .chain((on) => check(on).map((one): Transition => ({ type: 'check', check: one }))),
  fc.constantFrom('c1', 's1:c1', 's2:c2').map((id): Transition => ({ type: 'check-gone', id })),
  fc
    .constantFrom('up', 'suspected', 'down', 'left' as const)
    .map((one): Transition => ({ type: 'alive', alive: { status: one, since: '' } })),
);

const registration = fc
  .record({
    name: node,
    address: fc.constantFrom('10.0.0.1', '10.0.0.2'),
    instances: fc.uniqueArray(instance, { selector: (one) => one.id, maxLength: 3 }),
    nodeChecks: checks(''),
  })
  .chain(({ name, address, instances, nodeChecks }) =>
    fc.tuple(...instances.map((one) => checks(one.id))).map((own) => ({
      node: nodeRecordOf({ name, address }),
      instances,
      checks: [...nodeChecks, ...own.flat()],
    })),
  );

const definition = fc
  .record({
    id: fc.constantFrom(...DEFINITIONS),
    federation: fc.constantFrom(...FEDERATIONS),
    provides: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 2 }),
  })
  .map(({ provides, ...rest }) =>
    definitionOf({ ...rest, provides: Object.fromEntries(provides.map((name) => [name, 'x'])) }),
  );

const place = fc.tuple(fc.constantFrom(...FEDERATIONS), fc.constantFrom(...REGIONS), fc.constantFrom(...NAMES));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: registration.map(
      (one): Step =>
        ({ registry }) =>
          registry.syncNode(one),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(node, fc.array(transition, { minLength: 1, maxLength: 3 })).map(
      ([name, transitions]): Step =>
        ({ registry }) =>
          registry.report(name, transitions),
    ),
  },
  fc.tuple(node, instance).map(
    ([name, one]): Step =>
      ({ registry }) =>
        registry.registerExternal({ node: { name, address: '10.1.1.1' }, instance: one }),
  ),
  node.map(
    (name): Step =>
      ({ registry }) =>
        registry.deregister({ node: name }),
  ),
  fc.tuple(node, serviceId).map(
    ([name, id]): Step =>
      ({ registry }) =>
        registry.deregister({ node: name, serviceId: id }),
  ),
  fc.tuple(node, fc.constantFrom('c1', 's1:c1')).map(
    ([name, checkId]): Step =>
      ({ registry }) =>
        registry.deregister({ node: name, checkId }),
  ),
  fc.array(definition, { minLength: 1, maxLength: 2 }).map(
    (all): Step =>
      ({ registry }) =>
        registry.putDefinitions(all),
  ),
  fc.tuple(fc.constantFrom(...FEDERATIONS), fc.constantFrom(...DEFINITIONS)).map(
    ([federation, id]): Step =>
      ({ registry }) =>
        registry.removeDefinition(federation, id),
  ),
  fc.tuple(place, fc.constantFrom('1', '2')).map(
    ([where, value]): Step =>
      ({ registry }) =>
        registry.setDatastore(...where, value),
  ),
  place.map(
    (where): Step =>
      ({ registry }) =>
        registry.removeDatastore(...where),
  ),
  fc.tuple(fc.constantFrom(...KEYS), fc.constantFrom('', 'v', 'w')).map(
    ([key, value]): Step =>
      ({ writes }) =>
        writes.put(key, Buffer.from(value)),
  ),
  fc.constantFrom(...KEYS).map(
    (key): Step =>
      ({ writes }) =>
        writes.delete(key),
  ),
  fc.constantFrom(...PREFIXES).map(
    (prefix): Step =>
      ({ writes }) =>
        writes.deleteTree(prefix),
  ),
  {
    weight: 2,
    arbitrary: fc
      .record({ node, behavior: fc.constantFrom('release', 'delete'), checks: fc.constantFrom([], ['c1']) })
      .map(
        (input): Step =>
          ({ sessionWrites }) =>
            sessionWrites.create(input),
      ),
  },
  fc.constantFrom(...SESSION_IDS).map(
    (id): Step =>
      ({ sessionWrites }) =>
        sessionWrites.destroy(id),
  ),
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...KEYS), fc.constantFrom(...SESSION_IDS)).map(
      ([key, session]): Step =>
        ({ transactions }) =>
          transactions.run([kvOp('lock', key, { session }), kvOp('set', 'b', { value: session })]),
    ),
  },
  { weight: 1, arbitrary: fc.nat(12).map((ago): Step => reapUntil(ago)) },
);

function reapUntil(ago: number): Step {
  return async ({ store, feed }) => {
    await reapTombstones(store, store.status().revision - ago);
    await feed.applied(store.status().revision);
  };
}

async function startWorld(): Promise<World> {
  const clock = new FakeClock();
  const kv = new Kv();
  const sessions = new Sessions({ clock });
  const region = await startTestRegistry({ projections: [kv, sessions], clock });
  const { feed, catalog } = region;
  const newId = (): string => SESSION_IDS.find((id) => sessions.stored(id) === undefined) ?? 'taken';
  const parts = { feed, kv, sessions, catalog, clock, newId };
  const sessionWrites = await SessionWrites.start(parts);
  return {
    ...region,
    clock,
    kv,
    sessions,
    sessionWrites,
    writes: new KvWrites(parts),
    transactions: new Transactions(parts),
    async [Symbol.asyncDispose]() {
      await sessionWrites[Symbol.asyncDispose]();
      await region[Symbol.asyncDispose]();
    },
  };
}

type Answering = Pick<World, 'catalog' | 'kv' | 'sessions'>;

async function reloaded({ store }: World): Promise<Answering> {
  const { entries, revision } = await store.read(prefixRange(''));
  const catalog = new Catalog({ region: 'aws' });
  const kv = new Kv();
  const sessions = new Sessions();
  for (const projection of [catalog, kv, sessions])
    projection.load(
      entries.filter((entry) => (projection.families as readonly string[]).includes(familyOf(entry.key))),
      revision,
    );
  return { catalog, kv, sessions };
}

/** Index and content of every query. */
function answers({ catalog, kv, sessions }: Answering): Map<string, { index: number; content: string }> {
  return new Map([
    ...CATALOG_TOPICS.entries().map(
      ([name, content]) => [name, { index: catalog.index(name), content: canonicalJson(content(catalog)) }] as const,
    ),
    ...SESSION_TOPICS.entries().map(
      ([name, content]) =>
        [name, { index: sessions.index(name), content: canonicalJson(content(sessions) ?? null) }] as const,
    ),
    ...KV_TOPICS.entries().map(
      ([name, content]) => [name, { index: kv.index(name), content: canonicalJson(content(kv)) }] as const,
    ),
  ]);
}

async function attempt(task: Promise<unknown>): Promise<void> {
  await task.catch((error: unknown) => {
    if (!(error instanceof DroverError)) throw error;
  });
}

test('index() of every kind of query is the same after a reload, at every step of random histories', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const world = await startWorld();
      try {
        let before = answers(world);
        for (const one of steps) {
          await attempt(one(world));
          await world.clock.advance(0);
          const running = answers(world);
          const again = answers(await reloaded(world));
          for (const [name, { index, content }] of running) {
            expect(again.get(name)?.index === index, `${name}: index after a reload`).toBe(true);
            expect(again.get(name)?.content === content, `${name}: content after a reload`).toBe(true);
            const last = before.get(name);
            const rises = content === last?.content ? index >= last.index : index > (last?.index ?? 1);
            expect(rises, `${name}: index ${last?.index} became ${index}`).toBe(true);
          }
          before = running;
        }
        expect(world.errors).toEqual([]);
      } finally {
        await world[Symbol.asyncDispose]();
      }
    }),
    { numRuns: 25 },
  );
});

test('index() is 1 for what never was, whatever else happens', async () => {
  await using world = await startWorld();
  await world.registry.syncNode({
    node: nodeRecordOf({ name: 'n1' }),
    instances: [instanceRecordOf({ service: 'api' })],
    checks: [],
  });
  await world.registry.deregister({ node: 'n1' });
  await world.writes.put('a/b', Buffer.from('v'));
  await world.writes.deleteTree('a');
  for (const name of [topic.service('never'), topic.node('never'), topic.definition('default', 'never')])
    expect(world.catalog.index(name), name).toBe(1);
  for (const name of [kvTopic('never'), kvPrefixTopic('never/')]) expect(world.kv.index(name), name).toBe(1);
});
