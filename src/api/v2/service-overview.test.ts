import { expect, test } from 'vitest';
import { computeView, type NodeView } from '../../registry/index.ts';
import { catalogOf, type NodeLiteral, type RegionLiteral } from '../../registry/testing.ts';
import { sayService, serviceOverviews } from './service-overview.ts';

const BALANCER: NodeLiteral = { name: 'staging', balancer: { address: '127.0.0.1' }, runs: ['app-www'] };
const API = { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' }, localPort: 1100 };
const WWW = { id: 'app-www', requires: { API_URL: '{API_URL}' }, localPort: 8080, public: true };

/** Id → what is said of it. */
function said(region: RegionLiteral, hosted: readonly string[] = []): Record<string, ReturnType<typeof sayService>> {
  const catalog = catalogOf(region);
  const views = hosted.map((name) => computeView(catalog, name, null) as NodeView);
  return Object.fromEntries(serviceOverviews(catalog).map((one) => [one.id, sayService(one, views)]));
}

test('serviceOverviews() lists what is defined, what is registered, and what is both, in order of id', () => {
  const region = { definitions: [API, { id: 'zz' }], nodes: [{ name: 'n', services: ['api', 'legacy', 'consul'] }] };
  const list = serviceOverviews(catalogOf(region));
  expect(list.map((one) => [one.id, one.definition !== null, one.instances.length])).toEqual([
    ['api', true, 1],
    ['legacy', false, 1],
    ['zz', true, 0],
  ]);
});

test('serviceOverviews() keeps federations apart', () => {
  const region: RegionLiteral = {
    definitions: [API, { ...API, federation: 'eu' }, { ...WWW, federation: 'eu' }],
    nodes: [
      { name: 'a', services: ['api'] },
      { name: 'b', federation: 'eu', services: ['api', 'other'] },
    ],
  };
  const list = serviceOverviews(catalogOf(region));
  expect(
    list.map(({ id, federation, instances, requiredBy }) => [id, federation, instances.length, requiredBy]),
  ).toEqual([
    ['api', 'default', 1, []],
    ['api', 'eu', 1, ['app-www']],
    ['app-www', 'eu', 0, []],
    ['other', 'eu', 1, []],
  ]);
});

test.each([
  ['by a name', { requires: { X: '{API_URL}' } }, ['consumer']],
  ['by a qualified name', { requires: { X: 'see {api.API_URL}' } }, ['consumer']],
  ['as a whole', { requiresServices: ['api'] }, ['consumer']],
  ['by nothing of it', { requires: { X: '{OTHER}' } }, []],
])('serviceOverviews() says who requires a service %s', (_how, consumer, requiredBy) => {
  const list = serviceOverviews(catalogOf({ definitions: [API, { id: 'consumer', ...consumer }] }));
  expect(list.find((one) => one.id === 'api')?.requiredBy).toEqual(requiredBy);
});

test('serviceOverviews() names who requires a service that is merely registered', () => {
  const region = {
    definitions: [{ id: 'consumer', requiresServices: ['legacy'] }],
    nodes: [{ name: 'n', services: ['legacy'] }],
  };
  expect(serviceOverviews(catalogOf(region)).find((one) => one.id === 'legacy')?.requiredBy).toEqual(['consumer']);
});

test('sayService() says what the greeting shows', () => {
  const nodes: NodeLiteral[] = [
    {
      ...BALANCER,
      services: [
        { service: 'app-www', port: 8080, status: 'passing' },
        { service: 'elasticsearch', port: 9200 },
      ],
    },
    { name: 'api-1', address: '127.0.0.2', services: [{ service: 'api', port: 1100, status: 'passing' }] },
    { name: 'api-2', address: '127.0.0.3', services: [{ service: 'api', port: 1100, status: 'critical' }] },
  ];
  const services = said({ definitions: [API, WWW, { id: 'elasticsearch' }], nodes }, ['staging', 'api-1', 'api-2']);
  expect(services['api']).toMatchObject({
    instances: 2,
    health: '1 of 2 passing',
    reachedAt: '127.0.0.1:1100',
    requiredBy: ['app-www'],
  });
  expect(services['app-www']).toMatchObject({
    public: true,
    health: 'passing',
    reachedAt: '127.0.0.1:8080',
    requiredBy: [],
  });
  expect(services['elasticsearch']).toMatchObject({ defined: true, reachedAt: 'elasticsearch.service.consul' });
});

test.each<[string, RegionLiteral, string[], string]>([
  ['the balancer of a hosted node', { definitions: [API, WWW], nodes: [BALANCER] }, ['staging'], '127.0.0.1:1100'],
  [
    'an IPv6 balancer',
    { definitions: [API, WWW], nodes: [{ ...BALANCER, balancer: { address: '::1' } }] },
    ['staging'],
    '[::1]:1100',
  ],
  [
    'its own instance on a hosted node',
    { definitions: [API], nodes: [{ name: 'n', address: '10.0.0.1', services: ['api'] }] },
    ['n'],
    '10.0.0.1:1100',
  ],
  [
    'DNS without local_port',
    { definitions: [{ id: 'api' }], nodes: [{ name: 'n', services: ['api'] }] },
    ['n'],
    'api.service.consul',
  ],
  [
    'DNS when it runs elsewhere',
    { definitions: [API], nodes: [{ name: 'n', services: ['api'] }] },
    [],
    'api.service.consul',
  ],
  [
    'DNS when only another federation balances it',
    {
      definitions: [API, { ...API, federation: 'eu' }, { ...WWW, federation: 'eu' }],
      nodes: [{ ...BALANCER, federation: 'eu' }],
    },
    [],
    'api.service.consul',
  ],
])('sayService() reaches a service at %s', (_where, region, hosted, at) => {
  expect(said(region, hosted)['api']?.reachedAt).toBe(at);
});
