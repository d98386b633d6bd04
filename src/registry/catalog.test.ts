import { expect, test } from 'vitest';
import type { Entry, StoreEvent } from '../store/index.ts';
import { Catalog } from './catalog.ts';
import type { ChangeBuilder } from './feed.ts';
import { checkKey, definitionKey, instanceKey, nodeKey, topic } from './keys.ts';
import { catalogOf, checkRecordOf, definitionOf, instanceRecordOf, nodeRecordOf } from './testing.ts';

function newChange(): ChangeBuilder {
  const sets = { topics: new Set<string>(), nodes: new Set<string>(), services: new Set<string>() };
  return { ...sets, definitions: new Set(), datastores: new Set(), summary: [] };
}

function put(key: string, record: unknown, modRevision: number): StoreEvent {
  return { type: 'put', entry: { key, value: JSON.stringify(record), createRevision: modRevision, modRevision } };
}

function apply(catalog: Catalog, revision: number, ...events: StoreEvent[]): ChangeBuilder {
  const change = newChange();
  catalog.apply({ revision, events }, change);
  return change;
}

const names = (catalog: Catalog, service: string): string[] =>
  catalog.instances(service).map((one) => `${one.node.record.name}/${one.record.id}`);

test('instances() come in order of node name, then id, however they were registered', () => {
  const catalog = new Catalog({ region: 'aws' });
  let revision = 2;
  for (const node of ['n2', 'n1', 'n 10']) {
    apply(catalog, ++revision, put(nodeKey(node), nodeRecordOf({ name: node }), revision));
    for (const id of ['b', 'a', 'c'])
      apply(catalog, ++revision, put(instanceKey(node, id), instanceRecordOf({ id, service: 'api' }), revision));
  }
  const order = ['n 10/a', 'n 10/b', 'n 10/c', 'n1/a', 'n1/b', 'n1/c', 'n2/a', 'n2/b', 'n2/c'];
  expect(names(catalog, 'api')).toEqual(order);
  expect(catalog.nodes().map((node) => node.record.name)).toEqual(['n 10', 'n1', 'n2']);
  expect([...(catalog.node('n1')?.instances.keys() ?? [])]).toEqual(['a', 'b', 'c']);
});

test('instances() gives the same list until the service changes, and never changes one it gave', () => {
  const catalog = catalogOf({ nodes: [{ name: 'n1', services: ['api', 'www'] }] });
  const before = catalog.instances('api');
  expect(catalog.instances('api')).toBe(before);
  apply(catalog, 100, put(instanceKey('n1', 'www2'), instanceRecordOf({ id: 'www2', service: 'www' }), 100));
  expect(catalog.instances('api')).toBe(before);
  apply(catalog, 101, { type: 'delete', key: instanceKey('n1', 'api') });
  expect([before.length, catalog.instances('api').length]).toEqual([1, 0]);
  expect(catalog.serviceNames()).toEqual(['www']);
});

test('instances() of an unknown service is empty', () => {
  expect(catalogOf().instances('never')).toEqual([]);
  expect(catalogOf().node('never')).toBeUndefined();
});

test('records are the same object until they change', () => {
  const catalog = catalogOf({ nodes: [{ name: 'n1', services: [{ service: 'api', status: 'passing' }] }] });
  const [instance] = catalog.instances('api');
  const record = instance?.record;
  apply(catalog, 100, put(checkKey('n1', 'service:api'), checkRecordOf({ id: 'service:api', serviceId: 'api' }), 100));
  expect(instance?.record).toBe(record);
  expect(instance?.checks.get('service:api')?.modRevision).toBe(100);
});

test('apply() changes an instance from one service to another', () => {
  const catalog = catalogOf({ nodes: [{ name: 'n1', services: [{ id: 'x', service: 'api' }] }] });
  const change = apply(catalog, 100, put(instanceKey('n1', 'x'), instanceRecordOf({ id: 'x', service: 'www' }), 100));
  expect([names(catalog, 'api'), names(catalog, 'www')]).toEqual([[], ['n1/x']]);
  expect(change.services).toEqual(new Set(['api', 'www']));
  expect(change.topics).toContain(topic.service('api'));
});

test('apply() shows nothing of a node before its record, then all of it', () => {
  const catalog = new Catalog({ region: 'aws' });
  const check = checkRecordOf({ id: 'c', serviceId: 'api', status: 'warning' });
  apply(catalog, 3, put(checkKey('n1', 'c'), check, 3));
  const early = apply(catalog, 4, put(instanceKey('n1', 'api'), instanceRecordOf({ service: 'api' }), 4));
  expect([catalog.nodes(), catalog.serviceNames(), early.topics.size, early.summary]).toEqual([[], [], 0, []]);
  const change = apply(catalog, 5, put(nodeKey('n1'), nodeRecordOf({ name: 'n1' }), 5));
  expect(names(catalog, 'api')).toEqual(['n1/api']);
  expect(catalog.instances('api')[0]?.checks.size).toBe(1);
  expect(change.summary).toEqual(['node n1', 'api@n1 registered']);
  apply(catalog, 6, { type: 'delete', key: nodeKey('n1') });
  expect([catalog.nodes(), names(catalog, 'api')]).toEqual([[], []]);
});

test('apply() touches each service on a node when the node itself changes', () => {
  const catalog = catalogOf({
    nodes: [
      { name: 'n1', services: ['api', 'www'] },
      { name: 'n2', services: ['other'] },
    ],
  });
  const change = apply(
    catalog,
    100,
    put(checkKey('n1', 'disk'), checkRecordOf({ id: 'disk', status: 'critical' }), 100),
  );
  expect(change.services).toEqual(new Set(['api', 'www']));
  expect(change.nodes).toEqual(new Set(['n1']));
  expect(['svc/api', 'svc/www', 'svc/other'].map((name) => catalog.index(name) === 100)).toEqual([true, true, false]);
  expect(change.summary).toEqual(['api@n1 critical', 'www@n1 critical']);
});

test('apply() says for people what happened, and never a value', () => {
  const catalog = catalogOf({ nodes: [{ name: 'n1', services: [{ service: 'api', status: 'unknown' }] }] });
  const passing = checkRecordOf({ id: 'service:api', serviceId: 'api', output: 'secret' });
  expect(apply(catalog, 100, put(checkKey('n1', 'service:api'), passing, 100)).summary).toEqual(['api@n1 passing']);
  const moved = instanceRecordOf({ service: 'api', port: 9 });
  expect(apply(catalog, 101, put(instanceKey('n1', 'api'), moved, 101)).summary).toEqual(['api@n1 changed']);
  expect(apply(catalog, 102, put('alive/n1', { status: 'down', since: '' }, 102)).summary).toEqual([
    'node n1 down',
    'api@n1 critical',
  ]);
  expect(apply(catalog, 103, { type: 'delete', key: instanceKey('n1', 'api') }).summary).toEqual(['api@n1 gone']);
  const datastore = put('ds/default/-/DB_URL', { name: 'DB_URL', value: 'secret' }, 104);
  expect(apply(catalog, 104, datastore).summary).toEqual(['datastore DB_URL']);
  expect(apply(catalog, 105, { type: 'delete', key: 'ds/default/-/DB_URL' }).summary).toEqual([
    'datastore DB_URL gone',
  ]);
  const definition = put(definitionKey('default', 'app'), definitionOf({ id: 'app' }), 106);
  expect(apply(catalog, 106, definition).summary).toEqual(['definition app']);
});

test('apply() bounds what it says of a very large revision', () => {
  const catalog = catalogOf({ nodes: ['n1'] });
  const events = Array.from({ length: 120 }, (_, n) =>
    put(instanceKey('n1', `s${n}`), instanceRecordOf({ service: `s${n}` }), 200),
  );
  const { summary } = apply(catalog, 200, ...events);
  expect(summary).toHaveLength(51);
  expect(summary.at(-1)).toBe('and 70 more');
});

test('apply() leaves out an entry that it cannot read, reports it, and goes on', () => {
  const errors: unknown[] = [];
  const catalog = new Catalog({ region: 'aws', report: (error) => errors.push(error) });
  const broken: Entry = { key: nodeKey('n1'), value: '{', createRevision: 3, modRevision: 3 };
  const good = put(nodeKey('n2'), nodeRecordOf({ name: 'n2' }), 3);
  apply(catalog, 3, { type: 'put', entry: broken }, good, put('node/%E0%A4%A', {}, 3));
  expect(catalog.nodes().map((node) => node.record.name)).toEqual(['n2']);
  expect(errors).toHaveLength(2);
});

test('providers() are the definitions of the federation that provide the name, in order of id', () => {
  const provides = { API_URL: 'x' };
  const catalog = catalogOf({
    definitions: [
      { id: 'b', provides },
      { id: 'a', provides },
      { id: 'c', provides, federation: 'other' },
      { id: 'd', provides: { OTHER: 'x' } },
    ],
  });
  const ids = (): string[] => catalog.providers('default', 'API_URL').map((one) => one.record.id);
  expect(ids()).toEqual(['a', 'b']);
  apply(catalog, 100, put(definitionKey('default', 'a'), definitionOf({ id: 'a' }), 100));
  expect(ids()).toEqual(['b']);
  apply(catalog, 101, { type: 'delete', key: definitionKey('default', 'b') });
  expect(ids()).toEqual([]);
  expect(catalog.definitions().map((one) => one.record.id)).toEqual(['a', 'd', 'c']);
});

test('datastore() prefers the value of the region to the one for every region', () => {
  const catalog = catalogOf({
    datastores: [
      { name: 'DB', value: 'all' },
      { name: 'DB', value: 'own', region: 'aws' },
      { name: 'DB', value: 'elsewhere', federation: 'other' },
    ],
  });
  expect(catalog.datastore('default', 'aws', 'DB')?.record.value).toBe('own');
  expect(catalog.datastore('default', 'joyent', 'DB')?.record.value).toBe('all');
  expect(catalog.datastore('default', 'aws', 'NONE')).toBeUndefined();
  expect(catalog.datastores().map((one) => [one.federation, one.region])).toEqual([
    ['default', '-'],
    ['default', 'aws'],
    ['other', '-'],
  ]);
});

test('runners() are nodes of the federation that are told to run it or have an instance', () => {
  const catalog = catalogOf({
    nodes: [
      { name: 'told', runs: ['api'] },
      { name: 'both', runs: ['api'], services: ['api'] },
      { name: 'has', services: [{ id: 'x', service: 'api' }] },
      { name: 'foreign', federation: 'other', runs: ['api'], services: ['api'] },
      { name: 'not', runs: ['www'], services: ['www'] },
    ],
  });
  expect(catalog.runners('default', 'api')).toEqual(['both', 'has', 'told']);
  apply(catalog, 100, put(nodeKey('told'), nodeRecordOf({ name: 'told', runs: [] }), 100));
  expect(catalog.runners('default', 'api')).toEqual(['both', 'has']);
  expect(catalog.runners('other', 'api')).toEqual(['foreign']);
});
