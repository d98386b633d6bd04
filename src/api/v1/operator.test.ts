import { describe, expect, test } from 'vitest';
import type { AccessControl, Authority } from '../../access/index.ts';
import { startTestApi } from '../testing.ts';

const ORIGIN = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };

/** Who may do only what is named, such as `operator read`. */
function only(...allowed: readonly string[]): AccessControl {
  const allows: Authority['allows'] = (resource, name, level) =>
    allowed.some((one) => one === `${resource} ${name} ${level}`.replace('  ', ' '));
  const demand: Authority['demand'] = (resource, name, level) => {
    if (!allows(resource, name, level)) throw new Error(`${resource} ${name} ${level}`);
  };
  const authority: Authority = { id: 'x', accessor: 'x', allows, allowsUnder: allows, demand };
  return { isEnabled: true, defaultPolicy: 'deny', authorityOf: () => authority };
}

describe('coordinate', () => {
  test('coordinate/datacenters has one datacenter with exactly three keys', async () => {
    await using api = await startTestApi();
    expect((await api.ask('GET', '/v1/coordinate/datacenters')).json).toEqual([
      { Datacenter: 'aws', AreaID: 'wan', Coordinates: [{ Node: 'n1.aws', Segment: '', Coord: ORIGIN }] },
    ]);
  });

  test('coordinate/nodes and node/:n put every node where nothing was measured', async () => {
    await using api = await startTestApi({ nodes: ['n2'] });
    const nodes = await api.ask('GET', '/v1/coordinate/nodes');
    expect(nodes.json).toEqual(['n1', 'n2'].map((name) => ({ Node: name, Segment: '', Coord: ORIGIN })));
    expect(Number(nodes.headers['x-consul-index'])).toBeGreaterThan(1);
    expect((await api.ask('GET', '/v1/coordinate/node/n2')).json).toEqual([{ Node: 'n2', Segment: '', Coord: ORIGIN }]);
    expect((await api.ask('GET', '/v1/coordinate/node/never')).status).toBe(404);
    expect((await api.ask('GET', '/v1/coordinate/node/')).text).toBe('Missing node name');
  });

  test('coordinate/update takes what an agent measured, and says what it cannot read', async () => {
    await using api = await startTestApi();
    const update = (body: unknown) => api.ask('PUT', '/v1/coordinate/update', { body });
    expect(await update({ Node: 'n1', Segment: '', Coord: ORIGIN })).toMatchObject({ status: 200, text: '' });
    expect(await update('[')).toMatchObject({ status: 400, text: expect.stringContaining('Request decode failed') });
  });

  test('coordinates are seen with node:read, updated with node:write', async () => {
    await using api = await startTestApi({ nodes: ['n2'], access: only('node n2 read', 'node n1 write') });
    expect((await api.ask('GET', '/v1/coordinate/nodes')).json).toMatchObject([{ Node: 'n2' }]);
    expect((await api.ask('GET', '/v1/coordinate/node/n1')).status).toBe(404);
    const update = async (Node: string) => (await api.ask('PUT', '/v1/coordinate/update', { body: { Node } })).status;
    expect([await update('n1'), await update('n2')]).toEqual([200, 500]);
  });
});

describe('operator', () => {
  test('operator/raft/configuration is that of one server that leads, with index 1', async () => {
    await using api = await startTestApi();
    const { json } = await api.ask('GET', '/v1/operator/raft/configuration');
    expect(json).toEqual({
      Servers: [
        {
          ID: api.node.record.id,
          Node: 'n1',
          Address: '127.0.0.1:8300',
          Leader: true,
          ProtocolVersion: '3',
          LastIndex: api.context.feed.revision,
          Voter: true,
        },
      ],
      Index: 1,
    });
  });

  test.each([
    ['DELETE', 'raft/peer', 400, 'Must specify either ?id'],
    ['DELETE', 'raft/peer?id=a&address=b', 400, 'only one of'],
    [
      'DELETE',
      'raft/peer?address=10.0.0.1:8300',
      500,
      'address "10.0.0.1:8300" was not found in the Raft configuration',
    ],
    ['DELETE', 'raft/peer?address=127.0.0.1:8300', 500, 'the only server cannot be removed'],
    ['POST', 'raft/transfer-leader', 500, 'cannot find peer'],
    ['PUT', 'autopilot/configuration?cas=x', 400, 'Error parsing cas value'],
    ['POST', 'keyring', 500, 'keyring is not enabled'],
  ])('%s operator/%s is %i: %s', async (method, path, status, text) => {
    await using api = await startTestApi();
    const answer = await api.ask(method, `/v1/operator/${path}`, { body: '{}' });
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)]);
  });

  test('operator/autopilot says that the one server is well', async () => {
    await using api = await startTestApi();
    const ask = async (path: string) => (await api.ask('GET', `/v1/operator/autopilot/${path}`)).json;
    expect(await ask('configuration')).toMatchObject({ CleanupDeadServers: true, LastContactThreshold: '200ms' });
    expect(await ask('health')).toMatchObject({
      Healthy: true,
      FailureTolerance: 0,
      Servers: [{ Name: 'n1', Voter: true }],
    });
    const { id } = api.node.record;
    expect(await ask('state')).toMatchObject({ Leader: id, Voters: [id], Servers: { [id]: { Status: 'leader' } } });
    const put = async (query: string) =>
      (await api.ask('PUT', `/v1/operator/autopilot/configuration${query}`, { body: {} })).text;
    expect([await put(''), await put('?cas=1'), await put('?cas=2')]).toEqual(['true', 'true', 'false']);
  });

  test('operator/usage, utilization and keyring count what there is', async () => {
    await using api = await startTestApi({
      nodes: [{ name: 'n2', services: ['web', { service: 'web', id: 'w2' }, 'consul'] }],
    });
    const ask = async (path: string) => (await api.ask('GET', `/v1/operator/${path}`)).json;
    const counts = { Nodes: 2, Services: 2, ServiceInstances: 3, BillableServiceInstances: 2 };
    expect(await ask('usage')).toMatchObject({ Usage: { aws: counts }, KnownLeader: true });
    expect(await ask('utilization')).toMatchObject({ Datacenter: 'aws', ...counts });
    expect(await ask('keyring')).toMatchObject([
      { WAN: true, Datacenter: 'aws', Keys: {}, NumNodes: 1 },
      { WAN: false, NumNodes: 2 },
    ]);
  });

  test('operator asks for operator and keyring rights', async () => {
    const open = ['raft/configuration', 'autopilot/configuration', 'autopilot/health', 'autopilot/state', 'usage'];
    await using api = await startTestApi({ access: only('operator read') });
    for (const path of open) expect((await api.ask('GET', `/v1/operator/${path}`)).status, path).toBe(200);
    for (const path of ['raft/transfer-leader', 'autopilot/configuration'])
      expect((await api.ask('PUT', `/v1/operator/${path}`, { body: {} })).text).toBe('Internal error');
    expect((await api.ask('GET', '/v1/operator/keyring')).status).toBe(500);
  });
});
