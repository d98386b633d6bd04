import { expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing.ts';

const NODES = [
  {
    name: 'foo',
    address: '10.0.0.1',
    meta: { rack: 'r-1' },
    services: [
      {
        id: 'redis-1',
        service: 'redis',
        tags: ['primary', 'v1'],
        meta: { version: '1' },
        port: 6379,
        status: 'passing' as const,
      },
      {
        id: 'web-1',
        service: 'web',
        tags: ['v1'],
        port: 80,
        taggedAddresses: { lan: { address: '10.0.0.9', port: 81 } },
      },
    ],
  },
  {
    name: 'bar',
    address: '10.0.0.2',
    meta: { rack: 'r-2' },
    services: [
      { id: 'redis-2', service: 'redis', tags: ['v2'], meta: { version: '2' }, port: 6380, status: 'warning' as const },
    ],
  },
];

async function ask(
  api: TestApi,
  path: string,
  filter: string,
): Promise<{ status: number; text: string; json: unknown }> {
  const separator = path.includes('?') ? '&' : '?';
  return api.ask('GET', `/v1/${path}${separator}filter=${encodeURIComponent(filter)}`);
}

/** The ids and names that an answer shows, whatever its form. */
function namesIn(json: unknown): unknown {
  const nameOf = (row: Record<string, unknown>): unknown =>
    (row.Service as Record<string, unknown> | undefined)?.ID ?? row.ServiceID ?? row.CheckID ?? row.Node ?? row.Name;
  if (Array.isArray(json)) return (json as Record<string, unknown>[]).map(nameOf);
  return Object.keys(json as object);
}

test.each([
  ['catalog/nodes', 'Node == foo', ['foo']],
  ['catalog/nodes', 'Meta.rack == "r-2"', ['bar']],
  ['catalog/nodes', 'Meta["rack"] matches "^r-"', ['bar', 'foo']],
  ['catalog/nodes', 'Address in Address', []],
  ['catalog/nodes?node-meta=rack:r-1', 'Node != bar', ['foo']],
  ['catalog/services', '"primary" in ServiceTags', ['redis']],
  ['catalog/services', 'NodeMeta.rack == "r-1" and ServiceName != redis', ['web']],
  ['catalog/service/redis', 'ServiceMeta.version == 2', ['redis-2']],
  ['catalog/service/redis', 'ServicePort == 6379 or v2 in ServiceTags', ['redis-2', 'redis-1']],
  ['catalog/service/web', 'ServiceTaggedAddresses.lan.Port == 81', ['web-1']],
  ['health/service/redis', 'Service.Meta.version == 2', ['redis-2']],
  ['health/service/redis', 'Node.Node == foo and v1 in Service.Tags', ['redis-1']],
  ['health/service/redis', 'Checks.Status == warning', ['redis-2']],
  ['health/service/redis', 'not (Checks.Status == warning)', ['redis-1']],
  ['health/checks/redis', 'Status == passing', ['redis-1']],
  ['health/node/foo', 'ServiceID is empty', ['']],
  ['health/state/any', 'ServiceName == redis and Status != passing', ['redis-2']],
  ['agent/members', 'Name == foo', ['foo']],
  ['agent/members', 'Tags.dc == aws and Status == 1 and Name matches `^b`', ['bar']],
])('GET %s?filter=%s answers %j', async (path, filter, names) => {
  await using api = await startTestApi({ nodes: NODES });
  const answer = await ask(api, path, filter);
  expect(answer).toMatchObject({ status: 200 });
  expect(namesIn(answer.json)).toEqual(names);
});

test('GET catalog/node/:n and node-services/:n filter the services and keep the node', async () => {
  await using api = await startTestApi({ nodes: NODES });
  const map = await ask(api, 'catalog/node/foo', 'Service == redis');
  expect(map.json).toMatchObject({ Node: { Node: 'foo' }, Services: { 'redis-1': { Service: 'redis' } } });
  expect(namesIn((map.json as { Services: unknown }).Services)).toEqual(['redis-1']);
  const list = await ask(api, 'catalog/node-services/foo', 'Tags contains primary');
  expect(list.json).toMatchObject({ Node: { Node: 'foo' }, Services: [{ ID: 'redis-1' }] });
  expect((await ask(api, 'catalog/node-services/foo', 'Port == 1')).json).toMatchObject({ Services: [] });
});

test('GET agent/services and agent/checks filter what the agent itself has', async () => {
  await using api = await startTestApi();
  for (const [Name, version] of [
    ['redis', '1'],
    ['web', '2'],
  ]) {
    const body = { Name, Meta: { version }, Tags: [`v${version}`], Check: { TTL: '10s', Status: 'passing' } };
    await api.ask('PUT', '/v1/agent/service/register', { body });
  }
  expect(namesIn((await ask(api, 'agent/services', 'Meta.version == 2')).json)).toEqual(['web']);
  expect(namesIn((await ask(api, 'agent/services', 'v1 in Tags')).json)).toEqual(['redis']);
  expect(namesIn((await ask(api, 'agent/checks', 'ServiceName == web')).json)).toEqual(['service:web']);
  expect((await ask(api, 'agent/checks', 'Status == critical')).json).toEqual({});
});

test.each(
  [
    'catalog/nodes',
    'catalog/services',
    'catalog/service/redis',
    'catalog/node/foo',
    'catalog/node/missing',
    'catalog/node-services/foo',
    'health/service/redis',
    'health/checks/redis',
    'health/node/foo',
    'health/state/any',
    'agent/services',
    'agent/checks',
    'agent/members',
  ].map((path) => [path]),
)('GET %s refuses a filter that cannot be', async (path) => {
  await using api = await startTestApi({ nodes: NODES });
  expect(await ask(api, path, 'Wrong == 1')).toMatchObject({
    status: 400,
    text: 'Failed to create boolean expression evaluator: Selector "Wrong" is not valid',
  });
  for (const filter of ['(', 'Node ==', '('.repeat(1_000), 'Meta matches']) {
    const { status, text } = await ask(api, path, filter);
    expect(status).toBe(400);
    expect(text).toMatch(/^Failed to create boolean expression evaluator: /);
  }
});

test('GET with an empty filter leaves all', async () => {
  await using api = await startTestApi({ nodes: NODES });
  expect(namesIn((await ask(api, 'catalog/service/redis', '')).json)).toEqual(['redis-2', 'redis-1']);
});

test('GET with index and filter waits for what the filter matches', async () => {
  await using api = await startTestApi({ nodes: NODES });
  const path = `/v1/catalog/service/redis?filter=${encodeURIComponent('ServiceMeta.version == 3')}`;
  const first = await api.ask('GET', path);
  expect(first.json).toEqual([]);
  const waiting = api.ask('GET', `${path}&index=${first.headers['x-consul-index']}&wait=60s`);
  const register = (id: string, version: string): Promise<unknown> =>
    api.ask('PUT', '/v1/catalog/register', {
      body: { Node: 'foo', Address: '10.0.0.1', Service: { ID: id, Service: 'redis', Meta: { version } } },
    });
  await register('redis-4', '4');
  await register('redis-3', '3');
  expect(namesIn((await waiting).json)).toEqual(['redis-3']);
});

test('GET with a regular expression that backtracks without end elsewhere answers soon', async () => {
  const services = [{ service: 'redis', meta: { long: `${'a'.repeat(50_000)}b` } }];
  await using api = await startTestApi({ nodes: [{ name: 'foo', services }] });
  const start = performance.now();
  expect((await ask(api, 'catalog/service/redis', 'ServiceMeta.long matches "(a+)+$"')).json).toEqual([]);
  expect(performance.now() - start).toBeLessThan(2_000);
});
