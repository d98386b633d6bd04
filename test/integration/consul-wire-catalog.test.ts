import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsulAgent } from './consul-agent.ts';
import { testRows, Wire, type WireRow } from './consul-wire.ts';

/** The catalog: consul-http-api 6. */

let agent: ConsulAgent;
let wire: Wire;
beforeAll(async () => {
  const configuration = { node_name: 'n1', node_meta: { rack: '7' } };
  agent = await ConsulAgent.start({ flags: ['-server'], configuration });
  wire = new Wire(agent.url);
});
afterAll(async () => {
  wire?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
});

type Json = Record<string, unknown>;

const register = (body: object): Promise<unknown> => wire.ok('PUT catalog/register', { body });
const deregister = (body: object): Promise<unknown> => wire.ok('PUT catalog/deregister', { body });
const UUID = expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/) as unknown;
const INDEX = expect.any(Number) as unknown;
const ID = '8f246b77-f3e1-ff88-5b48-8ec93abf3e05';

describe('a fresh server', () => {
  test('GET catalog/nodes: the agent, whose lan and wan addresses are there', async () => {
    const { headers, index } = await wire.ok('GET catalog/nodes');
    expect(await wire.json('GET catalog/nodes')).toEqual([
      {
        ID: UUID,
        Node: 'n1',
        Address: '127.0.0.1',
        Datacenter: 'dc1',
        TaggedAddresses: { lan: '127.0.0.1', lan_ipv4: '127.0.0.1', wan: '127.0.0.1', wan_ipv4: '127.0.0.1' },
        Meta: { rack: '7', 'consul-network-segment': '', 'consul-version': '1.22.0' },
        CreateIndex: INDEX,
        ModifyIndex: INDEX,
      },
    ]);
    expect(index).toBeGreaterThanOrEqual(2);
    expect(headers['content-type']).toBe('application/json');
  });

  test('GET catalog/services: the server itself is the service consul, and nothing else is there', async () => {
    expect((await wire.ok('GET catalog/services')).text).toBe('{"consul":[]}');
  });

  test('GET catalog/service/: consul has the port of the servers and no tags', async () => {
    expect(await wire.json('GET catalog/service/consul')).toMatchObject([
      { Node: 'n1', ServiceID: 'consul', ServiceName: 'consul', ServicePort: 8300, ServiceTags: [] },
    ]);
  });

  test('GET catalog/datacenters: one, without any header of a leader', async () => {
    expect((await wire.ok('GET catalog/datacenters')).text).toBe('["dc1"]');
  });
});

describe('registering', () => {
  test('PUT catalog/register: everything that can be said comes back', async () => {
    const body = {
      ID,
      Node: 'full',
      Address: '10.0.0.1',
      Datacenter: 'dc1',
      TaggedAddresses: { lan: '10.0.0.1', wan: '198.51.100.1' },
      NodeMeta: { somekey: 'somevalue' },
      Service: {
        ID: 'redis1',
        Service: 'redis',
        Tags: ['master', 'v1'],
        Address: '10.0.0.2',
        TaggedAddresses: { lan: { Address: '10.0.0.2', Port: 8000 }, wan: { Address: '198.51.100.2', Port: 80 } },
        Meta: { version: '4.0' },
        Port: 8000,
        Weights: { Passing: 5, Warning: 2 },
        EnableTagOverride: true,
      },
      Check: {
        CheckID: 'service:redis1',
        Name: 'Redis health check',
        Notes: 'Script based',
        Status: 'passing',
        ServiceID: 'redis1',
        Output: 'fine',
        Definition: { TCP: '10.0.0.2:8000', Interval: '5s', Timeout: '1s', DeregisterCriticalServiceAfter: '30s' },
      },
    };
    expect((await wire.ok('PUT catalog/register', { body })).text).toBe('true');
    expect(await wire.json('GET catalog/service/redis')).toEqual([
      {
        ID,
        Node: 'full',
        Address: '10.0.0.1',
        Datacenter: 'dc1',
        TaggedAddresses: expect.objectContaining({ lan: '10.0.0.1', wan: '198.51.100.1' }),
        NodeMeta: { somekey: 'somevalue' },
        ServiceKind: '',
        ServiceID: 'redis1',
        ServiceName: 'redis',
        ServiceTags: ['master', 'v1'],
        ServiceAddress: '10.0.0.2',
        ServiceTaggedAddresses: expect.objectContaining({
          lan: { Address: '10.0.0.2', Port: 8000 },
          wan: { Address: '198.51.100.2', Port: 80 },
        }),
        ServiceWeights: { Passing: 5, Warning: 2 },
        ServiceMeta: { version: '4.0' },
        ServicePort: 8000,
        ServiceSocketPath: '',
        ServiceEnableTagOverride: true,
        ServiceProxy: { Mode: '', MeshGateway: {}, Expose: {} },
        ServiceConnect: {},
        CreateIndex: INDEX,
        ModifyIndex: INDEX,
      },
    ]);
    expect(await wire.json('GET health/node/full')).toMatchObject([
      {
        CheckID: 'service:redis1',
        Notes: 'Script based',
        Output: 'fine',
        ServiceName: 'redis',
        ServiceTags: ['master', 'v1'],
        Definition: { TCP: '10.0.0.2:8000', Interval: '5s', Timeout: '1s' },
      },
    ]);
  });

  test('PUT catalog/register: Service.ID defaults to its name, CheckID to its Name, Status to critical', async () => {
    await register({ Node: 'min', Address: '10.0.0.3', Service: { Service: 'min-web' }, Check: { Name: 'alive' } });
    expect(await wire.json('GET catalog/node/min')).toMatchObject({ Services: { 'min-web': { Service: 'min-web' } } });
    expect(await wire.json('GET health/node/min')).toMatchObject([
      { CheckID: 'alive', Name: 'alive', Status: 'critical', ServiceID: '', ServiceName: '' },
    ]);
  });

  test('PUT catalog/register: several checks, each with its own node', async () => {
    const Checks = [
      { Node: 'many', CheckID: 'a', Name: 'A', Status: 'passing' },
      { CheckID: 'b', Name: 'B', Status: 'warning' },
    ];
    await register({ Node: 'many', Address: '10.0.0.4', Checks });
    expect(await wire.json('GET health/node/many')).toMatchObject([
      { CheckID: 'a', Status: 'passing' },
      { CheckID: 'b', Status: 'warning' },
    ]);
  });

  test('PUT catalog/register: durations as numbers are of nanoseconds', async () => {
    const Definition = { HTTP: 'http://10.0.0.4', Interval: 10_000_000_000, Timeout: 250_000_000 };
    await register({ Node: 'ns', Address: '10.0.0.4', Check: { Name: 'http', Definition } });
    expect(await wire.json('GET health/node/ns')).toMatchObject([
      { Definition: { Interval: '10s', Timeout: '250ms' } },
    ]);
    await deregister({ Node: 'ns' });
  });

  test('PUT catalog/register: keys of any case; what nobody knows is ignored', async () => {
    await register({
      node: 'small',
      ADDRESS: '10.0.0.5',
      service: { service: 'small-web', port: 5 },
      Nonsense: [1],
      WriteRequest: {},
    });
    expect(await wire.json('GET catalog/service/small-web')).toMatchObject([{ Node: 'small', ServicePort: 5 }]);
  });

  test('PUT catalog/register: SkipNodeUpdate leaves the node as it is', async () => {
    await register({ Node: 'skip', Address: '10.0.0.6', NodeMeta: { a: '1' } });
    await register({ Node: 'skip', Address: '10.9.9.9', SkipNodeUpdate: true, Service: { Service: 'skip-web' } });
    expect(await wire.json('GET catalog/service/skip-web')).toMatchObject([
      { Address: '10.0.0.6', NodeMeta: { a: '1' } },
    ]);
  });

  test('PUT catalog/register: what is the same does not move ModifyIndex', async () => {
    const body = { Node: 'same', Address: '10.0.0.7', Service: { Service: 'same-web', Port: 1 } };
    await register(body);
    const before = (await wire.ok('GET catalog/service/same-web')).text;
    await register(body);
    expect((await wire.ok('GET catalog/service/same-web')).text).toBe(before);
  });

  test('PUT catalog/register: strictly increases the index of what changed', async () => {
    const { index } = await wire.ok('GET catalog/nodes');
    await register({ Node: 'rises', Address: '10.0.0.8' });
    expect((await wire.ok('GET catalog/nodes')).index).toBeGreaterThan(index);
  });

  const REGISTER = 'PUT catalog/register';
  testRows(
    () => wire,
    [
      [`PUT catalog/register: no node`, REGISTER, 500, /^Must provide node and address/, { Address: '10.0.0.1' }],
      [`PUT catalog/register: no address`, REGISTER, 500, /^Must provide node and address/, { Node: 'x' }],
      [
        'PUT catalog/register: a service id without a name',
        REGISTER,
        500,
        /^Must provide service name with ID/,
        { Node: 'x', Address: '10.0.0.1', Service: { ID: 'x' } },
      ],
      [
        'PUT catalog/register: an id of a node that is none',
        REGISTER,
        500,
        /^Bad node ID: ./,
        { ID: 'no-uuid', Node: 'x', Address: '10.0.0.1' },
      ],
      [
        'PUT catalog/register: a check of a service that is not there',
        REGISTER,
        500,
        /^Missing service registration/,
        { Node: 'x', Address: '10.0.0.1', Check: { Name: 'c', ServiceID: 'nobody' } },
      ],
      [
        "PUT catalog/register: a name that another node's id has",
        REGISTER,
        500,
        /Node name n1 is reserved by node /,
        { ID, Node: 'n1', Address: '10.0.0.1' },
      ],
      ['PUT catalog/register: no JSON', REGISTER, 400, /^Request decode failed: ./, '{'],
      ['PUT catalog/register: no body', REGISTER, 400, /^Request decode failed: ./],
      ['PUT catalog/register: a list', REGISTER, 400, /^Request decode failed: ./, []],
      ['PUT catalog/register: a node that is no text', REGISTER, 400, /^Request decode failed: ./, { Node: 1 }],
      [
        'PUT catalog/register: a duration that is none',
        REGISTER,
        400,
        /^Request decode failed: .*invalid duration/,
        { Node: 'x', Address: '10.0.0.1', Check: { Name: 'c', Definition: { Interval: 'often' } } },
      ],
      [
        'PUT catalog/register: a datacenter of the body that is unknown',
        REGISTER,
        500,
        'No path to datacenter',
        { Node: 'x', Address: '10.0.0.1', Datacenter: 'mars' },
      ],
      ['PUT catalog/register: an unknown datacenter', 'PUT catalog/register?dc=mars', 500, 'No path to datacenter', {}],
      ['PUT catalog/deregister: no node', 'PUT catalog/deregister', 500, /^Must provide node/, {}],
      ['PUT catalog/deregister: no JSON', 'PUT catalog/deregister', 400, /^Request decode failed: ./, 'x'],
      ['PUT catalog/deregister: an unknown node is true', 'PUT catalog/deregister', 200, 'true', { Node: 'nobody' }],
      [
        'PUT catalog/deregister: an unknown service is true',
        'PUT catalog/deregister',
        200,
        'true',
        { Node: 'n1', ServiceID: 'nobody' },
      ],
      [
        'PUT catalog/deregister: an unknown check is true',
        'PUT catalog/deregister',
        200,
        'true',
        { Node: 'n1', CheckID: 'nobody' },
      ],
      [
        'PUT catalog/deregister: a datacenter of the body that is unknown',
        'PUT catalog/deregister',
        500,
        'No path to datacenter',
        { Node: 'x', Datacenter: 'mars' },
      ],
      [
        'PUT catalog/deregister: an unknown datacenter',
        'PUT catalog/deregister?dc=mars',
        500,
        'No path to datacenter',
        {},
      ],
    ],
  );
});

describe('deregistering', () => {
  const GONE = {
    Node: 'gone',
    Address: '10.0.0.9',
    Service: { ID: 'g1', Service: 'gone-web' },
    Checks: [
      { CheckID: 'of-service', Name: 'c', ServiceID: 'g1', Status: 'passing' },
      { CheckID: 'of-node', Name: 'c', Status: 'passing' },
    ],
  };
  const checks = async (): Promise<unknown[]> =>
    (await wire.json<Json[]>('GET health/node/gone')).map(({ CheckID }) => CheckID);

  test('PUT catalog/deregister: a check alone', async () => {
    await register(GONE);
    expect((await wire.ok('PUT catalog/deregister', { body: { Node: 'gone', CheckID: 'of-node' } })).text).toBe('true');
    expect(await checks()).toEqual(['of-service']);
  });

  test('PUT catalog/deregister: a service with its checks', async () => {
    await register(GONE);
    await deregister({ Node: 'gone', ServiceID: 'g1' });
    expect(await checks()).toEqual(['of-node']);
    expect((await wire.ok('GET catalog/service/gone-web')).text).toBe('[]');
  });

  test('PUT catalog/deregister: a node with all', async () => {
    await register(GONE);
    const { index } = await wire.ok('GET catalog/service/gone-web');
    await deregister({ Node: 'gone' });
    expect(await checks()).toEqual([]);
    expect((await wire.ok('GET catalog/node/gone')).text).toBe('null');
    expect((await wire.ok('GET catalog/service/gone-web')).index).toBeGreaterThan(index);
  });
});

describe('reading', () => {
  beforeAll(async () => {
    await register({
      Node: 'r2',
      Address: '10.1.0.2',
      NodeMeta: { zone: 'b' },
      Service: { ID: 'w:2', Service: 'rweb', Tags: ['v2', 'Blue'], Port: 2 },
    });
    await register({
      Node: 'r1',
      Address: '10.1.0.1',
      NodeMeta: { zone: 'a', tier: 'x' },
      Service: { ID: 'w:1', Service: 'rweb', Tags: ['v1'], Port: 1 },
    });
    await register({
      Node: 'r1',
      Address: '10.1.0.1',
      NodeMeta: { zone: 'a', tier: 'x' },
      Service: { ID: 'w:0', Service: 'rweb', Tags: ['v1', 'blue'], Port: 0 },
    });
    await register({
      Node: 'r1',
      Address: '10.1.0.1',
      NodeMeta: { zone: 'a', tier: 'x' },
      Service: { ID: 'v6', Service: 'six', Address: '2001:db8::1', Port: 6 },
    });
  });

  const ids = async (query: string): Promise<unknown[]> =>
    (await wire.json<Json[]>(`GET catalog/service/${query}`)).map(({ ServiceID }) => ServiceID);

  test('GET catalog/nodes: sorted by name', async () => {
    const names = (await wire.json<Json[]>('GET catalog/nodes')).map(({ Node }) => String(Node));
    expect(names).toEqual(names.toSorted());
    expect(names).toEqual(expect.arrayContaining(['n1', 'r1', 'r2']));
  });

  test.each([
    ['node-meta=zone:a', ['r1']],
    ['node-meta=zone:a&node-meta=tier:x', ['r1']],
    ['node-meta=zone:b&node-meta=tier:x', []],
    ['node-meta=zone:c', []],
    [`filter=${encodeURIComponent('Meta.zone == "b"')}`, ['r2']],
    [`filter=${encodeURIComponent('Node == r1 or Address == "10.1.0.2"')}`, ['r1', 'r2']],
    ['near=r1&node-meta=zone:a', ['r1']],
    ['near=_agent&node-meta=zone:b', ['r2']],
  ])('GET catalog/nodes?%s', async (query, wanted) => {
    expect((await wire.json<Json[]>(`GET catalog/nodes?${query}`)).map(({ Node }) => Node)).toEqual(wanted);
  });

  test('GET catalog/services: the union of the tags, of the nodes that are asked for', async () => {
    expect(await wire.json<Json>('GET catalog/services')).toMatchObject({ consul: [], six: [] });
    const services = await wire.json<Record<string, string[]>>('GET catalog/services?node-meta=tier:x');
    expect(services).toEqual({ rweb: expect.any(Array), six: [] });
    expect(services['rweb']?.toSorted()).toEqual(['blue', 'v1']);
  });

  test('GET catalog/services: a filter keeps those with an instance that matches', async () => {
    const filter = encodeURIComponent('ServiceName == rweb and v2 in ServiceTags');
    expect(Object.keys(await wire.json<Json>(`GET catalog/services?filter=${filter}`))).toEqual(['rweb']);
  });

  test.each([
    ['rweb', ['w:0', 'w:1', 'w:2']],
    ['rweb?tag=v1', ['w:0', 'w:1']],
    ['rweb?tag=v1&tag=blue', ['w:0']],
    ['rweb?tag=BLUE', ['w:0', 'w:2']],
    ['rweb?tag=v3', []],
    ['rweb?node-meta=zone:b', ['w:2']],
    [`rweb?filter=${encodeURIComponent('ServicePort == 1')}`, ['w:1']],
    [`rweb?filter=${encodeURIComponent('NodeMeta.zone != a')}`, ['w:2']],
    ['rweb?ns=default&partition=default', ['w:0', 'w:1', 'w:2']],
    ['nobody', []],
  ])('GET catalog/service/%s', async (query, wanted) => {
    expect(await ids(query)).toEqual(wanted);
  });

  test('GET catalog/service/: an agent tags the address by its family', async () => {
    await wire.ok('PUT agent/service/register', { body: { Name: 'v6-web', Address: '2001:db8::1', Port: 6 } });
    expect(await wire.json('GET catalog/service/v6-web')).toMatchObject([
      { ServiceAddress: '2001:db8::1', ServiceTaggedAddresses: { lan_ipv6: { Address: '2001:db8::1', Port: 6 } } },
    ]);
  });

  test('GET catalog/node/: a node by its name and by its id, with its services by their ids', async () => {
    const byName = await wire.ok('GET catalog/node/full');
    expect(byName.json()).toEqual({
      Node: expect.objectContaining({ ID, Node: 'full', Address: '10.0.0.1', Meta: { somekey: 'somevalue' } }),
      Services: {
        redis1: expect.objectContaining({
          ID: 'redis1',
          Service: 'redis',
          Tags: ['master', 'v1'],
          Meta: { version: '4.0' },
          Port: 8000,
          Address: '10.0.0.2',
          Weights: { Passing: 5, Warning: 2 },
          EnableTagOverride: true,
          Proxy: expect.any(Object),
          Connect: {},
          CreateIndex: INDEX,
          ModifyIndex: INDEX,
        }),
      },
    });
    expect((await wire.ok(`GET catalog/node/${ID}`)).text).toBe(byName.text);
  });

  test('GET catalog/node-services/: the same with a list of services', async () => {
    expect(await wire.json('GET catalog/node-services/r1')).toMatchObject({
      Node: { Node: 'r1' },
      Services: [{ ID: 'v6' }, { ID: 'w:0' }, { ID: 'w:1' }],
    });
  });

  test('GET catalog/node/: a filter is of the services', async () => {
    const filter = encodeURIComponent('Port == 1');
    const { Services } = await wire.json<{ Services: Json }>(`GET catalog/node/r1?filter=${filter}`);
    expect(Object.keys(Services)).toEqual(['w:1']);
  });

  const BAD_FILTER = /^Failed to create boolean expression evaluator: ./;
  const rows: WireRow[] = [
    ['GET catalog/node/: an unknown one is null', 'GET catalog/node/nobody', 200, 'null'],
    ['GET catalog/node/: no name', 'GET catalog/node/', 400, 'Missing node name'],
    ['GET catalog/node-services/: no name', 'GET catalog/node-services/', 400, 'Missing node name'],
    ['GET catalog/service/: no name', 'GET catalog/service/', 400, 'Missing service name'],
    ['GET catalog/connect/: is empty', 'GET catalog/connect/rweb', 200, '[]'],
    ['GET catalog/connect/: no name', 'GET catalog/connect/', 400, 'Missing service name'],
    ['GET catalog/gateway-services/: is empty', 'GET catalog/gateway-services/gw', 200, '[]'],
    ['GET catalog/gateway-services/: no name', 'GET catalog/gateway-services/', 400, /^Missing gateway name/],
    ['GET catalog/nodes: a filter that is none', 'GET catalog/nodes?filter=%3D%3D', 400, BAD_FILTER],
    ['GET catalog/nodes: a filter of what is not there', 'GET catalog/nodes?filter=Nope%3D%3D1', 400, BAD_FILTER],
    ['GET catalog/services: a filter that is none', 'GET catalog/services?filter=(', 400, BAD_FILTER],
    ['GET catalog/service/: a filter that is none', 'GET catalog/service/rweb?filter=Meta', 400, BAD_FILTER],
    ['GET catalog/node/: a filter that is none', 'GET catalog/node/r1?filter=Meta', 400, BAD_FILTER],
    ['GET catalog/node-services/: a filter that is none', 'GET catalog/node-services/r1?filter=Meta', 400, BAD_FILTER],
  ];
  testRows(() => wire, rows);

  test.each(['nodes', 'services', 'service/rweb', 'node/r1', 'node-services/r1', 'connect/x', 'gateway-services/x'])(
    'GET catalog/%s has the headers of a read, heeds stale, consistent and dc',
    async (path) => {
      for (const query of ['', '?stale', '?consistent', '?dc=dc1', '?cached']) {
        const { headers } = await wire.ok(`GET catalog/${path}${query}`);
        expect(headers).toMatchObject({ 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' });
        expect(headers['x-consul-index']).toMatch(/^[1-9]\d*$/);
      }
      const { status, text } = await wire.ask(`GET catalog/${path}?dc=mars`);
      expect([status, text]).toEqual([500, 'No path to datacenter']);
    },
  );
});
