import { expect, test } from 'vitest';
import type { NodeLiteral, RegionLiteral } from '../../registry/testing.ts';
import { startTestApi } from './testing.ts';

const STAGING: NodeLiteral = {
  name: 'staging',
  consumers: ['environment', 'balancer', 'listener'],
  balancer: { address: '127.0.0.1' },
  runs: ['app-www'],
};
const REGION: RegionLiteral = {
  nodes: [
    STAGING,
    { name: 'bare', services: ['worker'] },
    { name: 'api-1', address: '127.0.0.2', services: [{ service: 'api', port: 1100, status: 'passing' }] },
  ],
  definitions: [
    { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' }, localPort: 1100 },
    { id: 'search', provides: { SEARCH_URL: 'http://{HOST}:{PORT}' } },
    {
      id: 'app-www',
      environment: { ENV: 'production' },
      requires: { API_URL: '{API_URL}', DB: '{DATABASE_URL}', SEARCH: '{SEARCH_URL}', GONE: '{NOBODY}' },
    },
    { id: 'worker', requires: { API_URL: '{API_URL}' } },
    { id: 'other', federation: 'eu' },
  ],
  datastores: { DATABASE_URL: 'mysql://secret' },
};

test('GET /v2/environment/:service gives each variable with its state, also when some are missing', async () => {
  await using api = await startTestApi({ ...REGION, hosted: ['staging'] });
  const { status, body } = await api.ask('GET', '/v2/environment/app-www');
  expect([status, body.service, body.node, body.revision]).toEqual([
    200,
    'app-www',
    'staging',
    api.context.catalog.revision,
  ]);
  const said = body.variables.map((one: Record<string, unknown>) => [
    one['name'],
    one['value'],
    one['state'],
    one['secret'],
    one['unresolved'],
  ]);
  expect(said).toEqual([
    ['ENV', 'production', 'own', false, []],
    ['API_URL', 'http://127.0.0.1:1100', 'ready', false, []],
    ['DB', null, 'ready', true, []],
    ['GONE', null, 'missing', false, ['NOBODY']],
    ['SEARCH', null, 'waiting', false, ['SEARCH_URL']],
  ]);
});

test('GET /v2/environment/:service gives secrets when revealed, and only then', async () => {
  await using api = await startTestApi({ ...REGION, hosted: ['staging'] });
  const revealed = await api.ask('GET', '/v2/environment/app-www?reveal=true&format=json');
  expect(JSON.stringify(revealed.body)).toContain('mysql://secret');
  expect(JSON.stringify((await api.ask('GET', '/v2/environment/app-www')).body)).not.toContain('mysql://secret');
});

test('GET /v2/environment/:service resolves for a service that the node does not run, and for a node without consumers', async () => {
  await using api = await startTestApi({ ...REGION, hosted: ['staging', 'bare'] });
  const value = async (url: string): Promise<unknown> => (await api.ask('GET', url)).body.variables[0].value;
  expect(await value('/v2/environment/worker?node=staging')).toBe('http://127.0.0.1:1100');
  expect(await value('/v2/environment/worker?node=bare')).toBe('http://127.0.0.2:1100');
});

test('GET /v2/environment/:service sees a change as soon as it was answered', async () => {
  await using api = await startTestApi({ ...REGION, hosted: ['staging'] });
  await api.ask('PUT', '/v2/datastores/DATABASE_URL', { body: { value: 'mysql://new' } });
  const { body } = await api.ask('GET', '/v2/environment/app-www?reveal');
  expect(body.variables.find((one: { name: string }) => one.name === 'DB').value).toBe('mysql://new');
});

test('GET /v2/environment/:service says that its node is not in the region yet', async () => {
  await using api = await startTestApi({ ...REGION, hosted: ['staging'] });
  await api.registry.deregister({ node: 'staging' });
  const nodes = new Map([['staging', { record: { name: 'staging' } }]]);
  Object.assign(api.context, { nodes });
  const { status, body } = await api.ask('GET', '/v2/environment/app-www');
  expect([status, body.error.code]).toEqual([503, 'API_NODE_NOT_REGISTERED']);
});
