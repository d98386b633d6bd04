import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => api.node.clear());

const ask = (method: string, path: string, body?: unknown): Promise<TestReply> =>
  api.ask(method, `/v1/agent/${path}`, body === undefined ? {} : { body });
const register = (body: unknown, query = ''): Promise<TestReply> => ask('PUT', `service/register${query}`, body);
const get = async (path: string): Promise<unknown> => (await api.ask('GET', `/v1/${path}`)).json;
const checkIds = async (): Promise<string[]> => Object.keys((await get('agent/checks')) as object);

test('a service that is registered is in the catalog when that is answered', async () => {
  const { status, text, headers } = await register({
    ID: 'web1',
    Name: 'web',
    Tags: ['a'],
    Port: 80,
    Address: '10.0.0.1',
    Meta: { v: '1' },
    Weights: { Passing: 10, Warning: 1 },
    EnableTagOverride: true,
  });
  expect([status, text, headers['x-drover-revision']]).toEqual([200, '', String(api.context.feed.revision)]);
  expect(await get('catalog/service/web')).toMatchObject([{ ServiceID: 'web1', Node: 'n1', ServiceTags: ['a'] }]);
  expect(await get('agent/services')).toEqual({
    web1: {
      ID: 'web1',
      Service: 'web',
      Tags: ['a'],
      Meta: { v: '1' },
      Port: 80,
      Address: '10.0.0.1',
      TaggedAddresses: {
        lan_ipv4: { Address: '10.0.0.1', Port: 80 },
        wan_ipv4: { Address: '10.0.0.1', Port: 80 },
      },
      SocketPath: '',
      Weights: { Passing: 10, Warning: 1 },
      EnableTagOverride: true,
      Datacenter: 'aws',
      CreateIndex: 0,
      ModifyIndex: 0,
    },
  });
});

test('the id is the name unless told; the rest has its defaults', async () => {
  await register({ Name: 'web' });
  expect(await get('agent/service/web')).toMatchObject({
    ID: 'web',
    Service: 'web',
    Tags: [],
    Meta: {},
    Port: 0,
    Address: '',
    TaggedAddresses: {},
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
  });
});

test('keys are taken in any case and in snake_case; null and unknown ones are ignored', async () => {
  const body = {
    name: 'web',
    TAGS: ['a'],
    enable_tag_override: true,
    tagged_addresses: { lan: { address: '10.0.0.1', port: 1 } },
    Meta: null,
    Check: null,
    Checks: null,
    Whatever: { a: 1 },
    Token: 'secret',
  };
  expect((await register(body)).status).toBe(200);
  expect(await get('agent/service/web')).toMatchObject({
    Tags: ['a'],
    EnableTagOverride: true,
    TaggedAddresses: { lan: { Address: '10.0.0.1', Port: 1 } },
  });
});

test.each([
  [{}, 'Missing service name'],
  [{ Name: '' }, 'Missing service name'],
  [{ ID: 'x' }, 'Missing service name'],
  [{ Name: 'x', Address: '0.0.0.0' }, 'Invalid service address'],
  [{ Name: 'x', Address: '::' }, 'Invalid service address'],
  [{ Name: 'x', Address: '[::]' }, 'Invalid service address'],
  [{ Name: 'x', Port: 65_536 }, 'expected a port'],
  [{ Name: 'x', Port: -1 }, 'expected a port'],
  [{ Name: 'x', Port: 1.5 }, 'expected a port'],
  [{ Name: 'x', Meta: { 'a b': '1' } }, 'Invalid Service Meta: '],
  [{ Name: 'x', Meta: { ['k'.repeat(129)]: '1' } }, 'Invalid Service Meta: '],
  [{ Name: 'x', Meta: { a: 'v'.repeat(513) } }, 'Invalid Service Meta: '],
  [{ Name: 'x', Meta: { a: 1 } }, 'Invalid Service Meta: '],
  [
    { Name: 'x', Meta: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ''])) },
    'Invalid Service Meta: ',
  ],
  [{ Name: 'x', Weights: { Passing: 0 } }, 'Invalid Weights: '],
  [{ Name: 'x', Weights: { Warning: -1 } }, 'Invalid Weights: '],
  [{ Name: 'x', Weights: { Passing: 65_536 } }, 'Invalid Weights: '],
  [{ Name: 'x', Check: { TTL: '10x' } }, 'time: invalid duration "10x"'],
  [{ Name: 'x', Checks: [{ HTTP: 'http://x', Interval: 'soon' }] }, 'time: invalid duration "soon"'],
  [{ Name: 'x', Check: { TTL: '10s', Status: 'fine' } }, "Status for checks must 'passing', 'warning', 'critical'"],
  [{ Name: 'x', Check: { Notes: 'of no kind' } }, 'Invalid check: '],
  [{ Name: 'x', Check: { HTTP: 'http://x' } }, 'Invalid check: '],
  [{ Name: 'x', Check: { TTL: '10s', TCP: 'x:1', Interval: '1s' } }, 'Invalid check: '],
  [{ Name: 'x', Check: { UDP: 'x', Interval: '1s' } }, 'Invalid check: "x" is not host:port'],
  [{ Name: 'x', Check: { Args: ['true'], Interval: '1s' } }, 'Scripts are disabled on this agent'],
  [{ Name: 'x', Check: { Script: 'true', Interval: '1s' } }, 'Scripts are disabled on this agent'],
  [{ Name: 'x', Connect: { SidecarService: { ID: 'own' } } }, 'Invalid service: a sidecar has no ID of its own'],
  [{ Name: 'x', Connect: { SidecarService: { Port: 'x' } } }, 'Request decode failed: port'],
  [{ Name: 'x', Namespace: 'team' }, 'Invalid service: '],
  [{ Name: 'x\ny' }, 'control character'],
])('register refuses %j, and registers nothing', async (body, text) => {
  const answer = await register(body);
  expect(answer.status).toBe(400);
  expect(answer.text).toContain(text);
});

test('a sidecar is registered beside its service, keeps its port, and goes with it', async () => {
  const body = { Name: 'foo', ID: 'f1', Tags: ['a'], Address: '10.0.0.1', Connect: { SidecarService: {} } };
  expect((await register(body)).status).toBe(200);
  const both = (await get('agent/services')) as Record<string, { Port: number }>;
  expect(both).toMatchObject({
    f1: { Service: 'foo' },
    'f1-sidecar-proxy': { Service: 'foo-sidecar-proxy', Kind: 'connect-proxy', Tags: ['a'], Address: '10.0.0.1' },
  });
  const { Port } = both['f1-sidecar-proxy'] as { Port: number };
  expect(Port).toBeGreaterThanOrEqual(21_000);
  await register({ ...body, Tags: ['b'] });
  await register({ Name: 'bar', Connect: { SidecarService: {} } });
  expect(await get('agent/services')).toMatchObject({
    'f1-sidecar-proxy': { Port, Tags: ['b'] },
    'bar-sidecar-proxy': { Port: Port + 1 },
  });
  for (const id of ['f1', 'bar']) await ask('PUT', `service/deregister/${id}`);
  expect(await get('agent/services')).toEqual({});
});

test('a sidecar with a port and a name of its own keeps them', async () => {
  await register({ Name: 'foo', Connect: { SidecarService: { Port: 4_000, Name: 'side', Check: { TTL: '1m' } } } });
  expect(await get('agent/services')).toMatchObject({ 'foo-sidecar-proxy': { Service: 'side', Port: 4_000 } });
  expect(Object.keys((await get('agent/checks')) as object)).toEqual(['service:foo-sidecar-proxy']);
  await ask('PUT', 'service/deregister/foo');
});

test('a Unix socket is shown where Consul shows it', async () => {
  await register({ Name: 'sock', SocketPath: '/run/x.sock' });
  expect(await get('agent/services')).toMatchObject({ sock: { SocketPath: '/run/x.sock' } });
  expect(await get('catalog/service/sock')).toMatchObject([{ ServiceSocketPath: '/run/x.sock' }]);
  expect(await get('health/service/sock')).toMatchObject([{ Service: { SocketPath: '/run/x.sock' } }]);
});

test("durations are Go's texts, or numbers of nanoseconds", async () => {
  await register({ Name: 'a', Check: { TTL: 10_000_000_000 } });
  await register({ Name: 'b', Check: { ttl: '1m30s', deregister_critical_service_after: '1.5h' } });
  expect(await get('agent/checks')).toMatchObject({
    'service:a': { Definition: { TTL: '10s' } },
    'service:b': { Definition: { TTL: '1m30s', DeregisterCriticalServiceAfter: '1h30m0s' } },
  });
});

test('a check without anything in it is no check', async () => {
  await register({ Name: 'web', Check: { HTTP: '', Interval: '', TTL: null, Args: [] } });
  expect(await checkIds()).toEqual([]);
});

test('checks are called after their service, with numbers when there are several', async () => {
  await register({ Name: 'one', ID: 'one1', Check: { TTL: '10s' } });
  await register({
    Name: 'two',
    Checks: [{ TTL: '10s' }, { TTL: '20s', CheckID: 'own', Name: 'Own' }, { TTL: '30s' }],
  });
  expect(await checkIds()).toEqual(['own', 'service:one1', 'service:two:1', 'service:two:3']);
  expect(await get('health/checks/one')).toMatchObject([
    { CheckID: 'service:one1', Name: "Service 'one' check", Type: 'ttl', Status: 'critical', ServiceID: 'one1' },
  ]);
});

test('a check begins with the status that it is given', async () => {
  await register({ Name: 'web', Check: { TTL: '10s', Status: 'passing' } });
  expect(await get('health/service/web?passing')).toHaveLength(1);
});

test('to register an id again replaces it and keeps its checks, unless told', async () => {
  await register({ Name: 'web', Port: 1, Checks: [{ TTL: '10s', CheckID: 'a' }] });
  await register({ Name: 'web', Port: 2, Checks: [{ TTL: '10s', CheckID: 'b' }] });
  expect(await get('agent/service/web')).toMatchObject({ Port: 2 });
  expect(await checkIds()).toEqual(['a', 'b']);
  await register({ Name: 'web', Checks: [{ TTL: '10s', CheckID: 'c' }] }, '?replace-existing-checks=false');
  expect(await checkIds()).toEqual(['a', 'b', 'c']);
  await register({ Name: 'web', Checks: [{ TTL: '10s', CheckID: 'd' }] }, '?replace-existing-checks=true');
  expect(await checkIds()).toEqual(['d']);
});

test('one service has a hash of its content; an unknown one is 404', async () => {
  await register({ Name: 'web' });
  const { json, headers } = await ask('GET', 'service/web');
  expect(json).toMatchObject({ ContentHash: headers['x-consul-contenthash'] });
  expect(await ask('GET', 'service/none')).toMatchObject({ status: 404, text: 'unknown service ID: none' });
  expect(await ask('GET', 'service/')).toMatchObject({ status: 400, text: 'Missing service ID' });
});

test('?hash waits until the content differs', async () => {
  await register({ Name: 'web', Port: 1 });
  const { headers } = await ask('GET', 'service/web');
  const hash = headers['x-consul-contenthash'] ?? '';
  expect((await ask('GET', 'service/web?hash=other&wait=10s')).status).toBe(200);
  const waiting = ask('GET', `service/web?hash=${hash}&wait=10s`);
  await api.clock.advance(0);
  expect(api.context.queries.waiters).toBe(1);
  await register({ Name: 'other' });
  await api.clock.advance(0);
  expect(api.context.queries.waiters).toBe(1);
  await register({ Name: 'web', Port: 2 });
  const changed = await waiting;
  expect(changed.json).toMatchObject({ Port: 2 });
  expect(changed.headers['x-consul-contenthash']).not.toBe(hash);
});

test('?hash gives the same when the time is up, and 404 when the service goes', async () => {
  await register({ Name: 'web' });
  const hash = (await ask('GET', 'service/web')).headers['x-consul-contenthash'] ?? '';
  const timed = ask('GET', `service/web?hash=${hash}&wait=1s`);
  await api.clock.advance(1_001);
  expect((await timed).headers['x-consul-contenthash']).toBe(hash);
  const waiting = ask('GET', `service/web?hash=${hash}&wait=10s`);
  await api.clock.advance(0);
  await ask('PUT', 'service/deregister/web');
  expect((await waiting).status).toBe(404);
});

test('deregister takes the service with its checks out of the catalog', async () => {
  await register({ Name: 'web', ID: 'app#127.0.0.1#3000', Check: { TTL: '10s' } });
  expect(await ask('PUT', 'service/deregister/app%23127.0.0.1%233000')).toMatchObject({ status: 200, text: '' });
  expect([await get('catalog/services'), await checkIds()]).toEqual([{}, []]);
});

test.each([
  ['PUT', 'service/deregister/none', 404, 'Unknown service ID "none"'],
  ['PUT', 'service/deregister/', 400, 'Missing service ID'],
  ['PUT', 'service/maintenance/none?enable=true', 404, 'Unknown service ID "none"'],
  ['PUT', 'service/maintenance/?enable=true', 400, 'Missing service ID'],
])('%s %s is %i', async (method, path, status, text) => {
  const answer = await ask(method, path);
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(text);
});

test('maintenance of a service is a critical check of it', async () => {
  await register({ Name: 'web' });
  await ask('PUT', 'service/maintenance/web?enable=true&reason=move');
  expect(await get('health/checks/web')).toMatchObject([
    { CheckID: '_service_maintenance:web', Name: 'Service Maintenance Mode', Status: 'critical', Notes: 'move' },
  ]);
  await ask('PUT', 'service/maintenance/web?enable=false');
  expect(await get('health/checks/web')).toEqual([]);
});

test('in legacy mode GET does what PUT does, but not for a page of another host', async () => {
  await using legacy = await startTestApi({ legacy: true });
  await legacy.ask('PUT', '/v1/agent/service/register', { body: { Name: 'web' } });
  const path = '/v1/agent/service/deregister/web';
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'http://evil.example' }])
    expect((await legacy.ask('GET', path, { headers })).status).toBe(403);
  expect((await legacy.ask('GET', path)).status).toBe(200);
  expect((await ask('GET', 'service/deregister/web')).status).toBe(405);
});
