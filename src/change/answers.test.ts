import { expect, test } from 'vitest';
import type { NodeRecord } from '../registry/index.ts';
import { catalogOf, instanceRecordOf, nodeRecordOf, startTestRegistry } from '../registry/testing.ts';
import type { InstanceLiteral, NodeLiteral } from '../registry/testing.ts';
import { Answers, answersDiffer, answersOf, nodeDiffers } from './answers.ts';
import type { ServiceAnswers } from './answers.ts';

const WEIGHTS = { passing: 2, warning: 1 };

/** What DNS can say of the node `n` and the service `api`. */
interface Told {
  readonly node: NodeRecord | undefined;
  readonly api: ServiceAnswers;
}

function answers(instance: Partial<InstanceLiteral> | null, node: Partial<NodeLiteral> = {}): Told {
  const services = instance === null ? [] : [{ service: 'api', port: 1, status: 'passing' as const, ...instance }];
  const catalog = catalogOf({ nodes: [{ name: 'n', ...node, services }] });
  return { node: catalog.node('n')?.record, api: answersOf(catalog.instances('api')) };
}

function differ(before: Told, after: Told): boolean {
  return nodeDiffers(before.node, after.node) || answersDiffer(before.api, after.api);
}

const NOTHING: Told = { node: undefined, api: [] };

test.each<[string, Partial<InstanceLiteral> | null, Partial<NodeLiteral>?]>([
  ['has another port', { port: 2 }],
  ['has another address', { address: '10.0.0.1' }],
  ['has other tags', { tags: ['a'] }],
  ['has other weights', { weights: WEIGHTS }],
  ['has other meta', { meta: { a: 'b' } }],
  ['is warning', { status: 'warning' }],
  ['is critical', { status: 'critical' }],
  ['is unknown', { status: 'unknown' }],
  ['drains', { draining: true }],
  ['is gone', null],
  ['is another', { id: 'api-2' }],
  ['is on a node that is down', {}, { alive: 'down' }],
  ['is on a node with another address', {}, { address: '10.0.0.1' }],
  ['is on a node with other meta', {}, { meta: { a: 'b' } }],
])('answersDiffer() when an instance %s', (_name, instance, node) => {
  expect(differ(answers({}), answers(instance, node))).toBe(true);
  expect(differ(answers(instance, node), answers({}))).toBe(true);
});

test.each<[string, Told, Told]>([
  ['nothing changed', answers({}), answers({})],
  ['there was and is nothing', NOTHING, NOTHING],
  ['an instance that gets no traffic comes', answers(null), answers({ status: 'critical' })],
  ['one that gets none changes', answers({ maintenance: true }), answers({ maintenance: true, port: 2 })],
  ['the node runs something else', answers({}), answers({}, { runs: ['x'], consumers: ['balancer'] })],
])('answersDiffer() not when %s', (_name, before, after) => {
  expect(differ(before, after)).toBe(false);
});

test('answersDiffer() when a node comes or goes', () => {
  expect(differ(NOTHING, answers(null))).toBe(true);
  expect(differ(answers(null), NOTHING)).toBe(true);
});

test('Answers.changedBy() looks at what changed since the last time', async () => {
  await using region = await startTestRegistry({ nodes: [{ name: 'n', services: [{ service: 'api', port: 1 }] }] });
  const seen = new Answers(region.catalog);
  const said: boolean[] = [];
  region.feed.onApplied((change) => said.push(seen.changedBy(change)));
  const node = nodeRecordOf({ name: 'n' });
  const instance = (port: number): ReturnType<typeof instanceRecordOf> => instanceRecordOf({ service: 'api', port });
  await region.registry.registerExternal({ node, instance: instance(2) });
  await region.registry.setDatastore('default', '-', 'DB', 'x');
  await region.registry.deregister({ node: 'n', serviceId: 'api' });
  await region.registry.deregister({ node: 'n' });
  expect(said).toEqual([true, false, true, true]);
});

test('Answers.changedBy() sees a service that an instance left, the one it joined, and a node that went down', async () => {
  await using region = await startTestRegistry({
    nodes: [{ name: 'n', services: [{ service: 'api', id: 'x', port: 1 }] }],
  });
  const seen = new Answers(region.catalog);
  const said: boolean[] = [];
  region.feed.onApplied((change) => said.push(seen.changedBy(change)));
  const instance = instanceRecordOf({ service: 'web', id: 'x', port: 1 });
  await region.registry.report('n', [{ type: 'instance', instance, checks: [] }]);
  await region.registry.setAlive('n', { status: 'down', since: '2026-01-01T00:00:00.000Z' });
  await region.registry.setAlive('n', { status: 'up', since: '2026-01-01T00:00:00.000Z' });
  await region.registry.report('n', [{ type: 'instance-gone', id: 'x' }]);
  expect(said).toEqual([true, true, true, true]);
});
