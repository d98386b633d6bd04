import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;
const get = async (path: string): Promise<unknown> => (await api.ask('GET', `/v1/catalog/${path}`)).json;

beforeAll(async () => {
  api = await startTestApi({
    nodes: [
      {
        name: 'n3',
        id: '11111111-2222-4333-8444-555555555555',
        address: '10.0.0.3',
        meta: { rack: 'a', 'consul-version': '1' },
        taggedAddresses: { lan: '10.0.0.3', wan: '1.2.3.3' },
        services: [
          { service: 'web', id: 'web:2', tags: ['v2', 'Blue'], port: 82 },
          {
            service: 'web',
            id: 'web:1',
            tags: ['v1', 'blue'],
            port: 81,
            address: '10.1.0.1',
            meta: { a: 'b' },
            weights: { passing: 10, warning: 2 },
            taggedAddresses: { lan_ipv4: { address: '10.1.0.1', port: 81 } },
            enableTagOverride: true,
          },
        ],
      },
      { name: 'n2', address: '10.0.0.2', meta: { rack: 'b' }, services: [{ service: 'web', tags: ['v1'] }, 'db'] },
    ],
  });
});
afterAll(() => api[Symbol.asyncDispose]());

test('datacenters is this one', async () => {
  expect(await get('datacenters')).toEqual(['aws']);
});

test("nodes are in order of name, with Consul's members", async () => {
  const nodes = (await get('nodes')) as { Node: string }[];
  expect(nodes.map(({ Node }) => Node)).toEqual(['n1', 'n2', 'n3']);
  expect(nodes[2]).toEqual({
    ID: '11111111-2222-4333-8444-555555555555',
    Node: 'n3',
    Address: '10.0.0.3',
    Datacenter: 'aws',
    TaggedAddresses: { lan: '10.0.0.3', wan: '1.2.3.3' },
    Meta: { rack: 'a', 'consul-version': '1' },
    CreateIndex: 2,
    ModifyIndex: 2,
  });
});

test.each([
  ['node-meta=rack:a', ['n3']],
  ['node-meta=rack:a&node-meta=consul-version:1', ['n3']],
  ['node-meta=rack:a&node-meta=consul-version:2', []],
  ['node-meta=rack', []],
  ['node-meta=constructor:x', []],
  ['node-meta=__proto__', []],
])('nodes by metadata, all of which a node must have: %s', async (query, names) => {
  expect(((await get(`nodes?${query}`)) as { Node: string }[]).map(({ Node }) => Node)).toEqual(names);
});

test('services are names with the union of their tags', async () => {
  expect(await get('services')).toEqual({ db: [], web: ['Blue', 'blue', 'v1', 'v2'] });
  expect(await get('services?node-meta=rack:b')).toEqual({ db: [], web: ['v1'] });
});

test("service has a row for each instance, in order of node and id, with Consul's members", async () => {
  const rows = (await get('service/web')) as { Node: string; ServiceID: string }[];
  expect(rows.map(({ Node, ServiceID }) => `${Node} ${ServiceID}`)).toEqual(['n2 web', 'n3 web:1', 'n3 web:2']);
  expect(rows[1]).toMatchObject({
    ID: '11111111-2222-4333-8444-555555555555',
    Node: 'n3',
    Address: '10.0.0.3',
    Datacenter: 'aws',
    TaggedAddresses: { lan: '10.0.0.3', wan: '1.2.3.3' },
    NodeMeta: { rack: 'a' },
    ServiceKind: '',
    ServiceID: 'web:1',
    ServiceName: 'web',
    ServiceTags: ['v1', 'blue'],
    ServiceAddress: '10.1.0.1',
    ServiceTaggedAddresses: { lan_ipv4: { Address: '10.1.0.1', Port: 81 } },
    ServiceWeights: { Passing: 10, Warning: 2 },
    ServiceMeta: { a: 'b' },
    ServicePort: 81,
    ServiceSocketPath: '',
    ServiceEnableTagOverride: true,
    ServiceProxy: { Mode: '', MeshGateway: {}, Expose: {} },
    ServiceConnect: {},
  });
});

test.each([
  ['tag=v1', ['web', 'web:1']],
  ['tag=V1', ['web', 'web:1']],
  ['tag=blue', ['web:1', 'web:2']],
  ['tag=v1&tag=BLUE', ['web:1']],
  ['tag=v1&tag=v2', []],
  ['tag=v1&node-meta=rack:a', ['web:1']],
])('service by tags, all of them in any case: %s', async (query, ids) => {
  expect(((await get(`service/web?${query}`)) as { ServiceID: string }[]).map((row) => row.ServiceID)).toEqual(ids);
});

test.each(['n3', '11111111-2222-4333-8444-555555555555', '11111111-2222-4333-8444-555555555555'.toUpperCase()])(
  'node by name or id, with its services by id: %s',
  async (name) => {
    const { Node, Services } = (await get(`node/${name}`)) as { Node: object; Services: Record<string, object> };
    expect(Node).toMatchObject({ Node: 'n3', Address: '10.0.0.3' });
    expect(Object.keys(Services)).toEqual(['web:1', 'web:2']);
    expect(Services['web:2']).toMatchObject({
      ID: 'web:2',
      Service: 'web',
      Tags: ['v2', 'Blue'],
      Meta: {},
      Port: 82,
      Address: '',
      TaggedAddresses: {},
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      Connect: {},
    });
  },
);

test('node-services has them as a list', async () => {
  const { Services } = (await get('node-services/n3')) as { Services: { ID: string }[] };
  expect(Services.map(({ ID }) => ID)).toEqual(['web:1', 'web:2']);
  expect(await get('node-services/none')).toBeNull();
});

test.each([
  ['service/', 'Missing service name'],
  ['node/', 'Missing node name'],
  ['node-services/', 'Missing node name'],
  ['connect/', 'Missing service name'],
  ['gateway-services/', 'Missing gateway name'],
])('%s is 400', async (path, text) => {
  const answer = await api.ask('GET', `/v1/catalog/${path}`);
  expect([answer.status, answer.text]).toEqual([400, text]);
});

test.each(['connect/web', 'gateway-services/gw'])('%s is empty: there is no mesh', async (path) => {
  expect(await get(path)).toEqual([]);
});

test('an argument is decoded from the URL as it was sent', async () => {
  await api.ask('PUT', '/v1/catalog/register', {
    body: { Node: 'odd', Address: '10.0.0.9', Service: { Service: 'a/b#c:1 é' } },
  });
  expect(await get(`service/${encodeURIComponent('a/b#c:1 é')}`)).toHaveLength(1);
  expect(await get('service/a/b%23c:1%20%c3%a9')).toHaveLength(1);
  await api.ask('PUT', '/v1/catalog/deregister', { body: { Node: 'odd' } });
});

test('?near keeps the natural order', async () => {
  expect(await get('nodes?near=n3')).toEqual(await get('nodes'));
});
