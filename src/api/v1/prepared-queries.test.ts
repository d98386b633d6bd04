import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';

const NODES = [
  {
    name: 'a',
    address: '10.0.0.1',
    meta: { rack: 'r-1' },
    services: [
      { id: 'redis-a', service: 'redis', tags: ['Primary', 'v1'], meta: { version: '1' }, status: 'passing' as const },
    ],
  },
  {
    name: 'b',
    address: '10.0.0.2',
    meta: { rack: 'r-2' },
    services: [{ id: 'redis-b', service: 'redis', tags: ['v1'], status: 'warning' as const }],
  },
  { name: 'c', address: '10.0.0.3', services: [{ id: 'redis-c', service: 'redis', status: 'critical' as const }] },
  { name: 'd', address: '10.0.0.4', services: [{ id: 'redis-d', service: 'redis', tags: ['v2', 'experimental'] }] },
  { name: 'e', alive: 'down' as const, services: ['redis'] },
];

const SERVICE = { Service: 'redis' };

interface WireQuery {
  readonly ID: string;
  readonly [field: string]: unknown;
}

async function startApi(): Promise<TestApi> {
  return startTestApi({ nodes: NODES });
}

async function create(api: TestApi, body: unknown): Promise<string> {
  const answer = await api.ask('POST', '/v1/query', { body });
  expect(answer).toMatchObject({ status: 200 });
  return (answer.json as WireQuery).ID;
}

function idsOf({ json }: TestReply): string[] {
  return (json as { Nodes: { Service: { ID: string } }[] }).Nodes.map(({ Service }) => Service.ID);
}

async function execute(api: TestApi, name: string): Promise<string[]> {
  const answer = await api.ask('GET', `/v1/query/${name}`);
  expect(answer).toMatchObject({ status: 200 });
  return idsOf(answer);
}

test('POST, GET, PUT and DELETE of a query do what Consul does', async () => {
  await using api = await startApi();
  expect((await api.ask('GET', '/v1/query')).json).toEqual([]);
  const def = { Name: 'cache', Service: { Service: 'redis', NodeMeta: { rack: 'r-1' } }, DNS: { TTL: '10s' } };
  const id = await create(api, def);
  const got = await api.ask('GET', `/v1/query/${id}`);
  expect(got.headers['x-consul-knownleader']).toBe('true');
  expect(got.json).toEqual([
    {
      ID: id,
      Name: 'cache',
      Session: '',
      Token: '',
      Template: { Type: '', Regexp: '', RemoveEmptyTags: false },
      Service: {
        Service: 'redis',
        SamenessGroup: '',
        Failover: { NearestN: 0, Datacenters: null, Targets: null },
        OnlyPassing: false,
        IgnoreCheckIDs: null,
        Near: '',
        Tags: null,
        NodeMeta: { rack: 'r-1' },
        ServiceMeta: null,
        Connect: false,
        Peer: '',
      },
      DNS: { TTL: '10s' },
      CreateIndex: expect.any(Number),
      ModifyIndex: expect.any(Number),
    },
  ]);
  expect((await api.ask('GET', '/v1/query')).json).toEqual(got.json);
  const put = await api.ask('PUT', `/v1/query/${id}`, { body: { ...def, Name: 'store' } });
  expect(put).toMatchObject({ status: 200, text: '' });
  expect(Number(put.headers['x-drover-revision'])).toBe((await one(api, id)).ModifyIndex);
  expect(await one(api, id)).toMatchObject({ ID: id, Name: 'store' });
  const indexBefore = Number((await api.ask('GET', '/v1/query')).headers['x-consul-index']);
  expect(await api.ask('DELETE', `/v1/query/${id}`)).toMatchObject({ status: 200, text: '' });
  const after = await api.ask('GET', '/v1/query');
  expect(after.json).toEqual([]);
  expect(Number(after.headers['x-consul-index'])).toBeGreaterThan(indexBefore);
});

async function one(api: TestApi, id: string): Promise<WireQuery> {
  return ((await api.ask('GET', `/v1/query/${id}`)).json as WireQuery[])[0] as WireQuery;
}

test('GET execute answers as health/service does, without what is critical', async () => {
  await using api = await startApi();
  const id = await create(api, { Name: 'cache', Service: { Service: 'redis' }, DNS: { TTL: '10s' } });
  const answer = await api.ask('GET', '/v1/query/cache/execute');
  expect(answer.json).toMatchObject({ Service: 'redis', DNS: { TTL: '10s' }, Datacenter: 'aws', Failovers: 0 });
  const health = (await api.ask('GET', '/v1/health/service/redis')).json as { Node: { Node: string } }[];
  const { Nodes } = answer.json as { Nodes: { Node: { Node: string } }[] };
  for (const row of Nodes) expect(health).toContainEqual(row);
  expect(idsOf(answer).toSorted()).toEqual(['redis-a', 'redis-b', 'redis-d']);
  for (const name of [id, id.toUpperCase(), 'CACHE']) {
    expect((await execute(api, `${name}/execute`)).toSorted()).toEqual(['redis-a', 'redis-b', 'redis-d']);
  }
});

test.each<[object, string[]]>([
  [{ OnlyPassing: true }, ['redis-a', 'redis-d']],
  [{ IgnoreCheckIDs: ['service:redis-c'] }, ['redis-a', 'redis-b', 'redis-c', 'redis-d']],
  [{ IgnoreCheckIDs: ['serfHealth'] }, ['redis', 'redis-a', 'redis-b', 'redis-d']],
  [{ OnlyPassing: true, IgnoreCheckIDs: ['service:redis-b'] }, ['redis-a', 'redis-b', 'redis-d']],
  [{ Tags: ['v1'] }, ['redis-a', 'redis-b']],
  [{ Tags: ['primary', 'V1'] }, ['redis-a']],
  [{ Tags: ['!experimental'] }, ['redis-a', 'redis-b']],
  [{ Tags: ['v1', '!PRIMARY'] }, ['redis-b']],
  [{ NodeMeta: { rack: 'r-2' } }, ['redis-b']],
  [{ NodeMeta: { rack: 'r-2', other: '' } }, []],
  [{ ServiceMeta: { version: '1' } }, ['redis-a']],
  [{ Connect: true }, []],
  [{ Failover: { NearestN: 2, Datacenters: ['nowhere'] }, Tags: ['none'] }, []],
  [{ onlypassing: true, Tags: null, service_meta: {} }, ['redis-a', 'redis-d']],
])('GET execute of %j gives %j', async (service, ids) => {
  await using api = await startApi();
  await create(api, { Name: 'q', Service: { Service: 'redis', ...service } });
  const answer = await api.ask('GET', '/v1/query/q/execute');
  expect(idsOf(answer).toSorted()).toEqual(ids);
  expect(answer.json).toMatchObject({ Failovers: 0 });
});

test('GET execute puts a near node first and keeps the order, takes at most so many, and else shuffles', async () => {
  await using api = await startApi();
  await api.ask('PUT', '/v1/agent/service/register', { body: { ID: 'redis-n1', Name: 'redis' } });
  await create(api, { Name: 'any', Service: SERVICE });
  await create(api, { Name: 'near', Service: { ...SERVICE, Near: '_agent' } });
  await create(api, { Name: 'ip', Service: { ...SERVICE, Near: '_ip' } });
  const natural = ['redis-a', 'redis-b', 'redis-d', 'redis-n1'];
  expect(await execute(api, 'any/execute?near=nobody')).toEqual(natural);
  expect(await execute(api, 'any/execute?near=b')).toEqual(['redis-b', 'redis-a', 'redis-d', 'redis-n1']);
  expect(await execute(api, 'any/execute?near=b&limit=2')).toEqual(['redis-b', 'redis-a']);
  expect(await execute(api, 'near/execute')).toEqual(['redis-n1', 'redis-a', 'redis-b', 'redis-d']);
  expect(await execute(api, 'near/execute?near=d&limit=1')).toEqual(['redis-d']);
  // The request comes from 127.0.0.1, which is n1's address.
  for (const path of ['ip/execute', 'any/execute?near=_ip']) {
    expect(await execute(api, `${path}`)).toEqual(['redis-n1', 'redis-a', 'redis-b', 'redis-d']);
  }
  expect(await execute(api, 'any/execute?limit=0')).toHaveLength(4);
  expect(await execute(api, 'any/execute?limit=2')).toHaveLength(2);
  // The kit's dice always show zero: an order, but not the catalog's.
  const shuffled = await execute(api, 'any/execute');
  expect(shuffled).not.toEqual(natural);
  expect(shuffled.toSorted()).toEqual(natural);
});

test('GET execute and explain of a template fill in the name', async () => {
  await using api = await startApi();
  await create(api, {
    Name: '',
    Template: { Type: 'name_prefix_match' },
    Service: { Service: '${name.full}' },
  });
  const geo = await create(api, {
    Name: 'geo-',
    Template: { Type: 'name_prefix_match', Regexp: '^geo-(.*?)(?:-([^-]+))?$', RemoveEmptyTags: true },
    Service: {
      Service: '${match(1)}',
      Tags: ['${match(2)}', '${match(7)}'],
      NodeMeta: { rack: '${name.prefix}${name.suffix}$${x}' },
    },
  });
  await create(api, { Name: 'geo-exact', Service: { Service: 'exact' } });
  const explain = async (name: string): Promise<unknown> =>
    ((await api.ask('GET', `/v1/query/${name}/explain`)).json as { Query: { Service: unknown } }).Query;
  expect(await explain('geo-redis-v1')).toMatchObject({
    ID: geo,
    Name: 'geo-',
    Service: { Service: 'redis', Tags: ['v1'], NodeMeta: { rack: 'geo-redis-v1${x}' } },
  });
  expect(await explain('geo-redis')).toMatchObject({ Service: { Service: 'redis', Tags: null } });
  expect(await explain('geo-exact')).toMatchObject({ Service: { Service: 'exact' } });
  expect(await explain('redis')).toMatchObject({ Service: { Service: 'redis' } });
  expect((await execute(api, 'redis/execute')).toSorted()).toEqual(['redis-a', 'redis-b', 'redis-d']);
  expect(await api.ask('GET', `/v1/query/${geo}/execute`)).toMatchObject({
    status: 500,
    text: 'prepared query templates can only be resolved up by name, not by ID',
  });
});

test.each([
  ['GET', 'query/missing', 404, 'Query not found'],
  ['GET', 'query/missing/execute', 404, 'Query not found'],
  ['GET', 'query/missing/explain', 404, 'Query not found'],
  ['GET', 'query/q/execute?limit=many', 500, 'Bad limit: strconv.Atoi: parsing "many": invalid syntax'],
  ['GET', 'query//execute', 404, 'Query not found'],
  ['DELETE', 'query/missing', 500, "Cannot modify non-existent prepared query: 'missing'"],
  ['PUT', 'query', 405, 'method PUT not allowed'],
  ['PUT', 'query/q/execute', 405, 'method PUT not allowed'],
  ['DELETE', 'query/q/explain', 405, 'method DELETE not allowed'],
  ['POST', 'query/x', 405, 'method POST not allowed'],
])('%s %s is %d: %s', async (method, path, status, text) => {
  await using api = await startApi();
  expect(await api.ask(method, `/v1/${path}`)).toMatchObject({ status, text });
});

describe('what is no query leaves all as it is', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi();
    await create(api, { Name: 'taken', Service: SERVICE });
  });
  afterAll(() => api[Symbol.asyncDispose]());

  test.each<[unknown, number, string]>([
    [{ Service: SERVICE }, 500, 'Must be bound to a session'],
    [{ Name: 'x' }, 500, 'Must provide a Service name to query'],
    [{ Name: 'x', ID: 'y', Service: SERVICE }, 500, 'ID must be empty when creating a new prepared query'],
    [{ Name: 'x', Session: 'none', Service: SERVICE }, 500, 'invalid session'],
    [{ Name: 'TAKEN', Service: SERVICE }, 500, "name 'TAKEN' aliases an existing query name"],
    [{ Name: 'x', Service: { ...SERVICE, Failover: { NearestN: -1 } } }, 500, "Bad NearestN '-1', must be >= 0"],
    [
      { Name: 'x', Service: { ...SERVICE, Failover: { NearestN: 1, Targets: [{ Peer: 'p' }] } } },
      500,
      'Targets cannot be populated with NearestN or Datacenters',
    ],
    [{ Name: 'x', Service: SERVICE, DNS: { TTL: 'soon' } }, 500, `Bad DNS TTL 'soon': time: invalid duration "soon"`],
    [{ Name: 'x', Service: SERVICE, DNS: { TTL: '-2s' } }, 500, "DNS TTL '-2000000000', must be >=0"],
    [{ Name: 'x', Service: SERVICE, Template: { Type: 'other' } }, 500, "Bad Template.Type 'other'"],
    [
      { Name: 'x', Service: SERVICE, Template: { Type: 'name_prefix_match', Regexp: '(' } },
      500,
      'Bad Regexp: error parsing regexp: missing closing ): `(`',
    ],
    [
      { Name: 'x', Service: { Service: '${name.nick}' }, Template: { Type: 'name_prefix_match' } },
      500,
      "Bad format '${name.nick}': ${name.nick} is no variable of a template",
    ],
    [{ Name: 'x', Service: { Service: '${name.full' }, Template: { Type: 'name_prefix_match' } }, 500, 'Bad format'],
    [{ Name: 'x', Token: '<hidden>', Service: SERVICE }, 500, "Bad Token '<hidden>', it looks like a query definition"],
    [{ Name: 'x'.repeat(256), Service: SERVICE }, 500, 'Name is longer than 255 bytes'],
    [{ Name: 'x\n', Service: SERVICE }, 500, 'Name has characters that cannot be printed'],
    [{ Name: 1, Service: SERVICE }, 400, 'Request decode failed: name: expected a string'],
    [{ Name: 'x', Service: 'redis' }, 400, 'Request decode failed: service: expected an object'],
    [
      { Name: 'x', Service: { Service: 'redis', Tags: [1] } },
      400,
      'Request decode failed: tags: expected a list of strings',
    ],
    [[], 400, 'Request decode failed: body: expected an object'],
    ['{', 400, 'Request decode failed: '],
  ])('POST query of %j is %d: %s', async (body, status, text) => {
    const answer = await api.ask('POST', '/v1/query', { body });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
    expect((await api.ask('GET', '/v1/query')).json).toHaveLength(1);
  });
});

test('PUT of an unknown query creates none; a name may be an id of no query', async () => {
  await using api = await startApi();
  const id = await create(api, { Name: 'q', Service: SERVICE });
  const other = id.replace(/^./, (first) => (first === '0' ? '1' : '0'));
  expect(await api.ask('PUT', `/v1/query/${other}`, { body: { Name: 'x', Service: SERVICE } })).toMatchObject({
    status: 500,
    text: `Cannot modify non-existent prepared query: '${other}'`,
  });
  await create(api, { Name: other, Service: SERVICE });
  expect(await api.ask('POST', '/v1/query', { body: { Name: id, Service: SERVICE } })).toMatchObject({
    status: 500,
    text: `name '${id}' aliases an existing query ID`,
  });
});

test('a query that is bound to a session goes with it', async () => {
  await using api = await startTestApi({ hosted: ['n1'] });
  const session = ((await api.ask('PUT', '/v1/session/create')).json as WireQuery).ID;
  const id = await create(api, { Session: session, Service: SERVICE });
  const named = await create(api, { Name: 'named', Session: session, Service: SERVICE });
  await create(api, { Name: 'free', Service: SERVICE });
  expect(await one(api, id)).toMatchObject({ Session: session, Name: '' });
  const index = Number((await api.ask('GET', '/v1/query')).headers['x-consul-index']);
  await api.ask('PUT', `/v1/session/destroy/${session}`);
  for (const gone of [id, named]) expect((await api.ask('GET', `/v1/query/${gone}`)).status).toBe(404);
  const left = await api.ask('GET', '/v1/query');
  expect(left.json).toMatchObject([{ Name: 'free' }]);
  expect(Number(left.headers['x-consul-index'])).toBeGreaterThan(index);
});

test('two queries of one name that are created at once are one', async () => {
  await using api = await startApi();
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => api.ask('POST', '/v1/query', { body: { Name: 'q', Service: SERVICE } })),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect((await api.ask('GET', '/v1/query')).json).toHaveLength(1);
});
