import { expect, test } from 'vitest';
import type { CatalogNode } from './catalog-reader.ts';
import { computeView } from './compute-view.ts';
import { offeredChecks } from './offered-checks.ts';
import { catalogOf } from './testing.ts';
import type { NodeLiteral } from './testing.ts';

const http = { http: 'http://{HOST}:{PORT}/status', intervalMs: 1_000 };
const script = { args: ['check', '{ID}', '{NODE}', '{REGION}', '{META.rack}'], intervalMs: 1_000 };
const definitions = [
  { id: 'api', checks: [http, script] },
  { id: 'api', federation: 'other', checks: [{ tcp: '{HOST}:{PORT}', intervalMs: 1_000 }] },
  { id: 'bare' },
];

function offered(
  services: NodeLiteral['services'],
  more: Partial<NodeLiteral> = {},
): Readonly<Record<string, unknown>> {
  const catalog = catalogOf({
    nodes: [{ name: 'n1', address: '192.0.2.1', services: services ?? [], ...more }],
    definitions,
  });
  return offeredChecks(catalog, catalog.node('n1') as CatalogNode);
}

const cases: [what: string, found: Readonly<Record<string, unknown>>, expected: Readonly<Record<string, unknown>>][] = [
  [
    "fills in the node's address and the instance's port, id and meta",
    offered([{ service: 'api', id: 'api-1', port: 1100, meta: { rack: '7' } }]),
    {
      'api-1': [
        { http: 'http://192.0.2.1:1100/status', intervalMs: 1_000 },
        { args: ['check', 'api-1', 'n1', 'aws', '7'], intervalMs: 1_000 },
      ],
    },
  ],
  [
    "prefers the instance's own address",
    offered([{ service: 'api', port: 1, address: '192.0.2.2', meta: { rack: '7' } }]),
    { api: [expect.objectContaining({ http: 'http://192.0.2.2:1/status' }), expect.anything()] },
  ],
  [
    'leaves out a check that needs what the instance lacks',
    offered(['api', { service: 'api', id: 'b', port: 1 }]),
    { b: [expect.objectContaining({ http: 'http://192.0.2.1:1/status' })] },
  ],
  ['has nothing for a definition without checks, and for no definition', offered(['bare', 'none']), {}],
  [
    "takes the definition of the node's federation",
    offered([{ service: 'api', port: 5 }], { federation: 'other' }),
    { api: [{ tcp: '192.0.2.1:5', intervalMs: 1_000 }] },
  ],
  ['has nothing for a node without instances', offered([]), {}],
];

test.each(cases)('offeredChecks() %s', (_what, found, expected) => {
  expect(found).toEqual(expected);
});

test('computeView() carries them', () => {
  const catalog = catalogOf({
    nodes: [{ name: 'n1', services: [{ service: 'api', port: 5, meta: { rack: '1' } }] }],
    definitions,
  });
  expect(computeView(catalog, 'n1', null)?.checks['api']).toHaveLength(2);
});
