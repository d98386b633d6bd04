import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsulAgent } from './consul-agent.ts';
import { testRows, Wire } from './consul-wire.ts';

/** Events, status, coordinates, snapshots, operators: consul-http-api 10. */

type Row = Record<string, unknown>;

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;

let agent: ConsulAgent;
let wire: Wire;
beforeAll(async () => {
  agent = await ConsulAgent.start({ flags: ['-server'], configuration: { node_name: 'n1' } });
  wire = new Wire(agent.url);
});
afterAll(async () => {
  wire?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
});

/** The index of a list whose last event has this ID. */
function indexOfEvent(id: string): string {
  const digits = id.replaceAll('-', '');
  return String(BigInt(`0x${digits.slice(0, 16)}`) ^ BigInt(`0x${digits.slice(16)}`));
}

describe('events', () => {
  test('GET event/list: nothing has index 1', async () => {
    const reply = await wire.ok('GET event/list');
    expect({ text: reply.text, index: reply.headers['x-consul-index'] }).toEqual({ text: '[]', index: '1' });
  });

  test('PUT event/fire/: the answer has exactly eight members', async () => {
    const event = await wire.json<Row>('PUT event/fire/deploy?node=n.*&service=web&tag=v1', { body: 'payload' });
    expect(event).toEqual({
      ID: expect.stringMatching(UUID),
      Name: 'deploy',
      Payload: Buffer.from('payload').toString('base64'),
      NodeFilter: 'n.*',
      ServiceFilter: 'web',
      TagFilter: 'v1',
      Version: 1,
      LTime: expect.any(Number),
    });
  });

  test('PUT event/fire/: without a body the payload is null, filters are empty', async () => {
    expect(await wire.json('PUT event/fire/plain')).toMatchObject({
      Payload: null,
      NodeFilter: '',
      ServiceFilter: '',
      TagFilter: '',
    });
  });

  test('PUT event/fire/: bytes and odd names are kept', async () => {
    const body = Buffer.from([0, 255, 10]);
    const event = await wire.json<Row>('PUT event/fire/a%2Fb:c', { body });
    expect(event).toMatchObject({ Name: 'a/b:c', Payload: body.toString('base64') });
  });

  test('GET event/list: an event is there when fire has answered, oldest first, by name too', async () => {
    const fire = (name: string): Promise<Row> => wire.json(`PUT event/fire/${name}`);
    const first = await fire('seen');
    const second = await fire('seen');
    await fire('other');
    const all = await wire.json<Row[]>('GET event/list');
    expect(all.slice(-3)).toMatchObject([{ ID: first.ID }, { ID: second.ID }, { Name: 'other' }]);
    expect(await wire.json('GET event/list?name=seen')).toMatchObject([{ ID: first.ID }, { ID: second.ID }]);
    expect(await wire.json('GET event/list?name=none')).toEqual([]);
  });

  test('GET event/list: the index is the XOR of the halves of the last ID', async () => {
    const { ID } = await wire.json<{ ID: string }>('PUT event/fire/indexed');
    expect((await wire.ok('GET event/list')).headers['x-consul-index']).toBe(indexOfEvent(ID));
    await wire.ok('PUT event/fire/later');
    expect((await wire.ok('GET event/list?name=indexed')).headers['x-consul-index']).toBe(indexOfEvent(ID));
  });

  test('GET event/list: waits while the index is that of the last event', async () => {
    await wire.ok('PUT event/fire/awaited');
    const index = String((await wire.ok('GET event/list?name=awaited')).headers['x-consul-index']);
    const waiting = wire.json<Row[]>(`GET event/list?name=awaited&index=${index}&wait=30s`);
    const { ID } = await wire.json<{ ID: string }>('PUT event/fire/awaited');
    expect((await waiting).at(-1)).toMatchObject({ ID });
    const late = await wire.ok(`GET event/list?name=awaited&index=${indexOfEvent(ID)}&wait=20ms`);
    expect(late.headers['x-consul-index']).toBe(indexOfEvent(ID));
    expect(await wire.json(`GET event/list?name=awaited&index=7&wait=30s`)).toHaveLength(2);
  });

  test('GET event/list: keeps the last 256', async () => {
    for (let count = 0; count < 260; count++) await wire.ok('PUT event/fire/many');
    expect(await wire.json('GET event/list')).toHaveLength(256);
  });

  test('PUT event/fire/: the agent applies the filters to itself', async () => {
    await wire.ok('PUT agent/service/register', { body: { Name: 'web', Tags: ['v1'] } });
    const fire = (query: string): Promise<{ ID: string }> => wire.json(`PUT event/fire/filtered?${query}`);
    const wanted = [await fire('node=^n1$'), await fire('service=web'), await fire('service=we&tag=^v')].map(
      ({ ID }) => ID,
    );
    await fire('node=^n2$');
    await fire('service=db');
    await fire('service=web&tag=v2');
    const seen = await wire.json<{ ID: string }[]>('GET event/list?name=filtered');
    expect(seen.map(({ ID }) => ID)).toEqual(wanted);
  });

  const fire = 'PUT event/fire/';
  testRows(
    () => wire,
    [
      [`${fire}: no name is 400`, fire, 400, 'Missing name'],
      [
        `${fire}: a tag without a service is 500`,
        `${fire}x?tag=a`,
        500,
        'Cannot provide tag filter without service filter',
      ],
      [`${fire}: a bad filter of nodes is 500`, `${fire}x?node=(`, 500, /^Invalid node filter: /],
      [`${fire}: a bad filter of services is 500`, `${fire}x?service=(`, 500, /^Invalid service filter: /],
      [`${fire}: a bad filter of tags is 500`, `${fire}x?service=a&tag=(`, 500, /^Invalid tag filter: /],
      [`${fire}: GET is 405`, 'GET event/fire/x', 405, 'method GET not allowed'],
      ['GET event/list: a bad index is 400', 'GET event/list?index=x', 400, 'Invalid index'],
      ['GET event/list: a bad wait is 400', 'GET event/list?wait=x', 400, 'Invalid wait time'],
    ],
  );
});

describe('status', () => {
  testRows(
    () => wire,
    [
      ['GET status/leader: the address of the server', 'GET status/leader', 200, '"127.0.0.1:8300"'],
      ['GET status/peers: the addresses of all servers', 'GET status/peers', 200, '["127.0.0.1:8300"]'],
      ['GET status/leader: PUT is 405', 'PUT status/leader', 405, 'method PUT not allowed'],
      ['GET status/peers: an unknown datacenter is 500', 'GET status/peers?dc=mars', 500, 'No path to datacenter'],
    ],
  );
});

describe('coordinates', () => {
  const coord = { Vec: expect.any(Array), Error: 1.5, Adjustment: 0, Height: 1e-5 };

  test('GET coordinate/nodes: one of each node', async () => {
    const nodes = await wire.json<Row[]>('GET coordinate/nodes');
    expect(nodes).toContainEqual({ Node: 'n1', Segment: '', Coord: coord });
  });

  test('GET coordinate/node/: of one node', async () => {
    expect(await wire.json('GET coordinate/node/n1')).toEqual([{ Node: 'n1', Segment: '', Coord: coord }]);
  });

  test('GET coordinate/datacenters: one per datacenter, with exactly three members', async () => {
    const centers = await wire.json<Row[]>('GET coordinate/datacenters');
    expect(centers).toEqual([{ Datacenter: 'dc1', AreaID: 'wan', Coordinates: expect.any(Array) }]);
    expect(centers[0]?.Coordinates).toMatchObject([{ Node: 'n1.dc1', Coord: coord }]);
  });

  const update = 'PUT coordinate/update';
  const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };
  testRows(
    () => wire,
    [
      ['GET coordinate/node/: an unknown node is 404', 'GET coordinate/node/none', 404, ''],
      ['GET coordinate/node/: no node is 400', 'GET coordinate/node/', 400, /^Missing node/],
      [`${update}: is taken`, update, 200, '', { Node: 'n1', Segment: '', Coord }],
      [`${update}: no JSON is 400`, update, 400, /^Request decode failed: /, '{'],
    ],
  );
});

describe('snapshots', () => {
  test('GET snapshot: an archive that PUT snapshot brings back, in a new region too', async () => {
    await wire.ok('PUT kv/kept', { body: 'before' });
    const { ID } = await wire.json<{ ID: string }>('PUT session/create', { body: { TTL: '1h', Checks: [] } });
    await wire.ok(`PUT kv/locked?acquire=${ID}`, { body: 'x' });
    const archive = await wire.ok('GET snapshot?stale');
    expect(archive.headers['content-type']).toBe('application/x-gzip');
    expect(gunzipSync(archive.bytes).subarray(257, 262).toString()).toBe('ustar');
    await wire.ok('PUT kv/kept', { body: 'after' });
    const { index } = await wire.ok('GET kv/kept');
    await wire.ok('PUT snapshot', { body: archive.bytes });
    expect(await wire.ok('GET kv/kept?raw')).toMatchObject({ text: 'before' });
    expect((await wire.ok('GET kv/kept')).index).toBeGreaterThan(index);
    await using other = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'n2' } });
    using there = new Wire(other.url);
    await there.ok('PUT snapshot', { body: archive.bytes });
    expect(await there.json('GET kv/locked')).toMatchObject([{ Session: ID }]);
    expect(await there.json(`GET session/info/${ID}`)).toMatchObject([{ TTL: '1h' }]);
  });

  test('PUT snapshot: what is no archive, or a damaged one, changes nothing', async () => {
    await wire.ok('PUT kv/safe', { body: 'yes' });
    const { bytes } = await wire.ok('GET snapshot');
    const cut = bytes.subarray(0, bytes.length / 2);
    for (const body of ['no archive', cut, Buffer.alloc(0)]) {
      const reply = await wire.ask('PUT snapshot', { body });
      expect(reply.status).toBeGreaterThanOrEqual(400);
      expect(reply.text).not.toBe('');
    }
    expect(await wire.ok('GET kv/safe?raw')).toMatchObject({ text: 'yes' });
  });
});

describe('operators', () => {
  test('GET operator/raft/configuration: one server that leads, Index 1', async () => {
    expect(await wire.json('GET operator/raft/configuration')).toEqual({
      Servers: [
        {
          ID: expect.stringMatching(UUID),
          Node: 'n1',
          Address: '127.0.0.1:8300',
          Leader: true,
          ProtocolVersion: '3',
          LastIndex: expect.any(Number),
          Voter: true,
        },
      ],
      Index: 1,
    });
  });

  test('GET operator/autopilot/configuration: has the members of Consul', async () => {
    expect(await wire.json('GET operator/autopilot/configuration')).toMatchObject({
      CleanupDeadServers: true,
      LastContactThreshold: '200ms',
      MaxTrailingLogs: 250,
      MinQuorum: 0,
      ServerStabilizationTime: '10s',
    });
  });

  test('GET operator/autopilot/health: the one server is healthy', async () => {
    expect(await wire.json('GET operator/autopilot/health')).toMatchObject({
      Healthy: true,
      FailureTolerance: 0,
      Servers: [{ Name: 'n1', Healthy: true, Leader: true, Voter: true }],
    });
  });

  test('GET operator/autopilot/state: names the leader', async () => {
    const state = await wire.json<{ Leader: string; Servers: Row }>('GET operator/autopilot/state');
    expect(state).toMatchObject({ Healthy: true, Voters: [state.Leader] });
    expect(state.Servers).toHaveProperty(state.Leader);
  });

  test('GET operator/usage: counts nodes and services of the datacenter', async () => {
    expect(await wire.json('GET operator/usage')).toMatchObject({
      Usage: { dc1: { Nodes: expect.any(Number), Services: expect.any(Number), ServiceInstances: expect.any(Number) } },
    });
  });

  test('GET operator/keyring: has no keys', async () => {
    for (const ring of await wire.json<Row[]>('GET operator/keyring')) expect(ring).toMatchObject({ Keys: {} });
  });

  const json = expect.anything();
  testRows(
    () => wire,
    [
      ['GET operator/utilization: answers', 'GET operator/utilization', 200, json],
      [
        'PUT operator/autopilot/configuration: is taken',
        'PUT operator/autopilot/configuration',
        200,
        /^(?:true)?$/,
        { CleanupDeadServers: true },
      ],
      ['PUT operator/autopilot/configuration: no JSON is 400', 'PUT operator/autopilot/configuration', 400, /\w/, '{'],
      [
        'DELETE operator/raft/peer: neither id nor address is 400',
        'DELETE operator/raft/peer',
        400,
        /Must specify either \?id/,
      ],
      [
        'DELETE operator/raft/peer: both are 400',
        'DELETE operator/raft/peer?id=a&address=b',
        400,
        /Must specify only one/,
      ],
      [
        'DELETE operator/raft/peer: an unknown one is 500',
        'DELETE operator/raft/peer?address=10.0.0.1:8300',
        500,
        /\w/,
      ],
      ['POST operator/raft/transfer-leader: there is nobody else', 'POST operator/raft/transfer-leader', 500, /\w/],
      ['PUT operator/raft/transfer-leader: there is nobody else', 'PUT operator/raft/transfer-leader', 500, /\w/],
      ['POST operator/keyring: there are no keys to change', 'POST operator/keyring', 500, /\w/, { Key: 'x' }],
      ['PUT operator/keyring: there are no keys to change', 'PUT operator/keyring', 500, /\w/, { Key: 'x' }],
      ['DELETE operator/keyring: there are no keys to change', 'DELETE operator/keyring', 500, /\w/, { Key: 'x' }],
      [
        'GET operator/raft/configuration: an unknown datacenter is 500',
        'GET operator/raft/configuration?dc=mars',
        500,
        'No path to datacenter',
      ],
    ],
  );
});

/** Answered at once, in plain text that says something, never with a hang. */
async function isLeftOut(call: string, status: number): Promise<void> {
  const reply = await wire.ask(call, { signal: AbortSignal.timeout(5_000) });
  expect(reply).toMatchObject({ status, text: expect.stringMatching(/./) });
  expect(reply.headers['content-type']).toMatch(/^text\/plain/);
}

describe('the mesh, which is left out', () => {
  testRows(
    () => wire,
    [
      ['GET connect/ca/roots: has no roots', 'GET connect/ca/roots', 200, expect.objectContaining({ Roots: [] })],
      [
        'GET agent/connect/ca/roots: has no roots',
        'GET agent/connect/ca/roots',
        200,
        expect.objectContaining({ Roots: [] }),
      ],
      ['GET catalog/connect/: is empty', 'GET catalog/connect/web', 200, []],
      ['GET catalog/gateway-services/: is empty', 'GET catalog/gateway-services/gw', 200, []],
      ['GET health/connect/: is empty', 'GET health/connect/web', 200, []],
      ['GET health/ingress/: is empty', 'GET health/ingress/web', 200, []],
    ],
  );

  /** What section 15 lists and drover does not have. */
  test.each([
    'PUT config',
    'GET config/service-defaults',
    'GET config/service-defaults/web',
    'DELETE config/service-defaults/web',
    'GET connect/ca/configuration',
    'PUT connect/ca/configuration',
    'GET connect/intentions',
    'POST connect/intentions',
    'GET connect/intentions/exact?source=a&destination=b',
    'PUT connect/intentions/exact?source=a&destination=b',
    'DELETE connect/intentions/exact?source=a&destination=b',
    'GET connect/intentions/match?by=source&name=a',
    'GET connect/intentions/check?source=a&destination=b',
    'GET connect/intentions/some-id',
    'PUT connect/intentions/some-id',
    'DELETE connect/intentions/some-id',
    'POST agent/connect/authorize',
    'GET agent/connect/ca/leaf/web',
    'GET discovery-chain/web',
    'POST discovery-chain/web',
    'GET exported-services',
    'GET imported-services',
    'GET peerings',
    'POST peering/token',
    'POST peering/establish',
    'GET peering/other',
    'DELETE peering/other',
    'GET internal/ui/services',
    'GET internal/ui/nodes',
    'GET internal/ui/node/n1',
    'GET internal/ui/service-topology/web',
    'PUT internal/service-virtual-ip',
    'GET internal/acl/authorize',
    'POST internal/acl/authorize',
  ])('%s: is 501 with a text', (call) => isLeftOut(call, 501));

  test.each([
    'GET operator/area',
    'GET operator/license',
    'GET operator/segment',
    'GET segment',
    'GET namespaces',
    'PUT namespace',
    'GET partitions',
    'GET no/such/endpoint',
  ])('%s: is 404 with a text', (call) => isLeftOut(call, 404));
});
