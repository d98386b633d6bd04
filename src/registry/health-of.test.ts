import { expect, test } from 'vitest';
import type { CatalogReader, Instance } from './catalog-reader.ts';
import { healthOf, isRoutable, weightOf, worseOf } from './health-of.ts';
import type { Health } from './records.ts';
import { catalogOf } from './testing.ts';
import type { InstanceLiteral, NodeLiteral } from './testing.ts';

function only(catalog: CatalogReader, service: string): Instance {
  const [instance] = catalog.instances(service);
  if (instance === undefined) throw new Error(`no instance of ${service}`);
  return instance;
}

function instanceOf(service: Omit<InstanceLiteral, 'service'>, node: Omit<NodeLiteral, 'name'> = {}): Instance {
  return only(catalogOf({ nodes: [{ name: 'n', ...node, services: [{ service: 'api', ...service }] }] }), 'api');
}

const table: readonly [string, Instance, Health][] = [
  ['it has no checks', instanceOf({}), 'passing'],
  ['its checks pass', instanceOf({ checks: { a: 'passing', b: 'passing' } }), 'passing'],
  ['one of its checks warns', instanceOf({ checks: { a: 'passing', b: 'warning' } }), 'warning'],
  ['one of its checks has no result yet', instanceOf({ checks: { a: 'unknown', b: 'warning' } }), 'unknown'],
  ['one of its checks is critical', instanceOf({ checks: { a: 'critical', b: 'unknown' } }), 'critical'],
  ["its node's check is worse", instanceOf({ status: 'passing' }, { checks: { disk: 'warning' } }), 'warning'],
  ["its node's check is better", instanceOf({ status: 'critical' }, { checks: { disk: 'warning' } }), 'critical'],
  ['its node is down', instanceOf({ status: 'passing' }, { alive: 'down' }), 'critical'],
  ['its node has left', instanceOf({ status: 'passing' }, { alive: 'left' }), 'critical'],
  ['its node is only suspected', instanceOf({ status: 'passing' }, { alive: 'suspected' }), 'passing'],
  ['nobody vouches for its node', instanceOf({ status: 'passing' }, { external: true }), 'passing'],
  ['it drains', instanceOf({ status: 'passing', draining: true }), 'draining'],
  ['it drains and is critical', instanceOf({ status: 'critical', draining: true }), 'draining'],
  ['it is in maintenance', instanceOf({ status: 'passing', maintenance: true }), 'maintenance'],
  ['its node is in maintenance', instanceOf({ status: 'passing' }, { maintenance: true }), 'maintenance'],
  ['it is in maintenance and drains', instanceOf({ maintenance: true, draining: true }), 'maintenance'],
];

test.each(table)('healthOf() when %s', (_, instance, health) => {
  expect(healthOf(instance)).toBe(health);
});

test('healthOf() takes maintenance of another service of the node for a critical check', () => {
  expect(healthOf(instanceOf({ checks: { '_service_maintenance:other': 'critical' } }))).toBe('critical');
});

test('isRoutable() is so for passing and warning', () => {
  const all: readonly Health[] = ['passing', 'warning', 'unknown', 'critical', 'draining', 'maintenance'];
  expect(all.filter((health) => isRoutable(health))).toEqual(['passing', 'warning']);
});

test('weightOf() is the weight of the health, 0 for what gets no traffic', () => {
  const weights = { passing: 10, warning: 2 };
  expect(weightOf(instanceOf({ weights, status: 'passing' }))).toBe(10);
  expect(weightOf(instanceOf({ weights, status: 'warning' }))).toBe(2);
  expect(weightOf(instanceOf({ weights, status: 'critical' }))).toBe(0);
  expect(weightOf(instanceOf({ weights, status: 'passing', draining: true }))).toBe(0);
});

test('worseOf() does not mind the order', () => {
  expect(worseOf('passing', 'critical')).toBe('critical');
  expect(worseOf('maintenance', 'unknown')).toBe('maintenance');
});
