import { describe, expect, test } from 'vitest';
import { catalogOf } from '../../registry/testing.ts';
import type { CatalogNode } from '../../registry/index.ts';
import { probeTargets, verdictOf, type Found } from './findings.ts';

test.each<[Found, readonly Found[], string]>([
  ['accepts', ['silent', 'refuses'], 'answers'],
  ['silent', ['silent', 'accepts'], 'answers'],
  ['refuses', ['accepts'], 'answers'],
  ['refuses', [], 'refused'],
  ['silent', ['refuses'], 'refused'],
  ['silent', ['silent'], 'silent'],
  ['silent', [], 'unseen'],
])('verdictOf() when the server finds %s and others %j', (own, others, expected) => {
  expect(verdictOf(own, others)).toBe(expected);
});

describe('probeTargets()', () => {
  const node = catalogOf({
    definitions: [{ id: 'declared', environment: { PORT: '1100' } }],
    nodes: [
      {
        name: 'n1',
        address: '10.0.0.1',
        services: [
          { service: 'api', port: 80, status: 'passing' },
          { service: 'elsewhere', port: 81, address: '10.0.0.9' },
          { service: 'declared' },
          { service: 'portless' },
          { service: 'local', port: 82, address: '127.0.0.1' },
          { service: 'consul', port: 8300 },
          { service: 'socket', port: 83, socketPath: '/run/x' },
        ],
      },
    ],
  });

  test('are the instances that a connection from elsewhere says something about', () => {
    const targets = probeTargets(
      node.node('n1') as CatalogNode,
      ({ record }) => node.definition('default', record.service)?.record,
    );
    expect(targets).toEqual([
      { id: 'api', address: '10.0.0.1', port: 80 },
      { id: 'declared', address: '10.0.0.1', port: 1100 },
      { id: 'elsewhere', address: '10.0.0.9', port: 81 },
    ]);
  });

  test('a loopback address is one where the node has such an address too', () => {
    const catalog = catalogOf({ nodes: [{ name: 'n1', address: '127.0.0.2', services: [{ service: 'a', port: 1 }] }] });
    expect(probeTargets(catalog.node('n1') as CatalogNode, () => undefined)).toEqual([
      { id: 'a', address: '127.0.0.2', port: 1 },
    ]);
  });
});
