import { expect, test } from 'vitest';
import { badRequest } from '../errors.ts';
import { startTestApi, type TestApi } from '../testing.ts';

const get = async (api: TestApi, path: string): Promise<unknown> => (await api.ask('GET', `/v1/${path}`)).json;

interface Self {
  readonly Config: { readonly Version: string };
  readonly Member: { readonly Name: string };
  readonly Stats: { readonly consul: { readonly leader_addr: string } };
}

test('self has exactly the members that old clients expect, each of them an object', async () => {
  await using api = await startTestApi();
  const self = (await get(api, 'agent/self')) as Record<string, unknown>;
  expect(Object.keys(self).toSorted()).toEqual(['Config', 'Coord', 'DebugConfig', 'Member', 'Meta', 'Stats']);
  for (const member of Object.values(self)) expect(member).toBeTypeOf('object');
  expect(self).toMatchObject({
    Config: { Datacenter: 'aws', PrimaryDatacenter: '', NodeName: 'n1', Server: true, SessionTTLMin: 10_000_000_000 },
    DebugConfig: { SerfAdvertiseAddrLAN: 'tcp://127.0.0.1:8301' },
    Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0] },
  });
});

test('self says a version that clients parse, never an Enterprise one', async () => {
  await using api = await startTestApi();
  const { Config } = (await get(api, 'agent/self')) as Self;
  expect(Config.Version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(await get(api, 'agent/version')).toMatchObject({ HumanVersion: Config.Version });
});

test('self agrees with status and members', async () => {
  await using api = await startTestApi({ hosted: ['n1', 'n2'] });
  const self = (await get(api, 'agent/self')) as Self;
  expect(await get(api, 'status/leader')).toBe(self.Stats.consul.leader_addr);
  expect(await get(api, 'status/peers')).toEqual(['127.0.0.1:8300']);
  expect(await get(api, 'agent/members')).toContainEqual(self.Member);
});

test('members are the nodes that agents vouch for, with their state', async () => {
  await using api = await startTestApi({
    nodes: [
      { name: 'down', alive: 'down' },
      { name: 'ext', external: true },
      { name: 'left', alive: 'left' },
    ],
  });
  expect(await get(api, 'agent/members')).toMatchObject([
    { Name: 'down', Status: 4, Tags: { role: 'node' } },
    { Name: 'left', Status: 3 },
    {
      Name: 'n1',
      Status: 1,
      Addr: '127.0.0.1',
      Port: 8301,
      Tags: { role: 'consul', dc: 'aws', port: '8300', vsn: '2', build: '1.22.0:' },
      ProtocolCur: 2,
      DelegateCur: 4,
    },
  ]);
  expect(await get(api, 'agent/members?wan=1')).toMatchObject([{ Name: 'n1.aws', Port: 8302 }]);
});

test('without a leader status/leader is empty and still 200', async () => {
  await using api = await startTestApi();
  const { store } = api.context;
  const lost = Object.create(store, {
    status: { value: () => ({ ...store.status(), leaderKnown: false }) },
  }) as typeof store;
  Object.assign(api.context, { store: lost });
  expect(await get(api, 'status/leader')).toBe('');
  const { headers, status } = await api.ask('GET', '/v1/catalog/nodes');
  expect([status, headers['x-consul-knownleader']]).toEqual([200, 'false']);
});

test('?node= speaks to another node of this agent', async () => {
  await using api = await startTestApi({ hosted: ['n1', 'n2'] });
  await api.ask('PUT', '/v1/agent/service/register?node=n2', { body: { Name: 'web' } });
  expect(await get(api, 'agent/services')).toEqual({});
  expect(Object.keys((await get(api, 'agent/services?node=n2')) as object)).toEqual(['web']);
  const { status, text } = await api.ask('GET', '/v1/agent/services?node=n3');
  expect([status, text]).toEqual([404, 'this agent has no node "n3"; it has n1, n2']);
});

test('maintenance of the node is a critical check with the reason', async () => {
  await using api = await startTestApi({ nodes: [] });
  await api.ask('PUT', '/v1/agent/service/register', { body: { Name: 'web' } });
  const { status, text } = await api.ask('PUT', '/v1/agent/maintenance?enable=true&reason=disk+full');
  expect([status, text]).toEqual([200, '']);
  expect(await get(api, 'health/node/n1')).toMatchObject([
    {},
    { CheckID: '_node_maintenance', Name: 'Node Maintenance Mode', Status: 'critical', Notes: 'disk full' },
  ]);
  expect(await get(api, 'health/service/web?passing')).toEqual([]);
  for (let times = 0; times < 2; times++) await api.ask('PUT', '/v1/agent/maintenance?enable=false');
  expect(await get(api, 'health/service/web?passing')).toHaveLength(1);
});

test.each([
  ['', 'Missing value for enable'],
  ['?enable', 'Missing value for enable'],
  ['?enable=', 'Missing value for enable'],
  ['?enable=x', 'Invalid value for enable: "x"'],
])('maintenance with %j is 400', async (query, text) => {
  await using api = await startTestApi();
  await api.ask('PUT', '/v1/agent/service/register', { body: { Name: 'web' } });
  for (const path of ['maintenance', 'service/maintenance/web']) {
    const answer = await api.ask('PUT', `/v1/agent/${path}${query}`);
    expect([answer.status, answer.text]).toEqual([400, text]);
  }
});

test('reload is done when it is answered; what is wrong is 500 with its text', async () => {
  let reloads = 0;
  await using api = await startTestApi({
    reload: async () => {
      if (reloads++ > 0) throw badRequest("agent.json:3:1: expected ','");
    },
  });
  expect(await api.ask('PUT', '/v1/agent/reload')).toMatchObject({ status: 200, text: '' });
  expect(await api.ask('PUT', '/v1/agent/reload')).toMatchObject({ status: 500, text: "agent.json:3:1: expected ','" });
});

test('leave is answered before the agent ends', async () => {
  await using api = await startTestApi();
  expect(await api.ask('PUT', '/v1/agent/leave')).toMatchObject({ status: 200, text: '' });
  await api.clock.advance(0);
  expect(api.left()).toBe(1);
  expect((await api.ask('GET', '/v1/agent/leave')).status).toBe(405);
});

test.each([
  ['GET', 'acl/tokens'],
  ['PUT', 'acl/bootstrap'],
  ['GET', 'acl/token/self'],
  ['POST', 'acl/login'],
  ['PUT', 'agent/token/default'],
])('without ACLs %s %s is 401 with the text that clients know', async (method, path) => {
  await using api = await startTestApi();
  expect(await api.ask(method, `/v1/${path}`)).toMatchObject({ status: 401, text: 'ACL support disabled' });
});

test.each(['connect/ca/roots', 'agent/connect/ca/roots'])('%s has no roots', async (path) => {
  await using api = await startTestApi();
  expect(await get(api, path)).toMatchObject({ Roots: [] });
});

test.each([
  ['GET', 'connect/intentions', 'mesh'],
  ['PUT', 'config', 'mesh'],
  ['GET', 'discovery-chain/web', 'mesh'],
  ['GET', 'peerings', 'mesh'],
  ['GET', 'internal/ui/nodes', 'mesh'],
])('%s %s is 501 in words, which no client takes for "not found"', async (method, path, text) => {
  await using api = await startTestApi();
  const answer = await api.ask(method, `/v1/${path}`);
  expect(answer.status).toBe(501);
  expect(answer.text).toContain(text);
});
