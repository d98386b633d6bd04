import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsulAgent } from './consul-agent.ts';
import { testRows, Wire } from './consul-wire.ts';

/** Health: consul-http-api 7. */

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

type Json = Record<string, unknown>;

const register = (body: object): Promise<unknown> => wire.ok('PUT catalog/register', { body });
const INDEX = expect.any(Number) as unknown;

const SERF_HEALTH = {
  Node: 'n1',
  CheckID: 'serfHealth',
  Name: 'Serf Health Status',
  Status: 'passing',
  Notes: '',
  Output: 'Agent alive and reachable',
  ServiceID: '',
  ServiceName: '',
  ServiceTags: [],
  Type: '',
  Interval: '',
  Timeout: '',
  ExposedPort: 0,
  Definition: {},
  CreateIndex: INDEX,
  ModifyIndex: INDEX,
};

describe('a fresh server', () => {
  test('GET health/state/: any is exactly serfHealth, with every member of a check', async () => {
    expect(await wire.json('GET health/state/any')).toEqual([SERF_HEALTH]);
    expect(await wire.json('GET health/state/passing')).toEqual([SERF_HEALTH]);
  });

  testRows(
    () => wire,
    [
      ['GET health/state/: warning is empty', 'GET health/state/warning', 200, '[]'],
      ['GET health/state/: critical is empty', 'GET health/state/critical', 200, '[]'],
      ['GET health/state/: no state', 'GET health/state/', 400, 'Missing check state'],
      ['GET health/node/: an unknown one is empty', 'GET health/node/nobody', 200, '[]'],
      ['GET health/node/: no node', 'GET health/node/', 400, 'Missing node name'],
      ['GET health/checks/: an unknown service is empty', 'GET health/checks/nobody', 200, '[]'],
      ['GET health/checks/: no service', 'GET health/checks/', 400, 'Missing service name'],
      ['GET health/service/: an unknown service is empty', 'GET health/service/nobody', 200, '[]'],
      ['GET health/service/: no service', 'GET health/service/', 400, 'Missing service name'],
      ['GET health/connect/: is empty', 'GET health/connect/web', 200, '[]'],
      ['GET health/connect/: no service', 'GET health/connect/', 400, 'Missing service name'],
      ['GET health/ingress/: is empty', 'GET health/ingress/web', 200, '[]'],
      ['GET health/ingress/: no service', 'GET health/ingress/', 400, 'Missing service name'],
    ],
  );

  test('GET health/node/: the agent has serfHealth', async () => {
    expect(await wire.json('GET health/node/n1')).toEqual([SERF_HEALTH]);
  });
});

describe('a service of the agent', () => {
  beforeAll(async () => {
    const Check = { TTL: '1h' };
    await wire.ok('PUT agent/service/register', { body: { Name: 'foo', Tags: ['bar', 'baz'], Port: 8000, Check } });
  });

  test("GET health/checks/: the check has the name, id, type and tags that Go's client compares", async () => {
    await wire.ok('PUT agent/check/pass/service:foo?note=fine');
    expect(await wire.json('GET health/checks/foo')).toEqual([
      {
        ...SERF_HEALTH,
        CheckID: 'service:foo',
        Name: "Service 'foo' check",
        Status: 'passing',
        Output: 'fine',
        ServiceID: 'foo',
        ServiceName: 'foo',
        ServiceTags: ['bar', 'baz'],
        Type: 'ttl',
        Definition: expect.any(Object),
      },
    ]);
  });

  test('GET health/service/: node, service and checks, whole', async () => {
    await wire.ok('PUT agent/check/pass/service:foo');
    expect(await wire.json('GET health/service/foo')).toEqual([
      {
        Node: {
          ID: expect.any(String),
          Node: 'n1',
          Address: '127.0.0.1',
          Datacenter: 'dc1',
          TaggedAddresses: { lan: '127.0.0.1', lan_ipv4: '127.0.0.1', wan: '127.0.0.1', wan_ipv4: '127.0.0.1' },
          Meta: expect.any(Object),
          CreateIndex: INDEX,
          ModifyIndex: INDEX,
        },
        Service: {
          ID: 'foo',
          Service: 'foo',
          Tags: ['bar', 'baz'],
          Address: '',
          TaggedAddresses: expect.any(Object),
          Meta: {},
          Port: 8000,
          Weights: { Passing: 1, Warning: 1 },
          EnableTagOverride: false,
          Proxy: { Mode: '', MeshGateway: {}, Expose: {} },
          Connect: {},
          PeerName: '',
          CreateIndex: INDEX,
          ModifyIndex: INDEX,
        },
        Checks: [
          expect.objectContaining({ CheckID: 'serfHealth' }),
          expect.objectContaining({ CheckID: 'service:foo' }),
        ],
      },
    ]);
  });

  test.each([
    ['pass', 'passing'],
    ['warn', 'warning'],
    ['fail', 'critical'],
  ])('GET health/state/: %s is %s', async (verb, state) => {
    await wire.ok(`PUT agent/check/${verb}/service:foo`);
    const found = await wire.json<Json[]>(`GET health/state/${state}`);
    expect(found.map(({ CheckID }) => CheckID)).toContain('service:foo');
    expect((await wire.json<Json[]>('GET health/state/any')).map(({ CheckID }) => CheckID)).toEqual(
      expect.arrayContaining(['serfHealth', 'service:foo']),
    );
  });

  test('GET health/service/: maintenance of the node counts against its instances', async () => {
    await wire.ok('PUT agent/check/pass/service:foo');
    await wire.ok('PUT agent/maintenance?enable=true');
    expect(await wire.json('GET health/service/foo?passing')).toEqual([]);
    const [found] = await wire.json<{ Checks: Json[] }[]>('GET health/service/foo');
    expect(found?.Checks.map(({ CheckID }) => CheckID)).toContain('_node_maintenance');
    await wire.ok('PUT agent/maintenance?enable=false');
    expect(await wire.json('GET health/service/foo?passing')).toHaveLength(1);
  });
});

describe('instances of other nodes', () => {
  beforeAll(async () => {
    const instance = (Node: string, ID: string, Status: string, rest: object): Promise<unknown> =>
      register({
        Node,
        Address: `10.0.0.${Node.at(-1)}`,
        NodeMeta: { zone: Node === 'h1' ? 'a' : 'b' },
        Service: { ID, Service: 'web', Port: 80, ...rest },
        Check: { CheckID: `check-${ID}`, Name: 'c', ServiceID: ID, Status },
      });
    await instance('h2', 'foo:2', 'warning', { Tags: ['v1', 'Blue'] });
    await instance('h1', 'foo:2', 'passing', { Tags: ['v1'] });
    await instance('h1', 'foo:1', 'critical', { Tags: ['v2', 'blue'] });
    await register({ Node: 'h3', Address: '10.0.0.3', Service: { ID: 'bare', Service: 'web', Tags: ['v1', 'blue'] } });
  });

  const ids = async (query: string): Promise<string[]> =>
    (await wire.json<{ Node: Json; Service: Json }[]>(`GET health/service/${query}`)).map(
      ({ Node, Service }) => `${String(Node['Node'])}/${String(Service['ID'])}`,
    );

  const ALL = ['h1/foo:1', 'h1/foo:2', 'h2/foo:2', 'h3/bare'];
  const PASSING = ['h1/foo:2', 'h3/bare'];
  test.each([
    ['web', ALL],
    ['web?passing', PASSING],
    ['web?passing=', PASSING],
    ['web?passing=1', PASSING],
    ['web?passing=true', PASSING],
    ['web?passing=0', ALL],
    ['web?passing=false', ALL],
    ['web?tag=v1', ['h1/foo:2', 'h2/foo:2', 'h3/bare']],
    ['web?tag=v1&tag=blue', ['h2/foo:2', 'h3/bare']],
    ['web?tag=V2', ['h1/foo:1']],
    ['web?tag=none', []],
    ['web?passing&tag=blue', ['h3/bare']],
    ['web?node-meta=zone:a', ['h1/foo:1', 'h1/foo:2']],
    ['web?node-meta=zone:a&passing', ['h1/foo:2']],
    [`web?filter=${encodeURIComponent('Node.Meta.zone == b')}`, ['h2/foo:2']],
    [`web?filter=${encodeURIComponent('Checks.Status == critical')}`, ['h1/foo:1']],
    [`web?filter=${encodeURIComponent('"v2" in Service.Tags or Service.ID == bare')}`, ['h1/foo:1', 'h3/bare']],
    ['web?near=_agent', ALL],
    ['web?stale&cached', ALL],
    ['web?merge-central-config', ALL],
  ])('GET health/service/%s: those, by node and then by id', async (query, wanted) => {
    expect(await ids(query)).toEqual(wanted);
  });

  test('GET health/checks/: by node, narrowed by its metadata and by a filter', async () => {
    const checks = async (query: string): Promise<unknown[]> =>
      (await wire.json<Json[]>(`GET health/checks/web${query}`)).map(
        ({ CheckID, Node }) => `${String(Node)}/${String(CheckID)}`,
      );
    expect(await checks('')).toEqual(['h1/check-foo:1', 'h1/check-foo:2', 'h2/check-foo:2']);
    expect(await checks('?node-meta=zone:b')).toEqual(['h2/check-foo:2']);
    expect(await checks(`?filter=${encodeURIComponent('Status == critical')}`)).toEqual(['h1/check-foo:1']);
  });

  test('GET health/node/: and GET health/state/: take a filter too', async () => {
    const filter = encodeURIComponent('ServiceID == "foo:1"');
    expect(await wire.json('GET health/node/h1?filter=' + filter)).toHaveLength(1);
    expect(await wire.json('GET health/state/critical?filter=' + filter)).toMatchObject([{ Node: 'h1' }]);
    expect(await wire.json('GET health/state/any?node-meta=zone:b')).toMatchObject([{ Node: 'h2' }]);
  });

  const BAD_FILTER = /^Failed to create boolean expression evaluator: ./;
  testRows(
    () => wire,
    [
      ['GET health/service/: passing=maybe', 'GET health/service/web?passing=maybe', 400, 'Invalid value for ?passing'],
      ['GET health/service/: a filter that is none', 'GET health/service/web?filter=(', 400, BAD_FILTER],
      ['GET health/service/: a filter of what is not there', 'GET health/service/web?filter=No==1', 400, BAD_FILTER],
      ['GET health/node/: a filter that is none', 'GET health/node/h1?filter=(', 400, BAD_FILTER],
      ['GET health/checks/: a filter that is none', 'GET health/checks/web?filter=(', 400, BAD_FILTER],
      ['GET health/state/: a filter that is none', 'GET health/state/any?filter=(', 400, BAD_FILTER],
      ['GET health/state/: another state', 'GET health/state/sad', 400, /sad/],
    ],
  );

  test.each(['node/h1', 'checks/web', 'state/any', 'service/web', 'connect/web', 'ingress/web'])(
    'GET health/%s has the headers of a read, heeds stale, consistent and dc',
    async (path) => {
      for (const query of ['', '?stale', '?consistent', '?dc=dc1', '?cached']) {
        const { headers } = await wire.ok(`GET health/${path}${query}`);
        expect(headers).toMatchObject({ 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' });
        expect(headers['x-consul-index']).toMatch(/^[1-9]\d*$/);
      }
      const { status, text } = await wire.ask(`GET health/${path}?dc=mars`);
      expect([status, text]).toEqual([500, 'No path to datacenter']);
    },
  );
});
