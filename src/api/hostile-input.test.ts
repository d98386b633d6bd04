import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from './testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ nodes: [{ name: 'n1' }] });
});
afterAll(() => api[Symbol.asyncDispose]());

const nested = (open: string, close: string, levels: number): string =>
  `${open.repeat(levels)}1${close.repeat(levels)}`;
const DEEP_LIST = nested('[', ']', 200_000);
const DEEP_MAP = nested('{"a":', '}', 100_000);

test.each([
  ['/v1/catalog/register', `{"Node":"d","Address":"1.1.1.1","Check":{"Name":"c","Definition":${DEEP_MAP}}}`],
  ['/v1/catalog/register', `{"Node":"d","Address":"1.1.1.1","Proxy":${DEEP_LIST}}`],
  ['/v1/agent/service/register', `{"Name":"d","Weights":${DEEP_LIST}}`],
  ['/v1/agent/check/register', `{"Name":"d","TTL":"10s","Header":${DEEP_MAP}}`],
  ['/v2/definitions', DEEP_LIST],
  ['/v2/definitions/x', DEEP_MAP],
  ['/v2/datastores/X', `{"value":${DEEP_LIST}}`],
])('PUT %s refuses a body of a hundred thousand levels without parsing it', async (url, body) => {
  const { status, text } = await api.ask('PUT', url, { body, headers: { 'content-type': 'application/json' } });
  expect(status).toBe(400);
  expect(text).toContain('nests deeper than 64 levels');
});

test('PUT /v2/definitions refuses more definitions than can be checked against each other in a moment', async () => {
  const body = Array.from({ length: 2_001 }, (_, i) => ({ id: `k${i}` }));
  const { status, text } = await api.ask('PUT', '/v2/definitions', {
    body,
    headers: { 'content-type': 'application/json' },
  });
  expect([status, text]).toEqual([400, expect.stringContaining('more than 2000 definitions')]);
});

test('PUT /v2/definitions says the first hundred problems of a body of nothing else', async () => {
  const body = Array.from({ length: 2_000 }, (_, i) => ({ ix: i }));
  const { status, json } = await api.ask('PUT', '/v2/definitions', {
    body,
    headers: { 'content-type': 'application/json' },
  });
  expect(status).toBe(400);
  expect((json as { error: { problems: unknown[] } }).error.problems.length).toBeLessThanOrEqual(200);
});

const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '../../etc/x', '"; rm -rf ~'];

test.each(NAMES)('a node, service, id, tag and meta called %j are names like any other', async (name) => {
  const body =
    `{"Node":${JSON.stringify(name)},"Address":"127.0.0.9","NodeMeta":{"__proto__":"x","constructor":"y"},` +
    `"Service":{"Service":${JSON.stringify(name)},"ID":${JSON.stringify(name)},"Tags":[${JSON.stringify(name)}],` +
    `"Meta":{"constructor":"b"},"TaggedAddresses":{"__proto__":{"Address":"192.0.2.4","Port":1}},"Port":7}}`;
  const path = encodeURIComponent(name);
  expect((await api.ask('PUT', '/v1/catalog/register', { body })).text).toBe('true');
  const [found] = (await api.ask('GET', `/v1/catalog/service/${path}`)).json as Record<string, unknown>[];
  expect(found).toMatchObject({ Node: name, ServiceName: name, ServiceID: name, ServiceTags: [name], ServicePort: 7 });
  expect(Object.entries(found?.['NodeMeta'] as object)).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  const services = (await api.ask('GET', '/v1/catalog/services')).json as object;
  expect(Object.hasOwn(services, name)).toBe(true);
  expect(await api.ask('GET', `/v2/services/${path}`)).toMatchObject({ status: 200 });
  expect(await api.ask('GET', `/v2/nodes/${path}`)).toMatchObject({ status: 200 });
  expect(await api.ask('PUT', '/v1/catalog/deregister', { body: { Node: name } })).toMatchObject({ status: 200 });
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});

test.each(NAMES)('GET of what nobody registered under %j finds nothing', async (name) => {
  const path = encodeURIComponent(name);
  expect((await api.ask('GET', `/v1/catalog/service/${path}`)).text).toBe('[]');
  expect((await api.ask('GET', `/v1/health/service/${path}`)).text).toBe('[]');
  // A key has no segment that leads upwards.
  expect((await api.ask('GET', `/v1/kv/${path}`)).status).toBe(name.includes('..') ? 400 : 404);
  expect((await api.ask('GET', `/v2/nodes/${path}`)).status).toBe(404);
  expect((await api.ask('GET', `/v2/services/${path}`)).status).toBe(404);
});

const many = (count: number, make: (index: number) => unknown): unknown[] =>
  Array.from({ length: count }, (_, i) => make(i));

test.each([
  ['agent/service/register', { Name: 'big', Tags: many(1_025, (i) => `t${i}`) }, 'more than 1024 tags'],
  ['agent/service/register', { Name: 'big', Checks: many(257, () => ({ TTL: '10s' })) }, 'more than 256 checks'],
  [
    'agent/service/register',
    {
      Name: 'big',
      TaggedAddresses: Object.fromEntries(many(65, (i) => [`a${i}`, { Address: '192.0.2.1', Port: 1 }]) as []),
    },
    'more than 64 tagged addresses',
  ],
  [
    'catalog/register',
    { Node: 'n', Address: '192.0.2.1', Checks: many(257, (i) => ({ Name: `c${i}` })) },
    'more than 256 checks',
  ],
])('PUT /v1/%s refuses a registration that would hold everything else up', async (url, body, says) => {
  const { status, text } = await api.ask('PUT', `/v1/${url}`, { body });
  expect([status, text]).toEqual([400, expect.stringContaining(says)]);
});

test.each([
  ['unknown keys', Object.fromEntries(many(5_000, (i) => [`unknown${i}`, 1]) as [])],
  ['wrong values', { id: 'x', hosts: many(5_000, () => 'a!') }],
])('PUT /v2/definitions/x says a hundred of five thousand %s', async (_what, body) => {
  const { status, json } = await api.ask('PUT', '/v2/definitions/x', {
    body,
    headers: { 'content-type': 'application/json' },
  });
  expect(status).toBe(400);
  expect((json as { error: { problems: unknown[] } }).error.problems.length).toBeLessThanOrEqual(101);
});
