import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './cli-region.ts';
import { ConsulAgent, ROOT_TOKEN } from './consul-agent.ts';
import { testRows, Wire } from './consul-wire.ts';

/** What `legacy` flips: consul-http-api 17, the ACLs of before Consul 1.4 (13) and methods of before 1.0 (15). */

type Row = Record<string, unknown>;

const NONE = 'b5a8ac0c-7a41-4a5a-8b8a-0a0d58b5f9d1';

let agent: ConsulAgent;
let modern: ConsulAgent;
let root: Wire;
let wire: Wire;
let modernWire: Wire;
beforeAll(async () => {
  [agent, modern] = await Promise.all([
    ConsulAgent.start(),
    ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'modern' } }),
  ]);
  root = new Wire(agent.url, { 'X-Consul-Token': ROOT_TOKEN });
  wire = new Wire(agent.url);
  modernWire = new Wire(modern.url);
});
afterAll(async () => {
  for (const each of [root, wire, modernWire]) each?.[Symbol.dispose]();
  await Promise.all([agent?.[Symbol.asyncDispose](), modern?.[Symbol.asyncDispose]()]);
});

const create = async (body: Row): Promise<string> => (await root.json<{ ID: string }>('PUT acl/create', { body })).ID;

describe('ACLs of before 1.4', () => {
  const Rules = '# verbatim\nkey "app/" {\n   policy   = "read"\n}\n';

  test('PUT acl/create: answers with an ID, GET acl/info/:id with the rules as they were written', async () => {
    const ID = await create({ Name: 'first', Type: 'client', Rules });
    expect(await root.json(`GET acl/info/${ID}`)).toEqual([
      {
        CreateIndex: expect.any(Number),
        ModifyIndex: expect.any(Number),
        ID,
        Name: 'first',
        Type: 'client',
        Rules,
      },
    ]);
  });

  test('PUT acl/update: changes it, and creates one that has an ID', async () => {
    const ID = await create({ Name: 'old', Type: 'client', Rules });
    const body = { ID, Name: 'new', Type: 'client', Rules: '' };
    expect(await root.json('PUT acl/update', { body })).toMatchObject({ ID });
    expect(await root.json(`GET acl/info/${ID}`)).toMatchObject([body]);
  });

  test('PUT acl/clone/: has the same rules and another ID', async () => {
    const ID = await create({ Name: 'source', Type: 'client', Rules });
    const clone = await root.json<{ ID: string }>(`PUT acl/clone/${ID}`);
    expect(clone.ID).not.toBe(ID);
    expect(await root.json(`GET acl/info/${clone.ID}`)).toMatchObject([{ Name: 'source', Rules }]);
  });

  test('PUT acl/destroy/: is true, and then there is none', async () => {
    const ID = await create({ Name: 'gone', Type: 'client', Rules });
    expect(await root.json(`PUT acl/destroy/${ID}`)).toBe(true);
    expect(await root.json(`GET acl/info/${ID}`)).toEqual([]);
  });

  test('GET acl/list: has the anonymous and the master token', async () => {
    const list = await root.json<Row[]>('GET acl/list');
    expect(list).toContainEqual(expect.objectContaining({ ID: 'anonymous', Type: 'client' }));
    expect(list).toContainEqual(expect.objectContaining({ Type: 'management' }));
  });

  test('GET acl/info/:id: of nothing is an empty list', async () => {
    expect(await root.json(`GET acl/info/${NONE}`)).toEqual([]);
  });

  test('PUT acl/create: a management token may do everything', async () => {
    const ID = await create({ Name: 'manager', Type: 'management' });
    await wire.ok(`GET acl/list?token=${ID}`);
  });

  test.each(['key', 'service'])('http 17: a rule of %s is one of its prefix', async (kind) => {
    const id = await create({ Type: 'client', Rules: `${kind} "pre" { policy = "deny" }` });
    const call =
      kind === 'key'
        ? (name: string) => wire.ask(`PUT kv/${name}?token=${id}`, { body: 'v' })
        : (name: string) => wire.ask(`PUT agent/service/register?token=${id}`, { body: { Name: name } });
    expect((await call('prefixed')).status).toBe(403);
    expect((await call('other')).status).toBe(200);
  });

  testRows(
    () => wire,
    [
      ['PUT acl/create: needs management', 'PUT acl/create', 403, /^Permission denied/, { Type: 'client' }],
      ['GET acl/list: needs management', 'GET acl/list', 403, /^Permission denied/],
      ['PUT acl/destroy/: needs management', `PUT acl/destroy/${NONE}`, 403, /^Permission denied/],
    ],
  );

  test.each(['PUT acl/create', 'PUT acl/update', 'GET acl/list', `GET acl/info/${NONE}`, `PUT acl/destroy/${NONE}`])(
    '%s: is not there without legacy',
    async (call) => {
      const acl = { enabled: true, tokens: { initial_management: ROOT_TOKEN } };
      await using closed = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'm2', acl } });
      using there = new Wire(closed.url, { 'X-Consul-Token': ROOT_TOKEN });
      const reply = await there.ask(call, call.startsWith('P') ? { body: {} } : {});
      expect([404, 405, 410]).toContain(reply.status);
    },
  );
});

describe('sessions', () => {
  test('GET session/info/: http 17: has Checks', async () => {
    const { ID } = await wire.json<{ ID: string }>('PUT session/create');
    expect(await wire.json(`GET session/info/${ID}`)).toMatchObject([{ ID, Checks: ['serfHealth'] }]);
    const other = await modernWire.json<{ ID: string }>('PUT session/create');
    const [shown] = await modernWire.json<Row[]>(`GET session/info/${other.ID}`);
    expect(shown).not.toHaveProperty('Checks');
  });
});

describe('methods of before 1.0', () => {
  beforeAll(async () => {
    for (const each of [wire, modernWire]) {
      await each.ok('PUT agent/check/register', { body: { Name: 'ttl', TTL: '1h' } });
      await each.ok('PUT agent/service/register', { body: { Name: 'old' } });
    }
  });

  test.each([
    ['GET agent/check/pass/', 'ttl'],
    ['GET agent/check/warn/', 'ttl'],
    ['GET agent/check/fail/', 'ttl'],
    ['GET agent/service/maintenance/', 'old?enable=false'],
    ['GET agent/maintenance', '?enable=false'],
    ['GET agent/check/deregister/', 'ttl'],
    ['GET agent/service/deregister/', 'old'],
    ['GET agent/join/', '127.0.0.1'],
    ['GET agent/force-leave/', 'none'],
  ])('%s: http 17: is taken, 405 without legacy', async (call, argument) => {
    await wire.ok(call + argument);
    const reply = await modernWire.ask(call + argument);
    expect(reply).toMatchObject({ status: 405, text: 'method GET not allowed', headers: { allow: 'OPTIONS,PUT' } });
  });
});

describe('checks', () => {
  test.each(['pass', 'warn', 'fail'])('PUT agent/check/%s/: http 17: unknown is 500', async (verb) => {
    expect(await wire.ask(`PUT agent/check/${verb}/none`)).toMatchObject({
      status: 500,
      text: 'CheckID "none" does not have associated TTL',
    });
    expect((await modernWire.ask(`PUT agent/check/${verb}/none`)).status).toBe(404);
  });

  test('PUT agent/check/update/: http 17: unknown is 500', async () => {
    const reply = await wire.ask('PUT agent/check/update/none', { body: { Status: 'passing' } });
    expect(reply).toMatchObject({ status: 500, text: expect.stringContaining('does not have associated TTL') });
  });

  test('PUT agent/check/register: http 17: Script from the API, where scripts are on', async () => {
    const configuration = { node_name: 'scripts', enable_script_checks: true };
    await using scripts = await ConsulAgent.start({ flags: ['-dev', '-legacy'], configuration });
    using there = new Wire(scripts.url);
    await there.ok('PUT agent/check/register', { body: { Name: 'old', Script: 'echo "old"', Interval: '10s' } });
    await until(async () => {
      const checks = await there.json<Record<string, Row>>('GET agent/checks');
      return checks.old?.Status === 'passing' && checks.old.Output === 'old\n';
    });
  });
});

describe('the agent', () => {
  test('PUT agent/force-leave/: http 17: an unknown node is 200', async () => {
    expect(await wire.ok('PUT agent/force-leave/none')).toMatchObject({ text: '' });
    expect((await modernWire.ask('PUT agent/force-leave/none')).status).toBe(500);
  });

  test('GET agent/self: http 17: has no xDS', async () => {
    expect(await wire.json('GET agent/self')).not.toHaveProperty('xDS');
  });
});
