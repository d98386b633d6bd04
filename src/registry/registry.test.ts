import { expect, test } from 'vitest';
import type { Revision } from '../store/index.ts';
import type { AppliedChange } from './feed.ts';
import { healthOf } from './health-of.ts';
import { topic } from './keys.ts';
import type { Registry } from './registry.ts';
import {
  checkRecordOf,
  definitionOf,
  instanceRecordOf,
  nodeRecordOf,
  startTestRegistry,
  type TestRegistry,
} from './testing.ts';
import type { NodeRegistration } from './transition.ts';

const api = (port = 1100) => instanceRecordOf({ service: 'api', port });
const apiCheck = (status: 'passing' | 'unknown' | 'critical' | 'warning', more = {}) =>
  checkRecordOf({ id: 'service:api', serviceId: 'api', status, ...more });

function registrationOf(more: Partial<NodeRegistration> = {}): NodeRegistration {
  const { external: _, ...node } = nodeRecordOf({ name: 'n1' });
  return { node, instances: [api()], checks: [apiCheck('passing')], ...more };
}

/** Revisions and what they said, from now on. */
function follow({ feed }: TestRegistry): AppliedChange[] {
  const changes: AppliedChange[] = [];
  feed.onApplied((change) => changes.push(change));
  return changes;
}

const indexes = ({ catalog }: TestRegistry, ...topics: string[]): number[] => topics.map((name) => catalog.index(name));

test('syncNode() makes the region hold what the agent says, in one revision, and the node up', async () => {
  await using region = await startTestRegistry();
  const changes = follow(region);
  const revision = await region.registry.syncNode(registrationOf(), 1);
  expect(changes.map((change) => change.revision)).toEqual([revision]);
  expect(region.catalog.node('n1')).toMatchObject({ alive: { status: 'up' }, record: { external: false } });
  expect(region.catalog.instances('api').map((one) => healthOf(one))).toEqual(['passing']);
});

test('syncNode() writes nothing that is so already: no revision, no index', async () => {
  await using region = await startTestRegistry();
  const first = await region.registry.syncNode(registrationOf(), 1);
  const changes = follow(region);
  const again = registrationOf({ checks: [apiCheck('passing', { output: 'other', since: 'later' })] });
  expect(await region.registry.syncNode(again, 1)).toBe(first);
  expect(changes).toEqual([]);
});

test('syncNode() removes what the agent does not know, with tombstones', async () => {
  await using region = await startTestRegistry();
  const disk = checkRecordOf({ id: 'disk' });
  const www = instanceRecordOf({ service: 'www' });
  await region.registry.syncNode(registrationOf({ instances: [api(), www], checks: [apiCheck('passing'), disk] }));
  const changes = follow(region);
  const revision = await region.registry.syncNode(registrationOf({ instances: [www], checks: [] }));
  expect(changes.map((change) => change.summary)).toEqual([['api@n1 gone']]);
  expect(region.catalog.serviceNames()).toEqual(['www']);
  const topics = [topic.service('api'), topic.services, topic.node('n1'), topic.checks, topic.nodeChecks('n1')];
  expect(indexes(region, ...topics, topic.service('www'))).toEqual(Array(6).fill(revision));
});

test('syncNode() does not let "no result yet" overwrite the status of the very same check', async () => {
  await using region = await startTestRegistry();
  await region.registry.syncNode(registrationOf({ checks: [apiCheck('critical')] }));
  const status = () => region.catalog.instances('api')[0]?.checks.get('service:api')?.record.status;
  await region.registry.syncNode(registrationOf({ checks: [apiCheck('unknown')] }));
  expect(status()).toBe('critical');
  await region.registry.syncNode(registrationOf({ checks: [apiCheck('unknown', { definition: { HTTP: 'x' } })] }));
  expect(status()).toBe('unknown');
});

test('syncNode() of an older epoch is refused, of a newer one taken up', async () => {
  await using region = await startTestRegistry();
  await region.registry.syncNode(registrationOf(), 5);
  const old = { code: 'REGISTRY_OLD_EPOCH' };
  await expect(region.registry.syncNode(registrationOf({ instances: [], checks: [] }), 4)).rejects.toMatchObject(old);
  const gone = { type: 'instance-gone', id: 'api' } as const;
  await expect(region.registry.report('n1', [gone], 4)).rejects.toMatchObject(old);
  expect(region.catalog.instances('api')).toHaveLength(1);
  await region.registry.report('n1', [gone], 5);
  await region.registry.syncNode(registrationOf(), 6);
  await expect(region.registry.syncNode(registrationOf(), 5)).rejects.toMatchObject(old);
});

test('syncNode() takes a node up again that was down', async () => {
  await using region = await startTestRegistry({ nodes: [{ name: 'n1', alive: 'down', services: ['api'] }] });
  await region.registry.syncNode(registrationOf());
  expect(region.catalog.node('n1')?.alive.status).toBe('up');
});

test('syncNode() refuses what cannot be', async () => {
  await using region = await startTestRegistry();
  const table: [Partial<NodeRegistration>, string][] = [
    [{ instances: [api(), api(1)] }, 'REGISTRY_BAD_REGISTRATION'],
    [{ checks: [apiCheck('passing'), apiCheck('critical')] }, 'REGISTRY_BAD_REGISTRATION'],
    [{ instances: [] }, 'REGISTRY_UNKNOWN_INSTANCE'],
  ];
  for (const [more, code] of table)
    await expect(region.registry.syncNode(registrationOf(more))).rejects.toMatchObject({ code });
  expect(region.catalog.nodes()).toEqual([]);
});

test('syncNode() of more than fits in one transaction takes several, deregistrations first', async () => {
  await using region = await startTestRegistry();
  const many = (name: string) => {
    const instances = Array.from({ length: 150 }, (_, n) => instanceRecordOf({ id: `${name}${n}`, service: name }));
    return { instances, checks: instances.map(({ id }) => checkRecordOf({ id: `c:${id}`, serviceId: id })) };
  };
  await region.registry.syncNode(registrationOf(many('old')), 1);
  const changes = follow(region);
  const seen: number[][] = [];
  region.feed.onApplied(() =>
    seen.push(
      ['old', 'new'].map((name) => region.catalog.instances(name).filter((one) => one.checks.size === 1).length),
    ),
  );
  await region.registry.syncNode(registrationOf(many('new')), 2);
  expect(changes.length).toBeGreaterThan(2);
  expect(seen.at(-1)).toEqual([0, 150]);
  expect(seen.every(([old = 0, fresh = 0]) => fresh === 0 || old === 0)).toBe(true);
  // No instance was ever seen without its check.
  expect(region.catalog.instances('new')).toHaveLength(150);
});

test('report() writes transitions together, and nothing when they change nothing', async () => {
  await using region = await startTestRegistry();
  await region.registry.syncNode(registrationOf());
  const changes = follow(region);
  await region.registry.report('n1', [
    { type: 'instance', instance: instanceRecordOf({ service: 'www' }), checks: [checkRecordOf({ id: 'w' })] },
    { type: 'check', check: apiCheck('critical') },
  ]);
  expect(changes.map((change) => change.summary)).toEqual([['www@n1 registered', 'api@n1 critical']]);
  await region.registry.report('n1', [
    { type: 'check', check: apiCheck('critical', { output: 'still' }) },
    { type: 'check', check: checkRecordOf({ id: 'x', serviceId: 'never' }) },
    { type: 'check-gone', id: 'never' },
    { type: 'instance-gone', id: 'never' },
  ]);
  expect(changes).toHaveLength(1);
});

test('report() of an instance replaces all of its checks', async () => {
  await using region = await startTestRegistry();
  await region.registry.syncNode(registrationOf({ checks: [apiCheck('passing'), checkRecordOf({ id: 'disk' })] }));
  const checks = [checkRecordOf({ id: 'other', serviceId: 'api' })];
  await region.registry.report('n1', [{ type: 'instance', instance: api(9), checks }]);
  const [instance] = region.catalog.instances('api');
  expect([instance?.record.port, [...(instance?.checks.keys() ?? [])]]).toEqual([9, ['other']]);
  expect(region.catalog.node('n1')?.checks.size).toBe(1);
});

test('report() lets a check move from one service to another', async () => {
  await using region = await startTestRegistry();
  const www = instanceRecordOf({ service: 'www' });
  const check = checkRecordOf({ id: 'c', serviceId: 'api' });
  await region.registry.syncNode(registrationOf({ instances: [api(), www], checks: [check] }));
  const revision = await region.registry.report('n1', [{ type: 'check', check: { ...check, serviceId: 'www' } }]);
  expect(region.catalog.instances('api')[0]?.checks.size).toBe(0);
  expect(region.catalog.instances('www')[0]?.checks.size).toBe(1);
  expect(indexes(region, topic.service('api'), topic.service('www'))).toEqual([revision, revision]);
});

test('report() of an unknown node is refused', async () => {
  await using region = await startTestRegistry();
  const report = region.registry.report('never', [{ type: 'check-gone', id: 'x' }]);
  await expect(report).rejects.toMatchObject({ code: 'REGISTRY_UNKNOWN_NODE', status: 404 });
});

test('report() while another one is under way is written together with those that wait, and fails alone', async () => {
  await using region = await startTestRegistry();
  await region.registry.syncNode(registrationOf(), 2);
  const changes = follow(region);
  const register = (service: string, epoch?: number): Promise<Revision> =>
    region.registry.report('n1', [{ type: 'instance', instance: instanceRecordOf({ service }), checks: [] }], epoch);
  const results = await Promise.allSettled([register('a'), register('b'), register('c', 1), register('d')]);
  expect(results.map((one) => one.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(changes.flatMap((change) => change.summary)).toHaveLength(3);
  expect(changes.length).toBeLessThanOrEqual(2);
});

test('setAlive() writes only another status', async () => {
  await using region = await startTestRegistry({ nodes: [{ name: 'n1', services: ['api'] }] });
  const changes = follow(region);
  await region.registry.setAlive('n1', { status: 'up', since: 'now' });
  expect(changes).toEqual([]);
  await region.registry.setAlive('n1', { status: 'down', since: 'now', evidence: 'silent for 10 s' });
  expect(changes.map((change) => change.summary)).toEqual([['node n1 down', 'api@n1 critical']]);
  expect(changes[0]?.topics).toContain(topic.service('api'));
});

test('registerExternal() makes a node that no agent vouches for, and adds to it', async () => {
  await using region = await startTestRegistry();
  const { registry, catalog } = region;
  await registry.registerExternal({ node: { name: 'ext', address: '10.9.9.9', meta: { rack: '1' } }, instance: api() });
  await registry.registerExternal({ node: { name: 'ext', address: '10.9.9.10' }, checks: [apiCheck('warning')] });
  expect(catalog.node('ext')?.record).toMatchObject({
    external: true,
    address: '10.9.9.10',
    meta: { rack: '1' },
    id: '',
  });
  expect(catalog.instances('api').map((one) => healthOf(one))).toEqual(['warning']);
  await registry.registerExternal({
    node: { name: 'ext', address: '1.1.1.1' },
    skipNodeUpdate: true,
    instance: api(2),
  });
  expect(catalog.node('ext')?.record.address).toBe('10.9.9.10');
});

test('registerExternal() writes nothing that is so already', async () => {
  await using region = await startTestRegistry();
  const registration = { node: { name: 'ext', address: '10.9.9.9' }, instance: api(), checks: [apiCheck('passing')] };
  const revision = await region.registry.registerExternal(registration);
  const again = { ...registration, checks: [apiCheck('passing', { since: 'later' })] };
  expect(await region.registry.registerExternal(again)).toBe(revision);
  const louder = { ...registration, checks: [apiCheck('passing', { output: 'news' })] };
  expect(await region.registry.registerExternal(louder)).toBeGreaterThan(revision);
});

test('registerExternal() leaves an agent its node, and its name while it lives', async () => {
  await using region = await startTestRegistry({
    nodes: [{ name: 'n1', id: 'one', runs: ['api'], services: ['api'] }],
  });
  const { registry, catalog } = region;
  const node = { name: 'n1', address: '5.5.5.5' };
  await registry.registerExternal({ node, instance: instanceRecordOf({ service: 'more' }) });
  expect(catalog.node('n1')?.record).toMatchObject({ external: false, runs: ['api'], address: '5.5.5.5' });
  const taken = registry.registerExternal({ node: { ...node, id: 'two' } });
  await expect(taken).rejects.toThrow('Node name n1 is reserved by node one with name n1 (5.5.5.5)');
  await registry.setAlive('n1', { status: 'down', since: '' });
  await registry.registerExternal({ node: { ...node, id: 'two' } });
  expect(catalog.node('n1')?.record.id).toBe('two');
});

test('registerExternal() refuses a check of a service that is not there', async () => {
  await using region = await startTestRegistry({ nodes: ['n1'] });
  const registration = { node: { name: 'n1', address: '1.1.1.1' }, checks: [apiCheck('passing')] };
  await expect(region.registry.registerExternal(registration)).rejects.toMatchObject({
    code: 'REGISTRY_UNKNOWN_INSTANCE',
  });
});

test('deregister() takes a check, a service with its checks, or the whole node, and what is gone is gone', async () => {
  await using region = await startTestRegistry({
    nodes: [
      {
        name: 'n1',
        services: [{ service: 'api', checks: { a: 'passing', b: 'passing' } }, 'www'],
        checks: { disk: 'passing' },
      },
    ],
  });
  const { registry, catalog } = region;
  const checks = (): string[] => [...(catalog.instances('api')[0]?.checks.keys() ?? [])];
  let last = await registry.deregister({ node: 'n1', checkId: 'a' });
  expect([checks(), catalog.index(topic.service('api'))]).toEqual([['b'], last]);
  last = await registry.deregister({ node: 'n1', checkId: 'disk' });
  expect(indexes(region, topic.nodeChecks('n1'), topic.service('www'))).toEqual([last, last]);
  last = await registry.deregister({ node: 'n1', serviceId: 'api' });
  expect(indexes(region, topic.service('api'), topic.services)).toEqual([last, last]);
  last = await registry.deregister({ node: 'n1' });
  expect(indexes(region, topic.service('www'), topic.nodes, topic.node('n1'))).toEqual([last, last, last]);
  expect([catalog.nodes(), catalog.serviceNames(), catalog.nodeState('n1')]).toEqual([[], [], undefined]);
  for (const gone of [{ node: 'n1' }, { node: 'n1', serviceId: 'x' }, { node: 'n1', checkId: 'x' }])
    expect(await registry.deregister(gone)).toBe(last);
});

test('putDefinitions() is all or nothing', async () => {
  await using region = await startTestRegistry({ definitions: [{ id: 'api', provides: { API_URL: 'x' } }] });
  const changes = follow(region);
  const second = region.registry.putDefinitions([
    definitionOf({ id: 'fine' }),
    definitionOf({ id: 'second', provides: { API_URL: 'y' } }),
  ]);
  await expect(second).rejects.toMatchObject({ code: 'DEFINITION_SECOND_PROVIDER' });
  expect([region.catalog.definitions().length, changes]).toEqual([1, []]);
  const revision = await region.registry.putDefinitions([definitionOf({ id: 'a' }), definitionOf({ id: 'b' })]);
  expect(changes.map((change) => [change.revision, change.summary])).toEqual([
    [revision, ['definition a', 'definition b']],
  ]);
  expect(await region.registry.putDefinitions([definitionOf({ id: 'a' })])).toBe(revision);
});

test('putDefinitions() on two servers at once never brings in two providers of one name', async () => {
  for (let round = 0; round < 5; round++) {
    await using here = await startTestRegistry();
    await using there = await startTestRegistry({ store: here.store });
    const apply = ({ registry }: { registry: Registry }, id: string): Promise<Revision> =>
      registry.putDefinitions([definitionOf({ id, provides: { API_URL: 'x' } })]);
    const results = await Promise.allSettled([
      apply(here, 'a'),
      apply(there, 'b'),
      here.registry.setDatastore('default', '-', 'API_URL', 'z'),
    ]);
    expect(results.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    await here.feed.applied(here.store.status().revision);
    const { catalog } = here;
    expect(catalog.providers('default', 'API_URL').length + catalog.datastores().length).toBe(1);
  }
});

test('removeDefinition() leaves a tombstone, and what is gone is gone', async () => {
  await using region = await startTestRegistry({ definitions: [{ id: 'api' }] });
  const revision = await region.registry.removeDefinition('default', 'api');
  expect(indexes(region, topic.definitions, topic.definition('default', 'api'))).toEqual([revision, revision]);
  expect(await region.registry.removeDefinition('default', 'api')).toBe(revision);
});

test('setDatastore() and removeDatastore() work on exactly one region', async () => {
  await using region = await startTestRegistry({ definitions: [{ id: 'api', provides: { API_URL: 'x' } }] });
  const { registry, catalog } = region;
  await registry.setDatastore('default', '-', 'DB', 'all');
  const own = await registry.setDatastore('default', 'aws', 'DB', 'own');
  expect(await registry.setDatastore('default', 'aws', 'DB', 'own')).toBe(own);
  await registry.removeDatastore('default', 'joyent', 'DB');
  expect(catalog.datastore('default', 'aws', 'DB')?.record.value).toBe('own');
  const last = await registry.removeDatastore('default', 'aws', 'DB');
  expect(catalog.datastore('default', 'aws', 'DB')?.record.value).toBe('all');
  expect(indexes(region, topic.datastores, topic.datastore('default', 'DB'))).toEqual([last, last]);
  await expect(registry.setDatastore('default', '-', 'API_URL', 'x')).rejects.toThrow('API_URL');
});
