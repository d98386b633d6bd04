import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => deregister({ Node: 'ext' }));

const register = (body: unknown): Promise<TestReply> => api.ask('PUT', '/v1/catalog/register', { body });
const deregister = (body: unknown): Promise<TestReply> => api.ask('PUT', '/v1/catalog/deregister', { body });
const get = async (path: string): Promise<unknown> => (await api.ask('GET', `/v1/${path}`)).json;

const WHOLE = {
  ID: '11111111-2222-4333-8444-555555555555',
  Node: 'ext',
  Address: '10.0.0.9',
  Datacenter: 'aws',
  TaggedAddresses: { lan: '10.0.0.9' },
  NodeMeta: { rack: 'a' },
  Service: { ID: 'db1', Service: 'db', Tags: ['master'], Address: '10.0.0.10', Port: 5432, Meta: { v: '1' } },
  Check: { CheckID: 'service:db1', Name: 'db check', Status: 'passing', ServiceID: 'db1', Output: 'ok', Notes: 'n' },
};

test('register takes a node, a service and a check at once', async () => {
  const { text, headers } = await register(WHOLE);
  expect([text, headers['x-drover-revision']]).toEqual(['true', expect.stringMatching(/^\d+$/)]);
  expect(await get('health/service/db?passing')).toMatchObject([
    {
      Node: {
        ID: WHOLE.ID,
        Node: 'ext',
        Address: '10.0.0.9',
        Meta: { rack: 'a' },
        TaggedAddresses: { lan: '10.0.0.9' },
      },
      Service: { ID: 'db1', Service: 'db', Tags: ['master'], Port: 5432, Meta: { v: '1' } },
      Checks: [{ CheckID: 'service:db1', Status: 'passing', ServiceName: 'db', ServiceTags: ['master'], Notes: 'n' }],
    },
  ]);
});

test('ids have defaults: that of a service is its name, that of a check too, whose status is critical', async () => {
  await register({ Node: 'ext', Address: '10.0.0.9', Service: { Service: 'db' }, Checks: [{ Name: 'alive' }] });
  expect(await get('catalog/service/db')).toMatchObject([{ ServiceID: 'db' }]);
  expect(await get('health/node/ext')).toMatchObject([{ CheckID: 'alive', Status: 'critical', ServiceID: '' }]);
});

test('keys are taken in any case, unknown ones are ignored, null is as if it were not there', async () => {
  const body = { node: 'ext', ADDRESS: '10.0.0.9', service: { SERVICE: 'db', tags: null }, Check: null, Whatever: 1 };
  expect((await register(body)).text).toBe('true');
  expect(await get('catalog/services')).toEqual({ db: [] });
});

test('what a check says of its definition is kept, but only what Consul knows', async () => {
  const Definition = { http: 'http://x/', Header: { a: ['b'] }, Interval: '10s', deep: { a: [[[]]] } };
  await register({ Node: 'ext', Address: '10.0.0.9', Check: { Name: 'c', Definition } });
  expect(await get('health/node/ext')).toMatchObject([
    { Definition: { HTTP: 'http://x/', Header: { a: ['b'] }, Interval: '10s' } },
  ]);
});

test('SkipNodeUpdate leaves the node as it is', async () => {
  await register(WHOLE);
  await register({ Node: 'ext', Address: '10.9.9.9', SkipNodeUpdate: true, Service: { Service: 'web' } });
  expect(await get('catalog/node/ext')).toMatchObject({ Node: { Address: '10.0.0.9' } });
});

test.each([
  [{ Node: 'ext' }, 500, 'Must provide node and address'],
  [{ Address: '10.0.0.9' }, 500, 'Must provide node and address'],
  [{ Node: 'ext', Address: 'x', Service: { ID: 'db' } }, 500, 'Must provide service name with ID'],
  [{ Node: 'ext', Address: 'x', ID: 'no-uuid' }, 500, 'Bad node ID: "no-uuid" is no UUID'],
  [{ Node: 'ext', Address: 'x', Check: { Name: 'c', ServiceID: 'none' } }, 500, 'Missing service registration'],
  [{ Node: 'ext', Address: 'x', Datacenter: 'elsewhere' }, 500, 'No path to datacenter'],
  [{ Node: 'ext', Address: 'x', Check: {} }, 500, 'Must provide a check ID or name'],
  [{ Node: 'ext', Address: 'x', Check: { Name: 'c', Status: 'fine' } }, 400, "Invalid check status: 'fine'"],
  [{ Node: 'ext', Address: 'x', Check: { Name: 'c', Node: 'other' } }, 400, 'the check belongs to node "other"'],
  [{ Node: 'ext', Address: 'x', NodeMeta: { a: 1 } }, 400, 'Request decode failed: nodemeta'],
  [{ Node: 'ext', Address: 'x', Checks: {} }, 400, 'Request decode failed: checks'],
  [{ Node: 'ext', Address: 'x', Service: [] }, 400, 'Request decode failed: service'],
  [{ Node: 'ext', Address: 'x', Check: { Name: 'c', Definition: { HTTP: {} } } }, 400, 'Definition.HTTP'],
  [{ Node: 'ext', Address: 'x', Check: { Name: 'c', Definition: { Header: { a: 1 } } } }, 400, 'Definition.Header'],
  [{ Node: 'n'.repeat(513), Address: 'x' }, 400, 'at most 255'],
])('register refuses %j with %i, and writes nothing', async (body, status, text) => {
  const before = api.context.feed.revision;
  const answer = await register(body);
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(text);
  expect(api.context.feed.revision).toBe(before);
});

test("a living agent keeps its name: 500 with Consul's words", async () => {
  const { status, text } = await register({ Node: 'n1', Address: '10.0.0.9', ID: WHOLE.ID });
  expect(status).toBe(500);
  expect(text).toContain('Node name n1 is reserved by node');
});

test('deregister takes a check, a service with its checks, or the node with all', async () => {
  await register(WHOLE);
  await register({ Node: 'ext', Address: '10.0.0.9', Service: { Service: 'web' }, Check: { Name: 'alive' } });
  expect((await deregister({ Node: 'ext', CheckID: 'alive' })).text).toBe('true');
  expect(await get('health/node/ext')).toMatchObject([{ CheckID: 'service:db1' }]);
  expect((await deregister({ Node: 'ext', ServiceID: 'db1' })).text).toBe('true');
  expect(await get('health/node/ext')).toEqual([]);
  expect((await deregister({ Node: 'ext', Datacenter: 'aws' })).text).toBe('true');
  expect(await get('catalog/node/ext')).toBeNull();
  expect(await get('catalog/services')).toEqual({});
});

test.each([
  { Node: 'none' },
  { Node: 'none', ServiceID: 'x' },
  { Node: 'n1', ServiceID: 'x' },
  { Node: 'n1', CheckID: 'x' },
])('deregister of what is not there is true: %j', async (body) => {
  expect((await deregister(body)).text).toBe('true');
});

test.each([
  [{}, 500, 'Must provide node'],
  [{ Node: 'n1', Datacenter: 'elsewhere' }, 500, 'No path to datacenter'],
  ['', 400, 'Request decode failed: EOF'],
])('deregister refuses %j', async (body, status, text) => {
  const answer = await deregister(body);
  expect([answer.status, answer.text]).toEqual([status, text]);
});

test.each(['register', 'deregister'])('%s takes the token of its body where the request has none', async (verb) => {
  await using closed = await startTestApi({ acl: {} });
  await closed.context.acl.writes.ensureManagement('root');
  const ask = (body: object, token?: string): Promise<TestReply> => {
    const headers = token === undefined ? {} : { 'x-consul-token': token };
    return closed.ask('PUT', `/v1/catalog/${verb}`, { body: { Node: 'ext', Address: '10.0.0.9', ...body }, headers });
  };
  expect((await ask({})).status).toBe(403);
  expect((await ask({ WriteRequest: { Token: 'nobody' } })).text).toBe('ACL not found');
  expect((await ask({ WriteRequest: { Token: 'root' } }, 'nobody')).status).toBe(403);
  expect((await ask({ WriteRequest: { Token: 7 } })).status).toBe(400);
  expect((await ask({ WriteRequest: { Token: 'root' } })).text).toBe('true');
});

test.each([
  [
    { Interval: '1m30s', Timeout: 2_500_000_000 },
    { Interval: '1m30s', Timeout: '2.5s' },
  ],
  [
    { IntervalDuration: 10_000_000_000, TTL: '' },
    { IntervalDuration: '10s', TTL: '' },
  ],
])('register keeps durations of a check as text: %j', async (Definition, kept) => {
  const Check = { Name: 'timed', Definition };
  expect((await register({ Node: 'ext', Address: '10.0.0.9', Check })).text).toBe('true');
  expect((await api.ask('GET', '/v1/health/node/ext')).json).toMatchObject([{ Definition: kept }]);
});

test.each(['Interval', 'Timeout', 'TTL', 'DeregisterCriticalServiceAfter'])(
  'register refuses a check whose %s is no duration',
  async (name) => {
    const Check = { Name: 'timed', Definition: { [name]: 'soon' } };
    const { status, text } = await register({ Node: 'ext', Address: '10.0.0.9', Check });
    expect([status, text]).toEqual([400, expect.stringMatching(/^Request decode failed: .*invalid duration "soon"/)]);
  },
);
