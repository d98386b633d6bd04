import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;
const get = async (path: string): Promise<unknown> => (await api.ask('GET', `/v1/health/${path}`)).json;

interface Row {
  readonly Node: { readonly Node: string };
  readonly Service: { readonly ID: string };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[];
}
const ids = async (path: string): Promise<string[]> => ((await get(path)) as Row[]).map(({ Service }) => Service.ID);

beforeAll(async () => {
  api = await startTestApi({
    nodes: [
      {
        name: 'n3',
        meta: { rack: 'a' },
        services: [
          { service: 'foo', id: 'foo:2', tags: ['Blue'], status: 'warning' },
          { service: 'foo', id: 'foo:1', tags: ['blue', 'x'], status: 'passing', port: 81 },
          { service: 'foo', id: 'foo:3', status: 'unknown' },
          { service: 'foo', id: 'foo:4' },
        ],
        checks: { disk: 'passing' },
      },
      { name: 'n2', services: [{ service: 'foo', status: 'passing' }], checks: { disk: 'critical' } },
      { name: 'n4', alive: 'down', services: [{ service: 'bar', status: 'passing' }] },
      { name: 'n5', external: true, services: [{ service: 'ext', status: 'passing' }] },
      {
        name: 'n6',
        services: [
          { service: 'gone', draining: true },
          { service: 'fixed', maintenance: true },
        ],
      },
    ],
  });
});
afterAll(() => api[Symbol.asyncDispose]());

test('service has node, service and the checks of both, in order of node and id', async () => {
  const rows = (await get('service/foo')) as Row[];
  expect(rows.map(({ Node, Service }) => `${Node.Node} ${Service.ID}`)).toEqual([
    'n2 foo',
    'n3 foo:1',
    'n3 foo:2',
    'n3 foo:3',
    'n3 foo:4',
  ]);
  expect(rows[1]?.Service).toMatchObject({
    ID: 'foo:1',
    Service: 'foo',
    Tags: ['blue', 'x'],
    Address: '',
    TaggedAddresses: {},
    Meta: {},
    Port: 81,
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    Connect: {},
    PeerName: '',
  });
  expect(rows[1]?.Checks.map(({ CheckID }) => CheckID)).toEqual(['serfHealth', 'disk', 'service:foo:1']);
});

test.each(['passing', 'passing=', 'passing=1', 'passing=true'])(
  '?%s keeps instances all of whose checks pass',
  async (query) => {
    expect(await ids(`service/foo?${query}`)).toEqual(['foo:1', 'foo:4']);
  },
);

test.each(['passing=0', 'passing=false', ''])('?%s keeps all', async (query) => {
  expect(await ids(`service/foo?${query}`)).toHaveLength(5);
});

test.each(['passing=x', 'passing=yes'])('?%s is 400', async (query) => {
  const { status, text } = await api.ask('GET', `/v1/health/service/foo?${query}`);
  expect([status, text]).toEqual([400, 'Invalid value for ?passing']);
});

test.each([
  ['tag=blue', ['foo:1', 'foo:2']],
  ['tag=BLUE&tag=X', ['foo:1']],
  ['tag=none', []],
  ['tag=blue&node-meta=rack:b', []],
  ['tag=blue&passing', ['foo:1']],
])('service by %s', async (query, found) => {
  expect(await ids(`service/foo?${query}`)).toEqual(found);
});

test("serfHealth is the liveness of an agent's node, and an external node has none", async () => {
  expect(await get('node/n2')).toMatchObject([
    {
      Node: 'n2',
      CheckID: 'serfHealth',
      Name: 'Serf Health Status',
      Status: 'passing',
      Output: 'Agent alive and reachable',
      ServiceID: '',
      ServiceName: '',
      ServiceTags: [],
      Type: '',
    },
    { CheckID: 'disk' },
    { CheckID: 'service:foo' },
  ]);
  expect(await get('node/n4')).toMatchObject([
    { CheckID: 'serfHealth', Status: 'critical', Output: 'Agent not live or unreachable' },
    { CheckID: 'service:bar' },
  ]);
  expect(await get('node/n5')).toMatchObject([{ CheckID: 'service:ext' }]);
});

test("a check has Consul's members; without a result yet it is critical", async () => {
  const checks = (await get('checks/foo')) as Record<string, unknown>[];
  expect(checks.map((check) => check['CheckID'])).toEqual([
    'service:foo',
    'service:foo:1',
    'service:foo:2',
    'service:foo:3',
  ]);
  expect(checks[3]).toEqual({
    Node: 'n3',
    CheckID: 'service:foo:3',
    Name: 'service:foo:3',
    Status: 'critical',
    Notes: '',
    Output: '',
    ServiceID: 'foo:3',
    ServiceName: 'foo',
    ServiceTags: [],
    Type: 'ttl',
    Interval: '',
    Timeout: '',
    ExposedPort: 0,
    Definition: {},
    CreateIndex: expect.any(Number) as number,
    ModifyIndex: expect.any(Number) as number,
  });
});

test('checks by node metadata', async () => {
  expect(await get('checks/foo?node-meta=rack:a')).toHaveLength(3);
});

test('state is every check, or those of one status', async () => {
  const of = async (state: string): Promise<string[]> =>
    ((await get(`state/${state}`)) as { Node: string; CheckID: string }[]).map(
      ({ Node, CheckID }) => `${Node} ${CheckID}`,
    );
  expect(await of('warning')).toEqual(['n3 service:foo:2']);
  expect(await of('critical')).toEqual([
    'n2 disk',
    'n3 service:foo:3',
    'n4 serfHealth',
    'n6 _service_maintenance:fixed',
    'n6 _service_maintenance:gone',
  ]);
  expect((await of('any')).length).toBe((await of('passing')).length + 1 + 5);
  expect(await get('state/any?node-meta=rack:a')).toHaveLength(5);
});

test('on a fresh server state/any is exactly serfHealth', async () => {
  await using fresh = await startTestApi();
  expect((await fresh.ask('GET', '/v1/health/state/any')).json).toMatchObject([{ Node: 'n1', CheckID: 'serfHealth' }]);
});

test('an instance that drains has a critical maintenance check', async () => {
  expect(await get('service/gone')).toMatchObject([
    { Checks: [{}, { CheckID: '_service_maintenance:gone', Status: 'critical', Type: 'maintenance' }] },
  ]);
  expect(await get('service/gone?passing')).toEqual([]);
});

test.each([
  ['service/', 'Missing service name'],
  ['checks/', 'Missing service name'],
  ['node/', 'Missing node name'],
  ['state/', 'Missing check state'],
  ['state/fine', 'Invalid check state: "fine"'],
  ['connect/', 'Missing service name'],
])('%s is 400', async (path, text) => {
  const answer = await api.ask('GET', `/v1/health/${path}`);
  expect([answer.status, answer.text]).toEqual([400, text]);
});

test.each(['connect/foo', 'ingress/foo'])('%s is empty: there is no mesh', async (path) => {
  expect(await get(path)).toEqual([]);
});
