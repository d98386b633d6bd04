import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NodeView } from '../registry/index.ts';
import { computeView } from '../registry/index.ts';
import { definitionOf, instanceRecordOf, nodeRecordOf, startTestRegistry } from '../registry/testing.ts';
import type { TestRegistry } from '../registry/testing.ts';
import { interestedKinds } from './interested-kinds.ts';
import type { NodeConsumerKind } from './interested-kinds.ts';
import { Interest } from './interest.ts';
import type { Effect } from './interest.ts';

const KINDS = ['environment', 'balancer', 'listener'] as const;

const said = (effect: Effect): string[] => effect.interested.map(({ node, kind }) => `${kind} ${node}`).toSorted();

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

function expectRefusal(error: unknown): void {
  expect((error as { code?: string }).code).toMatch(/^(REGISTRY|DEFINITION)_/);
}
