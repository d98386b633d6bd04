import { expect, test } from 'vitest';
import type { CatalogNode } from '../registry/index.ts';
import { catalogOf, instanceRecordOf, nodeRecordOf, startTestRegistry } from '../registry/testing.ts';
import type { InstanceLiteral, NodeLiteral } from '../registry/testing.ts';
import { Answers, answersDiffer, answersOf } from './answers.ts';
import type { NodeAnswers } from './answers.ts';

const WEIGHTS = { passing: 2, warning: 1 };

function answers(instance: Partial<InstanceLiteral> | null, node: Partial<NodeLiteral> = {}): NodeAnswers {
  const services = instance === null ? [] : [{ service: 'api', port: 1, status: 'passing' as const, ...instance }];
  return answersOf(catalogOf({ nodes: [{ name: 'n', ...node, services }] }).node('n') as CatalogNode);
}

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
  expect(answersDiffer(answers({}), answers(instance, node))).toBe(true);
  expect(answersDiffer(answers(instance, node), answers({}))).toBe(true);
});

test.each<[string, NodeAnswers | undefined, NodeAnswers | undefined]>([
  ['nothing changed', answers({}), answers({})],
  ['there was and is nothing', undefined, undefined],
  ['an instance that gets no traffic comes', answers(null), answers({ status: 'critical' })],
  ['one that gets none changes', answers({ maintenance: true }), answers({ maintenance: true, port: 2 })],
  ['the node runs something else', answers({}), answers({}, { runs: ['x'], consumers: ['balancer'] })],
])('answersDiffer() not when %s', (_name, before, after) => {
  expect(answersDiffer(before, after)).toBe(false);
});

test('answersDiffer() when a node comes or goes', () => {
  expect(answersDiffer(undefined, answers(null))).toBe(true);
  expect(answersDiffer(answers(null), undefined)).toBe(true);
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
