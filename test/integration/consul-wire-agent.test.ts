import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './cli-region.ts';
import { ConsulAgent } from './consul-agent.ts';
import { testRows, Wire } from './consul-wire.ts';

/** The agent itself and its services: consul-http-api 8. Its checks are in consul-wire-checks. */

type Row = Record<string, unknown>;

const CONFIGURATION = { node_name: 'n1', node_meta: { rack: 'r1' }, timing: 'local' };
const TOKENS = ['default', 'agent', 'agent_recovery', 'replication', 'config_file_service_registration'];
const OLD_TOKENS = ['acl_token', 'acl_agent_token', 'acl_agent_master_token', 'agent_master', 'acl_replication_token'];

let agent: ConsulAgent;
let wire: Wire;
beforeAll(async () => {
  agent = await ConsulAgent.start({ flags: ['-server'], configuration: CONFIGURATION });
  wire = new Wire(agent.url);
});
afterAll(async () => {
  wire?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
});

const register = async (body: Row, query = ''): Promise<void> => {
  expect(await wire.ok(`PUT agent/service/register${query}`, { body })).toMatchObject({ text: '' });
};
const service = (id: string): Promise<Row> => wire.json<Row>(`GET agent/service/${id}`);
const checks = (): Promise<Record<string, Row>> => wire.json('GET agent/checks');
const checksOf = async (id: string): Promise<string[]> =>
  Object.entries(await checks())
    .filter(([, check]) => check.ServiceID === id)
    .map(([key]) => key)
    .toSorted();

describe('itself', () => {
  test('GET agent/self: has exactly six members, each of objects', async () => {
    const self = await wire.json<Record<string, Row>>('GET agent/self');
    expect(Object.keys(self).toSorted()).toEqual(['Config', 'Coord', 'DebugConfig', 'Member', 'Meta', 'Stats']);
    for (const [name, member] of Object.entries(self)) expect(member, name).toBeTypeOf('object');
    expect(self).not.toHaveProperty('xDS');
    expect(self.Meta).toMatchObject({ rack: 'r1' });
  });

  test('GET agent/self: Config says who it is, Version is semver without +ent', async () => {
    const { Config } = await wire.json<{ Config: Row }>('GET agent/self');
    expect(Config).toMatchObject({
      Datacenter: 'dc1',
      PrimaryDatacenter: expect.any(String),
      NodeName: 'n1',
      NodeID: expect.stringMatching(/^[\da-f-]{36}$/),
      Revision: expect.any(String),
      Server: true,
      Version: '1.22.0',
      BuildDate: expect.any(String),
      SessionTTLMin: 10_000_000_000,
    });
  });

  test('GET agent/self: DebugConfig, Coord and Stats have what clients read', async () => {
    const leader = await wire.json('GET status/leader');
    const self = await wire.json<Row>('GET agent/self');
    expect(self).toMatchObject({
      DebugConfig: {
        SerfAdvertiseAddrLAN: 'tcp://127.0.0.1:8301',
        GRPCPort: expect.any(Number),
        ConnectEnabled: false,
      },
      Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 },
      Stats: {
        agent: expect.any(Object),
        build: expect.any(Object),
        consul: { leader: 'true', leader_addr: leader, server: 'true' },
        raft: expect.any(Object),
        runtime: expect.any(Object),
        serf_lan: expect.any(Object),
      },
    });
    for (const group of Object.values(self.Stats as Record<string, Row>))
      for (const value of Object.values(group)) expect(value).toBeTypeOf('string');
  });

  test('GET agent/members: the one node, alive, equal to the Member of self', async () => {
    const members = await wire.json<Row[]>('GET agent/members');
    expect(members).toEqual([(await wire.json<{ Member: Row }>('GET agent/self')).Member]);
    expect(members[0]).toMatchObject({
      Name: 'n1',
      Addr: '127.0.0.1',
      Port: 8301,
      Status: 1,
      ProtocolMin: 1,
      ProtocolMax: 5,
      ProtocolCur: 2,
      DelegateMin: 2,
      DelegateMax: 5,
      DelegateCur: 4,
    });
    expect(members[0]?.Tags).toMatchObject({
      role: 'consul',
      dc: 'dc1',
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      port: '8300',
      build: expect.stringMatching(/^1\.22\.0:/),
      vsn: '2',
      vsn_min: '2',
      vsn_max: '3',
      raft_vsn: '3',
      bootstrap: '1',
      acls: '0',
    });
  });

  test('GET agent/members: names of the WAN have the datacenter', async () => {
    const [member] = await wire.json<Row[]>('GET agent/members?wan=1');
    expect(member).toMatchObject({ Name: 'n1.dc1', Port: 8302, Status: 1 });
    expect(await wire.json('GET agent/members?segment=')).toMatchObject([{ Name: 'n1' }]);
  });

  test('GET agent/host: has CollectionTime', async () => {
    expect(await wire.json('GET agent/host')).toMatchObject({ CollectionTime: expect.any(Number) });
  });

  test('GET agent/version: the version that is spoken', async () => {
    expect(await wire.json('GET agent/version')).toMatchObject({ HumanVersion: expect.stringMatching(/^1\.22\.0/) });
  });

  test('GET agent/metrics: gauges and counters have the members of Consul', async () => {
    const metrics = await wire.json<Record<string, Row[]> & { Timestamp: string }>('GET agent/metrics');
    expect(metrics.Timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC$/);
    expect(metrics.Gauges).toContainEqual({
      Name: 'consul.runtime.alloc_bytes',
      Value: expect.any(Number),
      Labels: {},
    });
    expect(metrics).toMatchObject({ Points: [], Samples: expect.any(Array) });
    const members = ['Name', 'Count', 'Rate', 'Sum', 'Min', 'Max', 'Mean', 'Stddev', 'Labels'];
    expect(metrics.Counters).not.toEqual([]);
    for (const counter of metrics.Counters ?? []) expect(Object.keys(counter)).toEqual(members);
  });

  test('GET agent/metrics/stream: begins at once', async () => {
    const chunks = await begins('agent/metrics/stream');
    expect(chunks).toMatch(/"Timestamp"/);
  });

  test('GET agent/monitor: headers come at once, lines have their level', async () => {
    const lines = begins('agent/monitor?loglevel=debug', /\[(?:INFO|DEBUG)\]/);
    await until(async () => {
      await register({ Name: 'logged', Port: Math.ceil(Math.random() * 60_000) });
      return Promise.race([lines.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 50, false))]);
    });
    await wire.ok('PUT agent/service/deregister/logged');
  });

  test('GET agent/monitor: logjson gives lines of JSON', async () => {
    const lines = begins('agent/monitor?loglevel=trace&logjson', /\}\n/);
    await until(async () => {
      await register({ Name: 'logged', Port: Math.ceil(Math.random() * 60_000) });
      return Promise.race([lines.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 50, false))]);
    });
    expect(JSON.parse((await lines).split('\n')[0] ?? '')).toMatchObject({ '@level': expect.any(String) });
    await wire.ok('PUT agent/service/deregister/logged');
  });

  testRows(
    () => wire,
    [
      ['GET agent/metrics: prometheus is 415 unless it is on', 'GET agent/metrics?format=prometheus', 415, /rometheus/],
      ['GET agent/monitor: an unknown level is 400', 'GET agent/monitor?loglevel=x', 400, 'Unknown log level: x'],
      ['GET agent/self: POST is 405', 'POST agent/self', 405, 'method POST not allowed'],
      ['GET agent/members: HEAD is 405', 'HEAD agent/members', 405, ''],
      ['PUT agent/join/: the address of the agent itself', 'PUT agent/join/127.0.0.1', 200, ''],
      ['PUT agent/join/: the address itself over the WAN', 'PUT agent/join/127.0.0.1?wan=1', 200, ''],
      ['PUT agent/join/: an address without an agent is 500', 'PUT agent/join/127.0.0.9', 500, /\w/],
      ['PUT agent/token/: while ACLs are off', 'PUT agent/token/default', 401, 'ACL support disabled', { Token: 'x' }],
    ],
  );

  testRows(
    () => wire,
    [...TOKENS, ...OLD_TOKENS].map((name) => [
      `PUT agent/token/: ${name} while ACLs are off`,
      `PUT agent/token/${name}`,
      401,
      'ACL support disabled',
      { Token: 'x' },
    ]),
  );
});

/** What a stream sends until it matches. */
async function begins(call: string, pattern = /\n/): Promise<string> {
  const stop = new AbortController();
  const reply = await fetch(`${agent.url}/v1/${call}`, { signal: stop.signal });
  let said = '';
  try {
    for await (const chunk of reply.body ?? []) {
      said += Buffer.from(chunk).toString();
      if (pattern.test(said)) break;
    }
    return said;
  } finally {
    stop.abort();
  }
}

describe('maintenance', () => {
  const node = '_node_maintenance';

  test('PUT agent/maintenance: gives the node a critical check and takes it', async () => {
    expect(await wire.ok('PUT agent/maintenance?enable=true&reason=new+disk')).toMatchObject({ text: '' });
    expect((await checks())[node]).toMatchObject({
      CheckID: node,
      Name: 'Node Maintenance Mode',
      Status: 'critical',
      Notes: 'new disk',
      ServiceID: '',
    });
    await wire.ok('PUT agent/maintenance?enable=false');
    expect(await checks()).not.toHaveProperty(node);
  });

  test('PUT agent/maintenance: without a reason has the default one', async () => {
    await wire.ok('PUT agent/maintenance?enable=true');
    const Notes = 'Maintenance mode is enabled for this node, but no reason was provided. This is a default message.';
    expect((await checks())[node]).toMatchObject({ Notes });
    await wire.ok('PUT agent/maintenance?enable=false');
  });

  test('PUT agent/service/maintenance/: gives the service a critical check and takes it', async () => {
    await register({ Name: 'kept' });
    const id = '_service_maintenance:kept';
    expect(await wire.ok('PUT agent/service/maintenance/kept?enable=true&reason=why')).toMatchObject({ text: '' });
    expect((await checks())[id]).toMatchObject({
      CheckID: id,
      Name: 'Service Maintenance Mode',
      Status: 'critical',
      Notes: 'why',
      ServiceID: 'kept',
    });
    await wire.ok('PUT agent/service/maintenance/kept?enable=true');
    await wire.ok('PUT agent/service/maintenance/kept?enable=false');
    expect(await checks()).not.toHaveProperty(id);
  });

  testRows(
    () => wire,
    [
      ['PUT agent/maintenance: without enable is 400', 'PUT agent/maintenance', 400, 'Missing value for enable'],
      [
        'PUT agent/maintenance: no boolean is 400',
        'PUT agent/maintenance?enable=x',
        400,
        'Invalid value for enable: "x"',
      ],
      [
        'PUT agent/service/maintenance/: no ID is 400',
        'PUT agent/service/maintenance/?enable=true',
        400,
        'Missing service ID',
      ],
      [
        'PUT agent/service/maintenance/: without enable is 400',
        'PUT agent/service/maintenance/x',
        400,
        'Missing value for enable',
      ],
      [
        'PUT agent/service/maintenance/: no boolean is 400',
        'PUT agent/service/maintenance/x?enable=2',
        400,
        'Invalid value for enable: "2"',
      ],
      [
        'PUT agent/service/maintenance/: unknown is 404',
        'PUT agent/service/maintenance/x?enable=true',
        404,
        /^Unknown service ID "x"/,
      ],
    ],
  );
});

describe('services', () => {
  test('PUT agent/service/register: all members, as agent/service/:id shows them', async () => {
    await register({
      ID: 'web-1',
      Name: 'web',
      Tags: ['b', 'a'],
      Port: 80,
      Address: '10.0.0.5',
      TaggedAddresses: { lan: { Address: '10.0.0.5', Port: 81 } },
      Meta: { version: '2' },
      Weights: { Passing: 10, Warning: 0 },
      EnableTagOverride: true,
    });
    expect(await service('web-1')).toMatchObject({
      ID: 'web-1',
      Service: 'web',
      Tags: expect.arrayContaining(['a', 'b']),
      Meta: { version: '2' },
      Port: 80,
      Address: '10.0.0.5',
      TaggedAddresses: { lan: { Address: '10.0.0.5', Port: 81 } },
      Weights: { Passing: 10, Warning: 0 },
      EnableTagOverride: true,
      Datacenter: 'dc1',
      ContentHash: expect.stringMatching(/^[\da-f]+$/),
    });
  });

  test('GET agent/service/: what was not told has its defaults', async () => {
    await register({ Name: 'plain' });
    const { ContentHash, ...rest } = await service('plain');
    expect(ContentHash).toBeTypeOf('string');
    expect(rest).toEqual({
      ID: 'plain',
      Service: 'plain',
      Tags: [],
      Meta: {},
      Port: 0,
      Address: '',
      TaggedAddresses: {},
      SocketPath: '',
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      Datacenter: 'dc1',
      CreateIndex: 0,
      ModifyIndex: 0,
    });
  });

  test('GET agent/services: a map by ID, with indexes of 0, without consul', async () => {
    await register({ Name: 'plain' });
    const services = await wire.json<Record<string, Row>>('GET agent/services');
    expect(services).not.toHaveProperty('consul');
    expect(services.plain).toEqual({
      ID: 'plain',
      Service: 'plain',
      Tags: [],
      Meta: {},
      Port: 0,
      Address: '',
      TaggedAddresses: {},
      SocketPath: '',
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      Datacenter: 'dc1',
      CreateIndex: 0,
      ModifyIndex: 0,
    });
  });

  test('PUT agent/service/register: is in the catalog within 40 ms', async () => {
    await register({ Name: 'soon', Port: 1 });
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(await wire.json('GET catalog/service/soon')).toMatchObject([{ ServiceName: 'soon', Node: 'n1' }]);
    await wire.ok('PUT agent/service/deregister/soon');
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(await wire.json('GET catalog/service/soon')).toEqual([]);
  });

  test('PUT agent/service/register: the same ID replaces the definition and keeps its checks', async () => {
    const named = { Name: 'again', Check: { CheckID: 'first', TTL: '10m' } };
    await register({ ...named, Tags: ['a'], Port: 1 });
    await register({ Name: 'again', Port: 2 });
    expect(await service('again')).toMatchObject({ Tags: [], Port: 2 });
    expect(await checksOf('again')).toEqual(['first']);
    await register({ Name: 'again', Check: { CheckID: 'second', TTL: '10m' } });
    expect(await checksOf('again')).toEqual(['first', 'second']);
    await register({ Name: 'again', Check: { CheckID: 'third', TTL: '10m' } }, '?replace-existing-checks');
    expect(await checksOf('again')).toEqual(['third']);
  });

  test('PUT agent/service/register: IDs and names of checks', async () => {
    await register({ Name: 'one', Check: { TTL: '10m' } });
    expect(await checksOf('one')).toEqual(['service:one']);
    expect((await checks())['service:one']).toMatchObject({
      Name: "Service 'one' check",
      CheckID: 'service:one',
      ServiceName: 'one',
      Type: 'ttl',
      Status: 'critical',
    });
    await register({ ID: 'many-1', Name: 'many', Checks: [{ TTL: '10m' }, { TTL: '10m', Name: 'named' }] });
    expect(await checksOf('many-1')).toEqual(['service:many-1:1', 'service:many-1:2']);
    expect((await checks())['service:many-1:2']).toMatchObject({ Name: 'named' });
  });

  test('PUT agent/service/register: a sidecar comes and goes with its service', async () => {
    await register({ Name: 'meshed', Port: 80, Connect: { SidecarService: {} } });
    expect(await service('meshed-sidecar-proxy')).toMatchObject({ Service: 'meshed-sidecar-proxy' });
    await wire.ok('PUT agent/service/deregister/meshed');
    expect(await wire.json('GET agent/services')).not.toHaveProperty('meshed-sidecar-proxy');
  });

  test('PUT agent/service/deregister/: takes the service with its checks, percent-encoded IDs too', async () => {
    await register({ ID: 'app#127.0.0.1#3000', Name: 'app', Check: { TTL: '10m' } });
    expect(await service('app%23127.0.0.1%233000')).toMatchObject({ Service: 'app' });
    expect(await wire.ok('PUT agent/service/deregister/app%23127.0.0.1%233000')).toMatchObject({ text: '' });
    expect(await checksOf('app#127.0.0.1#3000')).toEqual([]);
    await register({ ID: 'a/b:c', Name: 'app' });
    await wire.ok('PUT agent/service/deregister/a/b:c');
    expect(await wire.json('GET agent/services')).not.toHaveProperty(['a/b:c']);
  });

  test('PUT agent/service/register: snake case and any case are understood', async () => {
    await register({
      id: 'snake-1',
      name: 'snake',
      enable_tag_override: true,
      tagged_addresses: { wan: { address: '1.2.3.4', port: 9 } },
      check: { check_id: 'snaked', ttl: '10m', deregister_critical_service_after: '10m' },
    });
    expect(await service('snake-1')).toMatchObject({
      EnableTagOverride: true,
      TaggedAddresses: { wan: { Address: '1.2.3.4', Port: 9 } },
    });
    expect(await checksOf('snake-1')).toEqual(['snaked']);
    await register({ NAME: 'shout', tAgS: ['x'], unknown: 'ignored' });
    expect(await service('shout')).toMatchObject({ Tags: ['x'] });
  });

  test('GET agent/service/: waits by the hash of its content', async () => {
    await register({ Name: 'hashed', Port: 1 });
    const reply = await wire.ok('GET agent/service/hashed');
    const { ContentHash } = reply.json<{ ContentHash: string }>();
    expect(reply.headers['x-consul-contenthash']).toBe(ContentHash);
    const waiting = wire.json<Row>(`GET agent/service/hashed?hash=${ContentHash}&wait=30s`);
    await register({ Name: 'hashed', Port: 2 });
    expect(await waiting).toMatchObject({ Port: 2 });
    const same = (await wire.ok('GET agent/service/hashed')).json<{ ContentHash: string }>();
    expect(await wire.json(`GET agent/service/hashed?hash=${same.ContentHash}&wait=20ms`)).toMatchObject(same);
  });

  const pairs = (count: number): Row =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));
  const call = 'PUT agent/service/register';
  testRows(
    () => wire,
    [
      [`${call}: a service without a name is 400 Missing service name`, call, 400, 'Missing service name', { Port: 1 }],
      [`${call}: no body is 400`, call, 400, /^(?:Request decode failed: |Missing service name)/],
      [`${call}: no JSON is 400`, call, 400, /^Request decode failed: /, '{'],
      [`${call}: 0.0.0.0 is 400`, call, 400, 'Invalid service address', { Name: 'x', Address: '0.0.0.0' }],
      [`${call}: :: is 400`, call, 400, 'Invalid service address', { Name: 'x', Address: '::' }],
      [`${call}: 65 pairs are 400`, call, 400, /^Invalid Service Meta: /, { Name: 'x', Meta: pairs(65) }],
      [`${call}: 64 pairs are taken`, call, 200, '', { Name: 'x', Meta: pairs(64) }],
      [
        `${call}: a long key is 400`,
        call,
        400,
        /^Invalid Service Meta: /,
        { Name: 'x', Meta: { ['k'.repeat(129)]: '' } },
      ],
      [`${call}: a key of 128 is taken`, call, 200, '', { Name: 'x', Meta: { ['k'.repeat(128)]: 'v'.repeat(512) } }],
      [`${call}: an odd key is 400`, call, 400, /^Invalid Service Meta: /, { Name: 'x', Meta: { 'a b': '' } }],
      [
        `${call}: a long value is 400`,
        call,
        400,
        /^Invalid Service Meta: /,
        { Name: 'x', Meta: { a: 'v'.repeat(513) } },
      ],
      [
        `${call}: a weight of 0 is 400`,
        call,
        400,
        /^Invalid Weights: /,
        { Name: 'x', Weights: { Passing: 0, Warning: 0 } },
      ],
      [
        `${call}: a weight below 0 is 400`,
        call,
        400,
        /^Invalid Weights: /,
        { Name: 'x', Weights: { Passing: 1, Warning: -1 } },
      ],
      [
        `${call}: a weight over 65535 is 400`,
        call,
        400,
        /^Invalid Weights: /,
        { Name: 'x', Weights: { Passing: 65_536, Warning: 1 } },
      ],
      [
        `${call}: a bad status is 400`,
        call,
        400,
        "Status for checks must 'passing', 'warning', 'critical'",
        { Name: 'x', Check: { TTL: '1m', Status: 'good' } },
      ],
      [`${call}: a check of no kind is 400`, call, 400, /^Invalid check: /, { Name: 'x', Check: { Interval: '10s' } }],
      [
        `${call}: a check without an interval is 400`,
        call,
        400,
        /^Invalid check: /,
        { Name: 'x', Checks: [{ HTTP: 'http://127.0.0.1' }] },
      ],
      [
        `${call}: a bad duration is 400`,
        call,
        400,
        /^Request decode failed: .*invalid duration/,
        { Name: 'x', Check: { TTL: 'soon' } },
      ],
      [
        `${call}: a script is 400 where they are off`,
        call,
        400,
        /Scripts are disabled on this agent/,
        { Name: 'x', Check: { Args: ['true'], Interval: '10s' } },
      ],
      [`${call}: GET is 405`, `GET agent/service/register`, 405, 'method GET not allowed'],
      ['GET agent/service/: unknown is 404', 'GET agent/service/x-none', 404, 'unknown service ID: x-none'],
      ['PUT agent/service/deregister/: no ID is 400', 'PUT agent/service/deregister/', 400, 'Missing service ID'],
      [
        'PUT agent/service/deregister/: unknown is 404',
        'PUT agent/service/deregister/none',
        404,
        'Unknown service ID "none". Ensure that the service ID is passed, not the service name.',
      ],
    ],
  );
});

describe('health of services', () => {
  beforeAll(async () => {
    const check = (Status: string): Row => ({ TTL: '10m', Status });
    await register({ Name: 'well', Check: check('passing') });
    await register({ Name: 'bare' });
    await register({ Name: 'weak', Checks: [check('passing'), check('warning')] });
    await register({ ID: 'ill-1', Name: 'ill', Checks: [check('warning'), check('critical')] });
    await register({ Name: 'shut', Check: check('passing') });
    await wire.ok('PUT agent/service/maintenance/shut?enable=true');
  });

  test.each([
    ['GET agent/health/service/id/: passing is 200', 'id/well', 200, 'passing'],
    ['GET agent/health/service/id/: no checks are 200', 'id/bare', 200, 'passing'],
    ['GET agent/health/service/id/: warning is 429', 'id/weak', 429, 'warning'],
    ['GET agent/health/service/id/: critical is 503', 'id/ill-1', 503, 'critical'],
    ['GET agent/health/service/id/: maintenance is 503', 'id/shut', 503, 'maintenance'],
    ['GET agent/health/service/name/: passing is 200', 'name/well', 200, 'passing'],
    ['GET agent/health/service/name/: warning is 429', 'name/weak', 429, 'warning'],
    ['GET agent/health/service/name/: critical is 503', 'name/ill', 503, 'critical'],
    ['GET agent/health/service/name/: maintenance is 503', 'name/shut', 503, 'maintenance'],
  ])('%s', async (_, path_, status, word) => {
    const call = `GET agent/health/service/${path_}`;
    const reply = await wire.ask(call);
    const answer = reply.json<Row | Row[]>();
    const all = Array.isArray(answer) ? answer : [answer];
    expect({ status: reply.status, answer: all }).toMatchObject({
      status,
      answer: [{ AggregatedStatus: word, Service: expect.any(Object), Checks: expect.any(Array) }],
    });
    expect(Array.isArray(answer)).toBe(path_.startsWith('name/'));
    for (const text of [
      await wire.ask(`${call}?format=text`),
      await wire.ask(call, { headers: { Accept: 'text/plain' } }),
    ])
      expect(text).toMatchObject({
        status,
        text: word,
        headers: { 'content-type': expect.stringMatching(/^text\/plain/) },
      });
  });

  test('GET agent/health/service/id/: unknown is 404, in text and in JSON', async () => {
    const call = 'GET agent/health/service/id/none';
    expect(await wire.ask(`${call}?format=text`)).toMatchObject({ status: 404, text: 'ServiceId none not found' });
    const reply = await wire.ask(call);
    expect(reply.status).toBe(404);
    expect(reply.json()).toMatchObject({ Service: null });
  });

  test('GET agent/health/service/name/: unknown is 404', async () => {
    expect(await wire.ask('GET agent/health/service/name/none')).toMatchObject({ status: 404 });
    expect(await wire.ask('GET agent/health/service/name/none?format=text')).toMatchObject({
      status: 404,
      text: 'ServiceName none not found',
    });
  });

  testRows(
    () => wire,
    [
      ['GET agent/health/service/id/: no ID is 400', 'GET agent/health/service/id/', 400, /^Missing /],
      ['GET agent/health/service/name/: no name is 400', 'GET agent/health/service/name/', 400, /^Missing /],
    ],
  );
});

describe('its life', () => {
  const write = (configuration: object): Promise<void> =>
    writeFile(path.join(agent.directory, 'agent.json'), JSON.stringify(configuration), { mode: 0o600 });

  test('PUT agent/reload: what the files say is there when it answers', async () => {
    await write({ ...CONFIGURATION, service: { name: 'from-file', port: 9 } });
    expect(await wire.ok('PUT agent/reload')).toMatchObject({ text: '' });
    expect(await service('from-file')).toMatchObject({ Port: 9 });
    await write(CONFIGURATION);
    await wire.ok('PUT agent/reload');
    expect(await wire.json('GET agent/services')).not.toHaveProperty('from-file');
  });

  test('PUT agent/reload: bad configuration is 500 with why, and changes nothing', async () => {
    await write({ ...CONFIGURATION, service: { name: 'bad', port: 'x' } });
    const reply = await wire.ask('PUT agent/reload');
    expect(reply).toMatchObject({ status: 500, text: expect.stringMatching(/port/) });
    await write(CONFIGURATION);
    await wire.ok('PUT agent/reload');
  });

  testRows(
    () => wire,
    [
      ['PUT agent/force-leave/: an unknown node is 500', 'PUT agent/force-leave/none', 500, /none/],
      ['PUT agent/force-leave/: no node is 400', 'PUT agent/force-leave/', 400, /^Missing node/],
    ],
  );

  test('PUT agent/service/register: the catalog forgets what the agent does not know', async () => {
    const stranger = { Node: 'n1', Address: '127.0.0.1', Service: { Service: 'stranger' } };
    await wire.ok('PUT catalog/register', { body: stranger });
    await until(async () => (await wire.json<Row[]>('GET catalog/service/stranger')).length === 0);
  });

  test('PUT agent/force-leave/: a node that lives is leaving', async () => {
    await wire.ok('PUT agent/force-leave/n1?prune');
    expect(await wire.json('GET agent/members')).toMatchObject([{ Name: 'n1', Status: 2 }]);
  });

  test('PUT agent/service/register: is kept over a kill', async () => {
    await register({ Name: 'kept-over', Port: 4, Check: { TTL: '10m', CheckID: 'kept-check' } });
    await wire.ok('PUT agent/check/pass/kept-check');
    await agent.end('SIGKILL');
    await agent.begin();
    expect(await service('kept-over')).toMatchObject({ Port: 4 });
    expect(await checksOf('kept-over')).toEqual(['kept-check']);
  });

  test('PUT agent/leave: answers, and the process ends', async () => {
    await using other = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'leaving' } });
    using there = new Wire(other.url);
    expect(await there.ok('PUT agent/leave')).toMatchObject({ text: '' });
    await until(async () =>
      there.ask('GET agent/self').then(
        () => false,
        () => true,
      ),
    );
  });
});
