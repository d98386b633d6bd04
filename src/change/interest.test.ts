import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AppliedChange, NodeView, Transition } from '../registry/index.ts';
import { computeView } from '../registry/index.ts';
import { definitionOf, instanceRecordOf, nodeRecordOf, startTestRegistry } from '../registry/testing.ts';
import type { TestRegistry } from '../registry/testing.ts';
import { interestedKinds } from './interested-kinds.ts';
import type { NodeConsumerKind } from './interested-kinds.ts';
import { Interest } from './interest.ts';
import type { Effect } from './interest.ts';

const KINDS = ['environment', 'balancer', 'listener'] as const;

const said = (effect: Effect): string[] => effect.interested.map(({ node, kind }) => `${kind} ${node}`).toSorted();

const stateOf = (view: NodeView | undefined): string | undefined =>
  view?.environments[0]?.variables.find((one) => one.name === 'API_URL')?.state;

/** Interest over a region, with what each revision did. */
function follow(region: TestRegistry): { interest: Interest; effects: Effect[]; changes: AppliedChange[] } {
  const interest = new Interest(region.catalog);
  const effects: Effect[] = [];
  const changes: AppliedChange[] = [];
  region.feed.onApplied((change) => {
    changes.push(change);
    effects.push(interest.apply(change));
  });
  return { interest, effects, changes };
}

const APP = { id: 'app-www', requires: { API_URL: '{API_URL}', DB: '{DB}' } };
const API = { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' }, localPort: 1100 };
const STAGING = { name: 'staging', runs: ['app-www'], balancer: { address: '127.0.0.1' }, consumers: KINDS };
const API_1 = {
  name: 'api-1',
  address: '127.0.0.2',
  runs: ['api'],
  consumers: KINDS,
  services: [{ service: 'api', port: 1100, status: 'passing' as const }],
};

describe('Interest.apply()', () => {
  test('Interest.apply() names environment and listener of the nodes that require a datastore when it changes', async () => {
    await using region = await startTestRegistry({ nodes: [STAGING, API_1], definitions: [APP, API] });
    const { effects } = follow(region);
    await region.registry.setDatastore('default', '-', 'DB', 'mysql://db2');
    expect(effects.map(said)).toEqual([['environment staging', 'listener staging']]);
    expect(effects[0]?.views.map((view) => view.node)).toEqual(['staging']);
  });

  test('Interest.apply() names the balancers only when a provider is scaled', async () => {
    await using region = await startTestRegistry({ nodes: [STAGING, API_1], definitions: [APP, API] });
    const { effects } = follow(region);
    const node = nodeRecordOf({ name: 'api-3', address: '127.0.0.4' });
    const service = instanceRecordOf({ service: 'api', port: 1100 });
    await region.registry.registerExternal({ node, instance: service });
    expect(effects.flatMap(said)).toEqual(['balancer staging']);
  });

  test('Interest.apply() names nobody when what changed is not required by anyone', async () => {
    await using region = await startTestRegistry({ nodes: [STAGING, API_1], definitions: [APP, API] });
    const { effects } = follow(region);
    await region.registry.setDatastore('default', '-', 'OTHER', 'x');
    await region.registry.putDefinitions([definitionOf({ id: 'lonely' })]);
    expect(effects.map(said)).toEqual([[], []]);
    expect(effects.flatMap((effect) => effect.views)).toEqual([]);
  });

  test('Interest.apply() names a consumer that waits for a name when a definition begins to provide it', async () => {
    await using region = await startTestRegistry({ nodes: [STAGING], definitions: [APP] });
    const { effects } = follow(region);
    await region.registry.putDefinitions([definitionOf(API)]);
    expect(effects.flatMap(said)).toEqual(['balancer staging', 'environment staging', 'listener staging']);
  });

  test('Interest.apply() sends a view only when something in it is another', async () => {
    await using region = await startTestRegistry({
      nodes: [STAGING, { name: 'ext', services: [{ service: 'api', port: 1, status: 'critical' }] }],
      definitions: [APP, API],
      datastores: { DB: 'x' },
    });
    const { effects } = follow(region);
    await region.registry.registerExternal({ node: { name: 'ext', address: '127.0.0.1', meta: { a: 'b' } } });
    expect(effects.flatMap((effect) => effect.views)).toEqual([]);
    const definition = { ...API, localPort: null };
    await region.registry.putDefinitions([definitionOf(definition)]);
    await region.registry.removeDefinition('default', 'api');
    const states = effects.map((effect) => stateOf(effect.views.find((view) => view.node === 'staging')));
    expect(states).toEqual([undefined, 'waiting', 'missing']);
  });

  test('Interest gives a node without consumers a view once it has greeted, and then what its definitions say of checks', async () => {
    const checks = [{ tcp: '{HOST}:{PORT}', intervalMs: 1_000 }];
    await using region = await startTestRegistry({ nodes: [{ name: 'plain' }] });
    const { interest, effects } = follow(region);
    expect(interest.view('plain')).toBeUndefined();
    expect(interest.adopt('plain', {})?.checks).toEqual({});
    const instance = (service: string, port: number): Transition => ({
      type: 'instance',
      instance: instanceRecordOf({ service, port }),
      checks: [],
    });
    await region.registry.report('plain', [instance('web', 80), instance('other', 1)]);
    await region.registry.putDefinitions([definitionOf({ id: 'web', checks })]);
    await region.registry.report('plain', [instance('other', 2)]);
    await region.registry.report('plain', [instance('web', 81)]);
    await region.registry.removeDefinition('default', 'web');
    const offered = effects.flatMap(({ views }) => views.map((view) => view.checks['web']?.[0]?.tcp));
    expect(offered).toEqual(['127.0.0.1:80', '127.0.0.1:81', undefined]);
    expect(effects.flatMap(said)).toEqual([]);
  });

  test('Interest.apply() wants nothing of a node whose consumers have nothing to do', async () => {
    await using region = await startTestRegistry();
    const { interest, effects } = follow(region);
    const node = nodeRecordOf({ name: 'idle', consumers: KINDS });
    await region.registry.syncNode({ node, instances: [], checks: [] });
    expect(effects.flatMap(said)).toEqual([]);
    expect(interest.view('idle')?.node).toBe('idle');
  });

  test('Interest.apply() forgets a node that is deregistered', async () => {
    await using region = await startTestRegistry({ nodes: [STAGING], definitions: [APP] });
    const { interest } = follow(region);
    await region.registry.deregister({ node: 'staging' });
    expect(interest.view('staging')).toBeUndefined();
  });
});

describe('Interest.adopt()', () => {
  const direct = { ...API, localPort: null };
  const two = ['api-1', 'api-2'].map((name) => ({ ...API_1, name }));

  test.each(['api-1/api', 'api-2/api'])(
    'Interest.adopt() goes on with %s when the node had chosen it',
    async (instance) => {
      await using region = await startTestRegistry({ nodes: [STAGING, ...two], definitions: [APP, direct] });
      const interest = new Interest(region.catalog);
      const choices = { 'app-www/API_URL': { instance, value: 'http://old' } };
      expect(interest.adopt('staging', choices)?.choices['app-www/API_URL']?.instance).toBe(instance);
      expect(interest.view('staging')?.choices['app-www/API_URL']?.instance).toBe(instance);
    },
  );

  test('Interest.adopt() keeps the choices of a node that is not registered yet until it is', async () => {
    await using region = await startTestRegistry({ definitions: [APP, direct] });
    const { interest } = follow(region);
    const choice = { instance: 'api-9/api', value: 'http://last-known' };
    expect(interest.adopt('staging', { 'app-www/API_URL': choice })).toBeUndefined();
    const node = nodeRecordOf(STAGING);
    await region.registry.syncNode({ node, instances: [], checks: [] });
    expect(interest.view('staging')?.choices['app-www/API_URL']).toEqual(choice);
  });
});

/** One thing that can happen to a region, over few names so that they meet. */
type Act = (region: TestRegistry) => Promise<unknown>;

const NODES = ['n1', 'n2', 'n3', 'n4'] as const;
const SERVICES = ['a', 'b', 'c'] as const;
const NAMES = ['A', 'B', 'C', 'D'] as const;
const STATUSES = ['passing', 'warning', 'critical', 'unknown'] as const;

const node = fc.constantFrom(...NODES);
const service = fc.constantFrom(...SERVICES);
const name = fc.constantFrom(...NAMES);
const federation = fc.constantFrom('default', 'default', 'default', 'default', 'pci');

const syncNode = fc
  .record({
    name: node,
    federation,
    runs: fc.uniqueArray(service, { minLength: 1, maxLength: 2 }),
    balancer: fc.constantFrom(null, { address: '127.0.0.1' }, { address: '127.0.0.9' }),
    consumers: fc.subarray([...KINDS]),
    membership: fc.boolean(),
    instances: fc.uniqueArray(
      fc.record({
        service,
        port: fc.constantFrom(0, 80, 81),
        draining: fc.boolean(),
        status: fc.constantFrom(...STATUSES),
      }),
      { maxLength: 2, selector: (one) => one.service },
    ),
  })
  .map(({ instances, ...record }): Act => {
    const checks = instances.map((one) => checkOf(one.service, one.status));
    const records = instances.map(({ status: _status, ...one }) => instanceRecordOf(one));
    return (region) => region.registry.syncNode({ node: nodeRecordOf(record), instances: records, checks });
  });

const flap = fc.record({ node, service, status: fc.constantFrom(...STATUSES) }).map(
  (one): Act =>
    (region) =>
      region.registry.report(one.node, [{ type: 'check', check: checkOf(one.service, one.status) }]),
);

const liveness = fc.record({ node, status: fc.constantFrom('up', 'suspected', 'down', 'left') }).map(
  (one): Act =>
    (region) =>
      region.registry.setAlive(one.node, { status: one.status as 'up', since: '2026-01-01T00:00:00.000Z' }),
);

const define = fc
  .record({
    id: service,
    federation,
    localPort: fc.constantFrom(null, 80, 81),
    shared: fc.boolean(),
    panic: fc.constantFrom('empty' as const, 'keep' as const),
    requires: fc.dictionary(fc.constantFrom('X', 'Y'), fc.constantFrom('{A}', '{B}{C}', '{a.A}', 'plain'), {
      maxKeys: 2,
    }),
    requiresServices: fc.uniqueArray(service, { maxLength: 1 }),
    provides: fc.dictionary(name, fc.constantFrom('{HOST}:{PORT}', '{META.k}', 'x'), { maxKeys: 2 }),
  })
  .map(
    (one): Act =>
      (region) =>
        region.registry.putDefinitions([definitionOf(one)]),
  );

const undefine = fc.record({ federation, service }).map(
  (one): Act =>
    (region) =>
      region.registry.removeDefinition(one.federation, one.service),
);
const setDatastore = fc.record({ federation, name, region: fc.constantFrom('-', 'aws', 'joyent'), value: name }).map(
  (one): Act =>
    (region) =>
      region.registry.setDatastore(one.federation, one.region, one.name, one.value),
);
const removeDatastore = fc.record({ federation, name }).map(
  (one): Act =>
    (region) =>
      region.registry.removeDatastore(one.federation, '-', one.name),
);
const deregister = fc.record({ node, service: fc.option(service) }).map(
  (one): Act =>
    (region) =>
      region.registry.deregister({ node: one.node, ...(one.service === null ? {} : { serviceId: one.service }) }),
);

function checkOf(id: string, status: (typeof STATUSES)[number]): never {
  const check = { id: `service:${id}`, name: id, serviceId: id, status, output: '', notes: '', type: 'ttl' };
  return { ...check, interval: '', timeout: '', definition: {}, since: '2026-01-01T00:00:00.000Z' } as never;
}

/** Every node's view and interest by looking at all of them: what the index must agree with. */
class EveryNode {
  readonly #views = new Map<string, { view: NodeView; kinds: readonly NodeConsumerKind[] }>();

  apply(region: TestRegistry): string[] {
    const interested: string[] = [];
    for (const known of this.#views.keys()) if (region.catalog.node(known) === undefined) this.#views.delete(known);
    for (const { record } of region.catalog.nodes()) {
      const before = this.#views.get(record.name);
      // One that lost its consumers goes on with its choices: they are what it comes back to.
      if (record.consumers.length === 0 && before === undefined) continue;
      const view = computeView(region.catalog, record.name, before?.view ?? null) as NodeView;
      for (const kind of record.consumers) {
        const previous = before?.kinds.includes(kind) === true ? before.view : null;
        if (interestedKinds(previous, view, [kind]).length > 0) interested.push(`${kind} ${record.name}`);
      }
      this.#views.set(record.name, { view, kinds: record.consumers });
    }
    return interested.toSorted();
  }

  contents(): unknown[] {
    const consuming = [...this.#views.values()].filter(({ kinds }) => kinds.length > 0);
    return consuming.map(({ view }) => ({ ...view, revision: 0 })).toSorted(byNode);
  }
}

const byNode = (a: { node: string }, b: { node: string }): number => (a.node < b.node ? -1 : 1);

describe('Interest', () => {
  test('Interest finds by index exactly what looking at every node finds', async () => {
    const act = fc.oneof(
      { weight: 4, arbitrary: syncNode },
      { weight: 4, arbitrary: define },
      { weight: 3, arbitrary: flap },
      liveness,
      undefine,
      { weight: 3, arbitrary: setDatastore },
      removeDatastore,
      deregister,
    );
    const property = fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 30 }), async (acts) => {
      await using region = await startTestRegistry();
      const interest = new Interest(region.catalog);
      const every = new EveryNode();
      region.feed.onApplied((change) => {
        expect(said(interest.apply(change))).toEqual(every.apply(region));
        const withConsumers = NODES.filter((one) => region.catalog.node(one)?.record.consumers.length !== 0);
        const views = withConsumers.map((one) => interest.view(one)).filter((view) => view !== undefined);
        expect(views.map((view) => ({ ...view, revision: 0 })).toSorted(byNode)).toEqual(every.contents());
      });
      for (const one of acts) await one(region).catch(expectRefusal);
      expect(region.errors).toEqual([]);
    });
    await fc.assert(property, { numRuns: 80 });
  });
});

function expectRefusal(error: unknown): void {
  expect((error as { code?: string }).code).toMatch(/^(REGISTRY|DEFINITION)_/);
}
