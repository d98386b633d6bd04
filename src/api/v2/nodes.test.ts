import { expect, test } from 'vitest';
import { startTestApi } from './testing.ts';

const API = { service: 'api', id: 'api-a', port: 1100, status: 'passing', tags: ['v1'] } as const;
const NODES = [
  { name: 'staging', runs: ['app-www'], consumers: ['environment'] as const, services: [API, 'consul'] },
  {
    name: 'api-1',
    address: '127.0.0.2',
    alive: 'down' as const,
    external: false,
    services: [{ ...API, address: '10.0.0.9' }],
  },
  { name: 'rds', external: true, services: ['mysql'] },
];

test('GET /v2/status says what this agent is', async () => {
  await using api = await startTestApi({ nodes: NODES, hosted: ['staging', 'api-1'] });
  expect((await api.ask('GET', '/v2/status')).body).toEqual({
    version: '0.0.0',
    region: 'aws',
    node: 'staging',
    nodes: ['staging', 'api-1'],
    revision: api.context.feed.revision,
    ready: true,
    store: { engine: 'memory', leaderKnown: true, full: false },
    partition: null,
    snapshots: null,
    http: 'http://127.0.0.1:8500',
    dns: '127.0.0.1:8600',
    link: null,
  });
});

test('GET /v2/status counts revisions of keys too, which nothing in the catalog hangs on', async () => {
  await using api = await startTestApi({ nodes: ['n'] });
  const { revision } = await api.context.kvWrites.put('a', Buffer.from('1'), { author: 'token k' });
  expect((await api.ask('GET', '/v2/status')).body).toMatchObject({ revision });
});

test('GET /v2/status is not ready while a node has no view, and still 200', async () => {
  await using api = await startTestApi({ nodes: NODES, hosted: ['staging'] });
  const staging = api.context.nodes.get('staging');
  Object.assign(staging as object, { view: () => null });
  const { status, body } = await api.ask('GET', '/v2/status');
  expect([status, body.ready]).toEqual([200, false]);
});

test('GET /v2/status answers HEAD as well, and indents when the agent is a developer’s', async () => {
  await using api = await startTestApi({ nodes: ['n'], pretty: true });
  expect(await api.ask('HEAD', '/v2/status')).toMatchObject({ status: 200 });
  expect((await api.server.inject({ url: '/v2/status', headers: { host: '127.0.0.1' } })).payload).toContain(
    '\n  "version"',
  );
});

test('GET /v2/nodes lists nodes with their services, without Consul’s own', async () => {
  await using api = await startTestApi({ nodes: NODES, hosted: ['staging'] });
  const { body } = await api.ask('GET', '/v2/nodes');
  expect(body.map((one: { name: string }) => one.name)).toEqual(['api-1', 'rds', 'staging']);
  expect(body[0]).toMatchObject({
    address: '127.0.0.2',
    status: 'down',
    services: [{ id: 'api-a', service: 'api', health: 'critical' }],
  });
  expect(body[1]).toMatchObject({ external: true, services: [{ id: 'mysql' }] });
  expect((await api.ask('GET', '/v2/nodes/staging')).body).toEqual({
    name: 'staging',
    address: '127.0.0.1',
    federation: 'default',
    status: 'up',
    since: expect.any(String),
    consumers: ['environment'],
    provisionGroup: null,
    runs: ['app-www'],
    services: [{ id: 'api-a', service: 'api', health: 'passing' }],
    external: false,
  });
});

test('GET /v2/services/:id shows definition and instances', async () => {
  await using api = await startTestApi({
    nodes: NODES,
    definitions: [{ id: 'api', localPort: 1100 }],
    hosted: ['staging'],
  });
  const { body } = await api.ask('GET', '/v2/services/api');
  expect(body).toMatchObject({ instances: 2, health: '1 of 2 passing', definition: { id: 'api', local_port: 1100 } });
  expect(body.instancesOf).toEqual([
    { node: 'api-1', id: 'api-a', address: '10.0.0.9', port: 1100, health: 'critical', tags: ['v1'] },
    { node: 'staging', id: 'api-a', address: '127.0.0.1', port: 1100, health: 'passing', tags: ['v1'] },
  ]);
  expect((await api.ask('GET', '/v2/services/mysql')).body).toMatchObject({
    definition: null,
    defined: false,
    notes: [],
  });
  expect((await api.ask('GET', '/v2/services')).body).toHaveLength(2);
});

test('PUT /v2/maintenance takes a service out and back in', async () => {
  await using api = await startTestApi({ nodes: NODES, hosted: ['staging'] });
  const out = await api.ask('PUT', '/v2/maintenance?enable=true&service=api-a&reason=new%20disk');
  expect(out.body).toEqual({ node: 'staging', service: 'api-a', enabled: true });
  expect(Number(out.headers['x-drover-revision'])).toBe(api.context.catalog.revision);
  expect((await api.ask('GET', '/v2/nodes/staging')).body.services[0].health).toBe('maintenance');
  await api.ask('PUT', '/v2/maintenance?enable=false&node=staging&service=api-a');
  expect((await api.ask('GET', '/v2/nodes/staging')).body.services[0].health).toBe('passing');
});

test('PUT /v2/maintenance takes a whole node out', async () => {
  await using api = await startTestApi({ nodes: NODES, hosted: ['staging'] });
  const { body } = await api.ask('PUT', '/v2/maintenance?enable=1');
  expect(body).toEqual({ node: 'staging', service: null, enabled: true });
  expect((await api.ask('GET', '/v2/nodes/staging')).body.services[0].health).toBe('maintenance');
});

test('/v2/listener drives the listener of the node that is meant', async () => {
  await using api = await startTestApi({ nodes: ['a', 'b'], hosted: ['a', 'b'], listeners: ['a', 'b'] });
  const off = await api.ask('POST', '/v2/listener/off?node=b');
  expect(off.body).toMatchObject({ enabled: false, running: false, queued: false, runs: 0, last: null });
  expect(Number(off.headers['x-drover-revision'])).toBe(api.context.catalog.revision);
  expect((await api.ask('GET', '/v2/listener')).body.enabled).toBe(true);
  expect((await api.ask('GET', '/v2/listener?node=b')).body.enabled).toBe(false);
  expect((await api.ask('POST', '/v2/listener/on?node=b', { body: {} })).body).toMatchObject({
    enabled: true,
    queued: true,
  });
  expect((await api.ask('POST', '/v2/provisions')).body).toMatchObject({ queued: true, causes: ['provision'] });
  expect((await api.ask('GET', '/v2/provisions')).body).toEqual([]);
});

test('GET /v2/balancer shows what the balancer says', async () => {
  await using api = await startTestApi({ nodes: ['a'], balancers: { a: { pid: 7, frontends: [] } } });
  expect((await api.ask('GET', '/v2/balancer')).body).toEqual({ pid: 7, frontends: [] });
});

test('PUT /v2/nodes/:name/release lets go of a node that is known, and says which are when it is not', async () => {
  await using api = await startTestApi({ nodes: NODES, hosted: ['staging'] });
  const released = await api.ask('PUT', '/v2/nodes/api-1/release');
  expect([released.status, released.body]).toEqual([200, { node: 'api-1' }]);
  const { status, body } = await api.ask('PUT', '/v2/nodes/api-2/release');
  expect([status, body.error.code, body.error.hint]).toEqual([
    404,
    'API_UNKNOWN_NODE',
    expect.stringContaining('did you mean "api-1"?'),
  ]);
});

test('GET /v2/nodes/:name says what probes found of a node without its agent', async () => {
  await using api = await startTestApi({ nodes: NODES, hosted: ['staging'] });
  const alive = {
    status: 'suspected',
    since: '2026-01-01T00:00:00.000Z',
    evidence: 'reset',
    dead: { 'api-a': 'refused' },
  };
  await api.context.feed.commit({
    compares: [],
    writes: [{ type: 'put', key: 'alive/api-1', value: JSON.stringify(alive) }],
  });
  expect((await api.ask('GET', '/v2/nodes/api-1')).body).toMatchObject({
    ...alive,
    services: [{ id: 'api-a', health: 'critical' }],
  });
});
