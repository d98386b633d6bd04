import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './cli-region.ts';
import { ConsulAgent } from './consul-agent.ts';
import { testRows, Wire } from './consul-wire.ts';

/** Prepared queries: consul-http-api 11. */

type Row = Record<string, unknown>;
interface Executed extends Row {
  readonly Nodes: { readonly Node: Row; readonly Service: Row; readonly Checks: Row[] }[];
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
const NONE = 'b5a8ac0c-7a41-4a5a-8b8a-0a0d58b5f9d1';
const STATES = { good: 'passing', fair: 'warning', bad: 'critical' } as const;

let agent: ConsulAgent;
let wire: Wire;
beforeAll(async () => {
  agent = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'n1' } });
  wire = new Wire(agent.url);
  for (const [name, Status] of Object.entries(STATES))
    await wire.ok('PUT catalog/register', {
      body: {
        Node: `${name}-node`,
        Address: '10.0.0.1',
        NodeMeta: { rack: name },
        Service: { ID: `${name}-1`, Service: 'redis', Tags: [name, 'all'], Meta: { of: name }, Port: 6379 },
        Check: { CheckID: `check-${name}`, Name: 'check', ServiceID: `${name}-1`, Status },
      },
    });
  const many = Array.from({ length: 12 }, (_, index) => ({ ID: `m-${index}`, Name: 'many', Port: index + 1 }));
  for (const body of many) await wire.ok('PUT agent/service/register', { body });
});
afterAll(async () => {
  wire?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
});

let queries = 0;
/** A query without a name would have to be bound to a session. */
const create = async (given: Row): Promise<string> => {
  const body = { Name: `query-${queries++}`, ...given };
  return (await wire.json<{ ID: string }>('POST query', { body })).ID;
};
const execute = (name: string, query = ''): Promise<Executed> => wire.json(`GET query/${name}/execute${query}`);
const instances = ({ Nodes }: Executed): string[] => Nodes.map(({ Service }) => String(Service.ID)).toSorted();
/** What a query that asks for this answers with. */
const found = async (service: Row): Promise<unknown[]> =>
  instances(await execute(await create({ Service: { Service: 'redis', ...service } })));

describe('writing', () => {
  const full = {
    Name: 'full',
    Service: {
      Service: 'redis',
      Failover: { NearestN: 2, Datacenters: ['dc2'] },
      IgnoreCheckIDs: ['check-bad'],
      OnlyPassing: true,
      Near: 'n1',
      Tags: ['all', '!bad'],
      NodeMeta: { rack: 'good' },
      ServiceMeta: { of: 'good' },
    },
    DNS: { TTL: '10s' },
  };

  test('POST query: answers with an ID, and GET query/ gives an array of one', async () => {
    const reply = await wire.ok('POST query', { body: full });
    const { ID, ...rest } = reply.json<{ ID: string }>();
    expect({ isUuid: UUID.test(ID), rest }).toEqual({ isUuid: true, rest: {} });
    expect(await wire.json(`GET query/${ID}`)).toMatchObject([{ ...full, ID, Session: '', Token: '' }]);
    expect(await wire.json('GET query')).toContainEqual(expect.objectContaining({ ID, Name: 'full' }));
    expect(await wire.ok(`DELETE query/${ID}`)).toMatchObject({ text: '' });
    expect(await wire.ask(`GET query/${ID}`)).toMatchObject({ status: 404, text: 'Query not found' });
  });

  test('GET query/: answers at once, with any index', async () => {
    const id = await create({ Service: { Service: 'redis' } });
    const { index } = await wire.ok(`GET query/${id}`);
    await wire.ok(`GET query/${id}?index=${index}`, { signal: AbortSignal.timeout(2_000) });
    await wire.ok(`GET query?index=${index}`, { signal: AbortSignal.timeout(2_000) });
  });

  test('PUT query/: replaces it', async () => {
    const id = await create({ Name: 'old', Service: { Service: 'redis' } });
    const body = { Name: 'new', Service: { Service: 'many' } };
    expect(await wire.ok(`PUT query/${id}`, { body })).toMatchObject({ text: '' });
    expect(await wire.json(`GET query/${id}`)).toMatchObject([{ ID: id, ...body }]);
    expect((await wire.ask('GET query/old/execute')).status).toBe(404);
    await wire.ok(`DELETE query/${id}`);
  });

  test('POST query: a query that is bound to a session goes with it', async () => {
    const { ID } = await wire.json<{ ID: string }>('PUT session/create', { body: { Checks: [], LockDelay: '0s' } });
    const query = await create({ Session: ID, Service: { Service: 'redis' } });
    expect(await wire.json(`GET query/${query}`)).toMatchObject([{ Session: ID }]);
    await wire.ok(`PUT session/destroy/${ID}`);
    await until(async () => (await wire.ask(`GET query/${query}`)).status === 404);
  });

  const post = 'POST query';
  const Service = { Service: 'a' };
  const gone = `Cannot modify non-existent prepared query: '${NONE}'`;
  testRows(
    () => wire,
    [
      [`${post}: no JSON is 400`, post, 400, /^Request decode failed: /, '{'],
      [`${post}: no service is 500`, post, 500, 'Must provide a Service name to query', { Name: 'x', Service: {} }],
      [`${post}: neither name nor session is 500`, post, 500, 'Must be bound to a session', { Service }],
      [`${post}: an unknown session is 500`, post, 500, /^invalid session/, { Session: NONE, Service }],
      [`${post}: a bad TTL is 500`, post, 500, /^Bad DNS TTL 'x'/, { Name: 'x', Service, DNS: { TTL: 'x' } }],
      [
        `${post}: a template of an unknown type is 500`,
        post,
        500,
        /emplate/,
        { Name: 'x', Template: { Type: 'x' }, Service },
      ],
      [
        `${post}: a bad expression is 500`,
        post,
        500,
        /^Bad Regexp: /,
        { Name: 'x', Template: { Type: 'name_prefix_match', Regexp: '(' }, Service },
      ],
      [`${post}: DELETE is 405`, 'DELETE query', 405, 'method DELETE not allowed'],
      ['GET query/: unknown is 404', `GET query/${NONE}`, 404, 'Query not found'],
      ['PUT query/: unknown is 500', `PUT query/${NONE}`, 500, gone, { Name: 'x', Service }],
      ['DELETE query/: unknown is 500', `DELETE query/${NONE}`, 500, gone],
      ['GET query/: execute of an unknown one is 404', 'GET query/none/execute', 404, 'Query not found'],
      ['GET query/: explain of an unknown one is 404', 'GET query/none/explain', 404, 'Query not found'],
      ['GET query/: a bad limit is 500', 'GET query/none/execute?limit=x', 500, /^Bad limit: /],
      ['GET query/: PUT of execute is 405', 'PUT query/none/execute', 405, 'method PUT not allowed'],
    ],
  );

  test('POST query: a name that another one has is refused', async () => {
    const body = { Name: 'taken', Service: { Service: 'redis' } };
    await create(body);
    const reply = await wire.ask('POST query', { body });
    expect(reply).toMatchObject({ text: expect.stringMatching(/taken|name/) });
    expect([400, 500]).toContain(reply.status);
  });
});

describe('executing', () => {
  test('GET query/: execute answers with service, nodes, DNS, datacenter and failovers', async () => {
    const id = await create({ Name: 'run', Service: { Service: 'redis', Tags: ['good'] }, DNS: { TTL: '7s' } });
    for (const name of [id, 'run']) {
      const answer = await execute(name);
      expect(answer).toMatchObject({
        Service: 'redis',
        Nodes: [
          {
            Node: { Node: 'good-node', Address: '10.0.0.1', Meta: { rack: 'good' } },
            Service: { ID: 'good-1', Service: 'redis', Port: 6379, Weights: { Passing: 1, Warning: 1 } },
            Checks: [{ CheckID: 'check-good', Status: 'passing' }],
          },
        ],
        DNS: { TTL: '7s' },
        Datacenter: 'dc1',
        Failovers: 0,
      });
    }
  });

  test.each([
    ['what is critical', {}, ['fair-1', 'good-1']],
    ['with OnlyPassing what is warning', { OnlyPassing: true }, ['good-1']],
    ['what lacks a tag', { Tags: ['good'] }, ['good-1']],
    ['what has a tag with !', { Tags: ['all', '!good'] }, ['fair-1']],
    ['other meta of nodes', { NodeMeta: { rack: 'fair' } }, ['fair-1']],
    ['other meta of services', { ServiceMeta: { of: 'good' } }, ['good-1']],
    ['nothing for checks that are ignored', { IgnoreCheckIDs: ['check-bad'] }, ['bad-1', 'fair-1', 'good-1']],
  ])('GET query/: execute leaves out %s', async (_, service, wanted) => {
    expect(await found(service)).toEqual(wanted);
  });

  test('GET query/: execute of a service that nobody has is empty', async () => {
    expect(await execute(await create({ Service: { Service: 'nobody' } }))).toMatchObject({
      Nodes: [],
      Service: 'nobody',
    });
  });

  test('GET query/: execute takes at most limit', async () => {
    const id = await create({ Service: { Service: 'many' } });
    expect((await execute(id, '?limit=3')).Nodes).toHaveLength(3);
    expect((await execute(id, '?limit=0')).Nodes).toHaveLength(12);
  });

  test('GET query/: execute shuffles, unless the query has Near or ?near= is given', async () => {
    const order = ({ Nodes }: Executed): string => Nodes.map(({ Service }) => Service.ID).join();
    const orders = async (service: Row, query = ''): Promise<number> => {
      const id = await create({ Service: { Service: 'many', ...service } });
      const seen = new Set<string>();
      for (let count = 0; count < 8; count++) seen.add(order(await execute(id, query)));
      return seen.size;
    };
    expect(await orders({})).toBeGreaterThan(1);
    expect(await orders({ Near: '_agent' })).toBe(1);
    expect(await orders({}, '?near=_agent')).toBe(1);
  });

  test('GET query/: execute counts the datacenters that it could not reach', async () => {
    const id = await create({ Service: { Service: 'nobody', Failover: { NearestN: 1, Datacenters: ['dc2'] } } });
    expect(await execute(id)).toMatchObject({ Nodes: [], Failovers: expect.any(Number) });
  });
});

describe('templates', () => {
  beforeAll(async () => {
    const template = { Type: 'name_prefix_match' };
    await create({ Name: '', Template: template, Service: { Service: '${name.full}' } });
    await create({
      Name: 'geo-',
      Template: template,
      Service: { Service: '${name.suffix}', Tags: ['${name.prefix}'] },
    });
    await create({
      Name: 'geo-db-',
      Template: { ...template, Regexp: '^geo-db-(.*?)-([^-]+?)$', RemoveEmptyTags: true },
      Service: { Service: 'db-${match(1)}', Tags: ['${match(2)}', '${match(3)}'] },
    });
    await create({ Name: 'geo-db-exact', Service: { Service: 'redis' } });
  });

  const explained = async (name: string): Promise<unknown> => {
    const { Query } = await wire.json<{ Query: { Service: Row } }>(`GET query/${name}/explain`);
    return { service: Query.Service.Service, tags: Query.Service.Tags };
  };

  test.each([
    ['the empty prefix takes any name', 'whatever', 'whatever', expect.anything()],
    ['${name.suffix} and ${name.prefix}', 'geo-web', 'web', ['geo-']],
    ['the longest prefix, with ${match(N)}', 'geo-db-a-b', 'db-a', ['b']],
    ['an exact name wins', 'geo-db-exact', 'redis', expect.anything()],
  ])('GET query/: explain shows what becomes of a name: %s', async (title, name, service, tags) => {
    const said = await explained(name);
    expect(said, title).toMatchObject({ service });
    if (Array.isArray(tags)) expect(said).toMatchObject({ tags });
  });

  test('GET query/: execute of a name that a template takes', async () => {
    expect(instances(await execute('redis'))).toEqual(['fair-1', 'good-1']);
  });

  test('POST query: a second template of the same name is refused', async () => {
    const body = { Name: 'geo-', Template: { Type: 'name_prefix_match' }, Service: { Service: 'a' } };
    expect([400, 500]).toContain((await wire.ask('POST query', { body })).status);
  });
});

describe('tokens', () => {
  test('GET query/: a token is shown as <hidden> to who is no manager', async () => {
    const ROOT = 'b1b2b3b4-0000-4000-8000-000000000001';
    const acl = { enabled: true, default_policy: 'allow', tokens: { initial_management: ROOT } };
    await using closed = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'c1', acl } });
    using root = new Wire(closed.url, { 'X-Consul-Token': ROOT });
    using anyone = new Wire(closed.url);
    const body = { Name: 'with-token', Token: ROOT, Service: { Service: 'redis' } };
    const { ID } = await root.json<{ ID: string }>('POST query', { body });
    const [shown] = await anyone.json<Row[]>(`GET query/${ID}`);
    expect(shown).toMatchObject({ Token: '<hidden>' });
  });
});
