import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './cli-region.ts';
import { ConsulAgent } from './consul-agent.ts';
import { testRows, Wire } from './consul-wire.ts';

/** Sessions: consul-http-api 4. */

let agent: ConsulAgent;
let wire: Wire;
beforeAll(async () => {
  const configuration = { node_name: 'n1', session_ttl_min: '1s', timing: 'local' };
  agent = await ConsulAgent.start({ flags: ['-server'], configuration });
  wire = new Wire(agent.url);
  const checks = ['node-check', 'other-check'].map((Name) => ({ Name, Status: 'passing' }));
  await wire.ok('PUT catalog/register', { body: { Node: 'ext', Address: '10.0.0.9', Checks: checks } });
  const bad = { Name: 'bad', Status: 'critical' };
  await wire.ok('PUT catalog/register', { body: { Node: 'ext', Address: '10.0.0.9', Check: bad } });
});
afterAll(async () => {
  wire?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
});

type Session = Record<string, unknown>;

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
const NONE = 'b5a8ac0c-7a41-4a5a-8b8a-0a0d58b5f9d1';

const create = async (body?: unknown): Promise<string> =>
  (await wire.json<{ ID: string }>('PUT session/create', body === undefined ? {} : { body })).ID;
const info = async (id: string): Promise<Session | undefined> =>
  (await wire.json<Session[]>(`GET session/info/${id}`))[0];
/** A session that nothing but its end binds. */
const free = (options: object = {}): Promise<string> => create({ LockDelay: '0s', Checks: [], ...options });
const gone = (id: string): Promise<void> => until(async () => (await info(id)) === undefined);
const entry = async (key: string): Promise<Session | undefined> => {
  const reply = await wire.ask(`GET kv/${key}`);
  return reply.status === 404 ? undefined : reply.json<Session[]>()[0];
};
const acquire = (key: string, id: string): Promise<string> =>
  wire.ok(`PUT kv/${key}?acquire=${id}`, { body: 'v' }).then(({ text }) => text);

describe('creating', () => {
  test('PUT session/create: without a body it is of this agent, with the defaults', async () => {
    const reply = await wire.ok('PUT session/create');
    const { ID, ...rest } = reply.json<{ ID: string }>();
    expect({ isUuid: UUID.test(ID), rest, type: reply.headers['content-type'] }).toEqual({
      isUuid: true,
      rest: {},
      type: 'application/json',
    });
    expect(await info(ID)).toEqual({
      ID,
      Name: '',
      Node: 'n1',
      LockDelay: 15_000_000_000,
      Behavior: 'release',
      TTL: '',
      NodeChecks: ['serfHealth'],
      ServiceChecks: null,
      CreateIndex: expect.any(Number),
      ModifyIndex: expect.any(Number),
    });
  });

  test('PUT session/create: an empty body, {} and null are no body', async () => {
    for (const body of ['', '{}', 'null']) expect(await create(body)).toMatch(UUID);
  });

  test('PUT session/create: everything that can be said', async () => {
    const said = { Name: 'mine', Node: 'ext', LockDelay: '20s', Behavior: 'delete', TTL: '30s' };
    const id = await create({ ...said, NodeChecks: ['node-check'] });
    expect(await info(id)).toMatchObject({ ...said, LockDelay: 20_000_000_000, NodeChecks: ['node-check'] });
    expect(await info(id)).not.toHaveProperty('Checks');
  });

  test('PUT session/create: keys of any case', async () => {
    expect(await info(await create({ name: 'small', TTL: '30s', lockdelay: '1s', BEHAVIOR: 'delete' }))).toMatchObject({
      Name: 'small',
      LockDelay: 1_000_000_000,
      Behavior: 'delete',
    });
  });

  test.each([
    ['a duration', '2s', 2_000_000_000],
    ['a fraction of one', '1.5s', 1_500_000_000],
    ['a small number is seconds', 5, 5_000_000_000],
    ['59 is seconds', 59, 59_000_000_000],
    ['a large number is nanoseconds', 3_000_000_000, 3_000_000_000],
    ['a number in text', '7', 7_000_000_000],
    ['none', '0s', 0],
  ])('PUT session/create: LockDelay: %s', async (_, LockDelay, wanted) => {
    expect(await info(await create({ LockDelay }))).toMatchObject({ LockDelay: wanted });
  });

  test.each([
    ['NodeChecks: [] falls back to serfHealth', { NodeChecks: [] }, ['serfHealth']],
    ['Checks: [] is none at all', { Checks: [] }, []],
    ['Checks of the client', { Node: 'ext', Checks: ['node-check'] }, ['node-check']],
  ])('PUT session/create: %s', async (_, body, wanted) => {
    const session = await info(await create(body));
    expect(session?.['NodeChecks'] ?? []).toEqual(wanted);
  });

  test('PUT session/create: who sends Checks is shown Checks', async () => {
    expect(await info(await create({ Node: 'ext', Checks: ['node-check'] }))).toMatchObject({ Checks: ['node-check'] });
  });

  test('PUT session/create: checks of services', async () => {
    await wire.ok('PUT agent/service/register', { body: { Name: 'bound', Check: { TTL: '1h', Status: 'passing' } } });
    const ServiceChecks = [{ ID: 'service:bound', Namespace: '' }];
    const id = await create({ LockDelay: '0s', ServiceChecks });
    expect(await info(id)).toMatchObject({ ServiceChecks: [{ ID: 'service:bound' }] });
    await wire.ok('PUT agent/check/fail/service:bound');
    await gone(id);
  });

  test.each(['', '0s'])('PUT session/create: TTL %j is none', async (TTL) => {
    expect(await create({ TTL })).toMatch(UUID);
  });

  testRows(
    () => wire,
    [
      [
        'PUT session/create: a node that is not there',
        'PUT session/create',
        500,
        /^Missing node registration/,
        { Node: 'no' },
      ],
      [
        'PUT session/create: a check that is not there',
        'PUT session/create',
        500,
        /^Missing check 'no' registration/,
        { NodeChecks: ['no'] },
      ],
      [
        'PUT session/create: an old check that is not there',
        'PUT session/create',
        500,
        /^Missing check 'no' registration/,
        { Checks: ['no'] },
      ],
      [
        'PUT session/create: a service check that is not there',
        'PUT session/create',
        500,
        /^Missing check 'no' registration/,
        { ServiceChecks: [{ ID: 'no' }] },
      ],
      [
        'PUT session/create: a critical check',
        'PUT session/create',
        500,
        /^Check 'bad' is in critical state/,
        { Node: 'ext', NodeChecks: ['bad'] },
      ],
      [
        'PUT session/create: another behaviour',
        'PUT session/create',
        500,
        /^Invalid Behavior setting 'keep'/,
        { Behavior: 'keep' },
      ],
      [
        'PUT session/create: a TTL that is no duration',
        'PUT session/create',
        500,
        /^Session TTL 'soon' invalid: .+/,
        { TTL: 'soon' },
      ],
      [
        'PUT session/create: a TTL below session_ttl_min',
        'PUT session/create',
        500,
        /^Invalid Session TTL '500000000', must be between \[1s=24h0m0s\]/,
        { TTL: '500ms' },
      ],
      [
        'PUT session/create: a TTL over a day',
        'PUT session/create',
        500,
        /^Invalid Session TTL '86401000000000', must be between \[1s=24h0m0s\]/,
        { TTL: '86401s' },
      ],
      ['PUT session/create: no JSON', 'PUT session/create', 400, /^Request decode failed: ./, '{'],
      ['PUT session/create: a list', 'PUT session/create', 400, /^Request decode failed: ./, '[]'],
      [
        'PUT session/create: a name that is no text',
        'PUT session/create',
        400,
        /^Request decode failed: ./,
        { Name: 1 },
      ],
      [
        'PUT session/create: checks that are no list',
        'PUT session/create',
        400,
        /^Request decode failed: ./,
        { Checks: 'a' },
      ],
      [
        'PUT session/create: a lock-delay that is no duration',
        'PUT session/create',
        400,
        /^Request decode failed: .*invalid duration/,
        { LockDelay: 'soon' },
      ],
      ['PUT session/create: an unknown datacenter', 'PUT session/create?dc=mars', 500, 'No path to datacenter'],
    ],
  );
});

describe('reading, renewing, destroying', () => {
  testRows(
    () => wire,
    [
      ['GET session/info/: an unknown one is []', `GET session/info/${NONE}`, 200, '[]'],
      ['GET session/info/: no id is 400', 'GET session/info/', 400, 'Missing session'],
      ['GET session/node/: an unknown node is []', 'GET session/node/nobody', 200, '[]'],
      ['GET session/node/: no node is 400', 'GET session/node/', 400, 'Missing node name'],
      ['GET session/list: an unknown datacenter', 'GET session/list?dc=mars', 500, 'No path to datacenter'],
      ['PUT session/renew/: an unknown one is 404', `PUT session/renew/${NONE}`, 404, `Session id '${NONE}' not found`],
      ['PUT session/renew/: no id is 400', 'PUT session/renew/', 400, 'Missing session'],
      ['PUT session/destroy/: an unknown one is true', `PUT session/destroy/${NONE}`, 200, 'true'],
      ['PUT session/destroy/: no id is 400', 'PUT session/destroy/', 400, 'Missing session'],
    ],
  );

  test.each(['list', `info/${NONE}`, 'node/n1'])('GET session/%s has the headers of a read', async (path) => {
    const { headers } = await wire.ok(`GET session/${path}`);
    expect(headers).toMatchObject({ 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' });
    expect(headers['x-consul-index']).toMatch(/^[1-9]\d*$/);
  });

  test('GET session/list: has all, GET session/node/ those of a node', async () => {
    const [here, there] = [await free(), await free({ Node: 'ext' })];
    const ids = async (path: string): Promise<unknown[]> =>
      (await wire.json<Session[]>(`GET session/${path}`)).map(({ ID }) => ID);
    expect(await ids('list')).toEqual(expect.arrayContaining([here, there]));
    expect(await ids('node/ext')).toContain(there);
    expect(await ids('node/ext')).not.toContain(here);
    expect(await ids('node/n1')).toContain(here);
    const [listed] = (await wire.json<Session[]>('GET session/list')).filter(({ ID }) => ID === here);
    expect(listed).toEqual(await info(here));
  });

  test('PUT session/destroy/: ends it, and again is true', async () => {
    const id = await free();
    expect((await wire.ok(`PUT session/destroy/${id}`)).text).toBe('true');
    expect(await info(id)).toBeUndefined();
    expect((await wire.ok(`PUT session/destroy/${id}`)).text).toBe('true');
  });

  test('PUT session/renew/: gives the session', async () => {
    const id = await free({ TTL: '30s' });
    expect(await wire.json(`PUT session/renew/${id}`)).toEqual([await info(id)]);
  });

  test('GET agent/self: Config.SessionTTLMin is session_ttl_min in nanoseconds, as Patroni reads it', async () => {
    expect(await wire.json('GET agent/self')).toMatchObject({ Config: { SessionTTLMin: 1_000_000_000 } });
  });
});

describe('what ends a session', () => {
  test('http 4: its TTL, not before it and by twice of it, and a renewal starts it anew', async () => {
    const start = performance.now();
    const [left, renewed] = [await free({ TTL: '1s' }), await free({ TTL: '1s' })];
    const renewing = setInterval(() => void wire.ask(`PUT session/renew/${renewed}`), 300);
    try {
      await acquire('ttl/left', left);
      await gone(left);
      const tookMs = performance.now() - start;
      expect(tookMs).toBeGreaterThanOrEqual(1_000);
      expect(tookMs).toBeLessThan(2_000 + 1_500);
      expect(await entry('ttl/left')).not.toHaveProperty('Session');
      expect(await info(renewed)).toBeDefined();
    } finally {
      clearInterval(renewing);
    }
  });

  test('http 4: deregistration of its node', async () => {
    await wire.ok('PUT catalog/register', { body: { Node: 'brief', Address: '10.0.0.8' } });
    const id = await free({ Node: 'brief' });
    await wire.ok('PUT catalog/deregister', { body: { Node: 'brief' } });
    await gone(id);
  });

  test('http 4: deletion of a bound check', async () => {
    const body = { Node: 'ext', Address: '10.0.0.9', Check: { Name: 'passes-by', Status: 'passing' } };
    await wire.ok('PUT catalog/register', { body });
    const id = await create({ Node: 'ext', NodeChecks: ['passes-by'] });
    await wire.ok('PUT catalog/deregister', { body: { Node: 'ext', CheckID: 'passes-by' } });
    await gone(id);
  });

  test('http 4: a bound check that turns critical; another one does not', async () => {
    const turn = (Name: string, Status: string): Promise<unknown> =>
      wire.ok('PUT catalog/register', { body: { Node: 'ext', Address: '10.0.0.9', Check: { Name, Status } } });
    const id = await create({ Node: 'ext', NodeChecks: ['node-check'] });
    await turn('node-check', 'warning');
    await turn('other-check', 'critical');
    expect(await info(id)).toBeDefined();
    await turn('node-check', 'critical');
    await gone(id);
    await turn('node-check', 'passing');
  });
});

describe('what becomes of the keys', () => {
  test('http 4: released: the session is cleared, ModifyIndex rises, who waits is woken', async () => {
    const id = await free();
    await acquire('keys/a', id);
    const before = await wire.ok('GET kv/keys/a');
    const woken = wire.ok(`GET kv/keys/a?index=${before.index}&wait=30s`);
    await wire.ok(`PUT session/destroy/${id}`);
    const after = await woken;
    expect(after.index).toBeGreaterThan(before.index);
    const [found] = after.json<Session[]>();
    expect(found).toMatchObject({ LockIndex: 1, Value: 'dg==', ModifyIndex: after.index });
    expect(found).not.toHaveProperty('Session');
  });

  test('http 4: deleted with Behavior delete, only those it holds', async () => {
    const id = await free({ Behavior: 'delete' });
    await acquire('keys/held', id);
    await acquire('keys/given', id);
    await wire.ok(`PUT kv/keys/given?release=${id}`);
    const { index } = await wire.ok('GET kv/keys/?recurse');
    await wire.ok(`PUT session/destroy/${id}`);
    await until(async () => (await entry('keys/held')) === undefined);
    expect(await entry('keys/given')).toBeDefined();
    expect((await wire.ok('GET kv/keys/?recurse')).index).toBeGreaterThan(index);
  });

  test('http 4: nobody acquires one until the lock-delay ends', async () => {
    const [holder, other] = [await free({ LockDelay: '1s' }), await free()];
    await acquire('keys/delay', holder);
    const start = performance.now();
    await wire.ok(`PUT session/destroy/${holder}`);
    expect(await acquire('keys/delay', other)).toBe('false');
    await until(async () => (await acquire('keys/delay', other)) === 'true');
    expect(performance.now() - start).toBeGreaterThanOrEqual(950);
  });

  test('http 4: no lock-delay with LockDelay "0s"', async () => {
    const [holder, other] = [await free(), await free()];
    await acquire('keys/now', holder);
    await wire.ok(`PUT session/destroy/${holder}`);
    expect(await acquire('keys/now', other)).toBe('true');
  });

  test('http 4: a session of another node works for any client', async () => {
    expect(await acquire('keys/far', await free({ Node: 'ext' }))).toBe('true');
  });

  test("http 4: the recipe of Go's Lock: acquire with its flag, watch, delete with cas", async () => {
    const [one, two] = [await free(), await free()];
    const at = 'recipe/.lock?flags=3304740253564472344';
    expect((await wire.ok(`PUT kv/${at}&acquire=${one}`, { body: 'one' })).text).toBe('true');
    expect((await wire.ok(`PUT kv/${at}&acquire=${two}`, { body: 'two' })).text).toBe('false');
    const held = await wire.ok('GET kv/recipe/.lock');
    expect(held.text).toContain('"Flags":3304740253564472344,');
    const waiting = wire.ok(`GET kv/recipe/.lock?index=${held.index}&wait=30s`);
    expect((await wire.ok(`PUT kv/${at}&release=${one}`, { body: 'one' })).text).toBe('true');
    expect((await waiting).json<Session[]>()[0]).not.toHaveProperty('Session');
    const { index } = await wire.ok('GET kv/recipe/.lock');
    expect((await wire.ok(`DELETE kv/recipe/.lock?cas=${index}`)).text).toBe('true');
  });
});

describe('an agent with legacy', () => {
  let old: ConsulAgent;
  let legacy: Wire;
  beforeAll(async () => {
    old = await ConsulAgent.start({ flags: ['-server', '-legacy'], configuration: { node_name: 'n1' } });
    legacy = new Wire(old.url);
  });
  afterAll(async () => {
    legacy?.[Symbol.dispose]();
    await old?.[Symbol.asyncDispose]();
  });

  test('GET session/info/: shows Checks where nobody sent them', async () => {
    const { ID } = await legacy.json<{ ID: string }>('PUT session/create');
    expect(await legacy.json(`GET session/info/${ID}`)).toEqual([expect.objectContaining({ Checks: ['serfHealth'] })]);
  });

  testRows(
    () => legacy,
    [
      [
        'PUT session/create: a TTL below the ten seconds that stand without session_ttl_min',
        'PUT session/create',
        500,
        /^Invalid Session TTL '9000000000', must be between \[10s=24h0m0s\]/,
        { TTL: '9s' },
      ],
    ],
  );
});
