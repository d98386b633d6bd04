import { expect, test } from 'vitest';
import { catalogOf } from '../registry/testing.ts';
import type { InstanceLiteral, NodeLiteral } from '../registry/testing.ts';
import { nodeAnswers, serviceAnswers } from './answers.ts';

const answers = (instance: Partial<InstanceLiteral>, node: Partial<NodeLiteral> = {}): string =>
  serviceAnswers(
    catalogOf({
      nodes: [{ name: 'n', ...node, services: [{ service: 'api', port: 1, status: 'passing', ...instance }] }],
    }),
    'api',
  );
const base = answers({});

test.each<[string, string]>([
  ['its port', answers({ port: 2 })],
  ['its address', answers({ address: '10.0.0.1' })],
  ['its node’s address', answers({}, { address: '10.0.0.1' })],
  ['its tags', answers({ tags: ['a'] })],
  ['its weights', answers({ weights: { passing: 2, warning: 1 } })],
  ['warning', answers({ status: 'warning' })],
  ['critical', answers({ status: 'critical' })],
  ['draining', answers({ draining: true })],
  ['its node down', answers({}, { alive: 'down' })],
])('serviceAnswers() is another when an instance changes in %s', (_name, changed) => {
  expect(changed).not.toBe(base);
});

test('serviceAnswers() is empty, and the same, when nothing is routable', () => {
  expect(answers({ status: 'critical' })).toBe('');
  expect(answers({ maintenance: true })).toBe('');
  expect(serviceAnswers(catalogOf(), 'api')).toBe('');
});

test('nodeAnswers() is another when the address or meta changes, and empty for an unknown node', () => {
  const of = (node: NodeLiteral): string => nodeAnswers(catalogOf({ nodes: [node] }), 'n');
  expect(of({ name: 'n', address: '10.0.0.1' })).not.toBe(of({ name: 'n' }));
  expect(of({ name: 'n', meta: { a: 'b' } })).not.toBe(of({ name: 'n' }));
  expect(of({ name: 'n', runs: ['x'] })).toBe(of({ name: 'n' }));
  expect(nodeAnswers(catalogOf(), 'n')).toBe('');
});
