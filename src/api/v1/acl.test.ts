import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ANONYMOUS, GLOBAL_MANAGEMENT } from '../../access/index.ts';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';

const SECRET = '5e6b2d4e-8c35-4b0e-9a41-0123456789ab';
const RULES = 'key_prefix "app/" { policy = "write" }';

type Json = Record<string, unknown>;

/** Asks as somebody. */
function as(api: TestApi, token: string) {
  return (method: string, path: string, body?: unknown): Promise<TestReply> =>
    api.ask(method, `/v1/${path}`, {
      headers: token === '' ? {} : { 'x-consul-token': token },
      ...(body === undefined ? {} : { body }),
    });
}

/** A region that is closed, and its first management token. */
async function start(options: Parameters<typeof startTestApi>[0] = {}) {
  const api = await startTestApi({ acl: {}, ...options });
  const made = (await as(api, '')('PUT', 'acl/bootstrap')).json as { SecretID: string; AccessorID: string };
  return { api, made, root: as(api, made.SecretID), [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

async function tokenWith(api: Awaited<ReturnType<typeof start>>, rules: string, name = 'p'): Promise<string> {
  await api.root('PUT', 'acl/policy', { Name: name, Rules: rules });
  const reply = await api.root('PUT', 'acl/token', { Policies: [{ Name: name }] });
  return (reply.json as { SecretID: string }).SecretID;
}

describe('without access control', () => {
  let open: TestApi;
  beforeAll(async () => {
    open = await startTestApi();
  });
  afterAll(() => open[Symbol.asyncDispose]());

  test.each([
    ['PUT', 'acl/bootstrap'],
    ['GET', 'acl/tokens'],
    ['GET', 'acl/token/self'],
    ['PUT', 'acl/create'],
    ['GET', 'acl/replication'],
    ['POST', 'acl/login'],
    ['PUT', 'agent/token/default'],
  ])('%s %s is 401', async (method, path) => {
    const reply = await as(open, '')(method, path);
    expect([reply.status, reply.text]).toEqual([401, 'ACL support disabled']);
  });
});

describe('acl/bootstrap', () => {
  test('gives a management token once', async () => {
    await using api = await startTestApi({ acl: {} });
    const reply = await as(api, '')('PUT', 'acl/bootstrap');
    const made = reply.json as Json;
    expect(made).toMatchObject({
      Description: 'Bootstrap Token (Global Management)',
      Policies: [{ ID: GLOBAL_MANAGEMENT, Name: 'global-management' }],
      Roles: [],
      Local: false,
    });
    expect(made['ID']).toBe(made['SecretID']);
    const again = await as(api, '')('PUT', 'acl/bootstrap');
    expect(again.status).toBe(403);
    expect(again.text).toMatch(/^Permission denied: ACL bootstrap no longer allowed \(reset index: \d+\)$/);
  });

  test('takes a secret that the operator chose, and no other field', async () => {
    await using api = await startTestApi({ acl: {} });
    const ask = as(api, '');
    expect((await ask('PUT', 'acl/bootstrap', { Secret: SECRET })).status).toBe(400);
    const bad = await ask('PUT', 'acl/bootstrap', { BootstrapSecret: 'hunter2' });
    expect([bad.status, bad.text.includes('hunter2')]).toEqual([400, false]);
    expect((await ask('PUT', 'acl/bootstrap', { BootstrapSecret: SECRET })).json).toMatchObject({ SecretID: SECRET });
  });

  test('once more for whoever can write the reset index into the data directory', async () => {
    const { api } = await start();
    const { text } = await as(api, '')('PUT', 'acl/bootstrap');
    const index = Number(/reset index: (\d+)/.exec(text)?.[1]);
    let left = index;
    (api.context.acl as { takeResetIndex: () => Promise<number> }).takeResetIndex = () => {
      const taken = left;
      left = 0;
      return Promise.resolve(taken);
    };
    const bad = await as(api, '')('PUT', 'acl/bootstrap', { BootstrapSecret: 'hunter2' });
    expect([bad.status, left]).toEqual([400, index]);
    expect((await as(api, '')('PUT', 'acl/bootstrap')).status).toBe(200);
    expect((await as(api, '')('PUT', 'acl/bootstrap')).status).toBe(403);
    await api[Symbol.asyncDispose]();
  });
});

describe('tokens', () => {
  test('are made, shown, changed, cloned, listed and deleted', async () => {
    await using api = await start();
    const { root } = api;
    await root('PUT', 'acl/policy', { Name: 'app', Rules: RULES });
    const created = (
      await root('PUT', 'acl/token', {
        Description: 'of the app',
        Policies: [{ Name: 'app' }],
        ServiceIdentities: [{ ServiceName: 'web', Datacenters: ['aws'] }],
        NodeIdentities: [{ NodeName: 'n1', Datacenter: 'aws' }],
        ExpirationTTL: '1h',
      })
    ).json as Json;
    const path = `acl/token/${created['AccessorID'] as string}`;
    expect(created).toMatchObject({
      Description: 'of the app',
      Policies: [{ Name: 'app' }],
      ServiceIdentities: [{ ServiceName: 'web', Datacenters: ['aws'] }],
      NodeIdentities: [{ NodeName: 'n1', Datacenter: 'aws' }],
      ExpirationTime: expect.any(String),
      Hash: expect.stringMatching(/=$/),
    });
    const shown = await root('GET', path);
    expect(shown.json).toEqual({ ...created, SecretID: '<hidden>' });
    expect(shown.headers['x-consul-index']).toBe(String(created['ModifyIndex']));
    const updated = (await root('PUT', path, { ...(shown.json as Json), Description: 'new' })).json as Json;
    expect(updated).toMatchObject({
      Description: 'new',
      Policies: [{ Name: 'app' }],
      CreateIndex: created['CreateIndex'],
    });
    expect(updated['Hash']).not.toBe(created['Hash']);
    const cloned = (await root('PUT', `${path}/clone`, { Description: 'twin' })).json as Json;
    expect(cloned).toMatchObject({ Description: 'twin', Policies: [{ Name: 'app' }] });
    expect(cloned['SecretID']).not.toBe(created['SecretID']);
    const listed = (await root('GET', 'acl/tokens')).json as Json[];
    expect(listed.map((one) => one['AccessorID'])).toContain(ANONYMOUS);
    expect(listed).toHaveLength(4);
    expect((await root('DELETE', path)).text).toBe('true');
    expect((await root('DELETE', path)).text).toBe('true');
    const gone = await root('GET', path);
    expect([gone.status, gone.text]).toEqual([403, 'ACL not found']);
  });

  test('show their secret to their bearer alone', async () => {
    await using api = await start();
    const own = await as(api.api, api.made.SecretID)('GET', 'acl/token/self');
    expect(own.json).toMatchObject({ AccessorID: api.made.AccessorID, SecretID: api.made.SecretID });
    const anonymous = await as(api.api, '')('GET', 'acl/token/self');
    expect(anonymous.json).toMatchObject({ AccessorID: ANONYMOUS, SecretID: 'anonymous' });
    await api.api.context.acl.tokens.set('default', api.made.SecretID);
    const agents = await as(api.api, '')('GET', 'acl/token/self');
    expect(agents.json).toMatchObject({ AccessorID: api.made.AccessorID, SecretID: '<hidden>' });
  });

  test('are found by what they are given', async () => {
    await using api = await start();
    await tokenWith(api, RULES, 'app');
    const { ID } = (await api.root('GET', 'acl/policy/name/app')).json as { ID: string };
    const role = (await api.root('PUT', 'acl/role', { Name: 'ops', Policies: [{ ID }] })).json as { ID: string };
    await api.root('PUT', 'acl/token', { Roles: [{ Name: 'ops' }] });
    expect((await api.root('GET', `acl/tokens?policy=${ID}`)).json).toHaveLength(1);
    expect((await api.root('GET', `acl/tokens?role=${role.ID}`)).json).toMatchObject([{ Roles: [{ Name: 'ops' }] }]);
    expect((await api.root('GET', 'acl/tokens?authmethod=x')).json).toEqual([]);
  });
});

describe('what cannot be', () => {
  let closed: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    closed = await start();
  });
  afterAll(() => closed[Symbol.asyncDispose]());

  test.each([
    ['PUT', 'acl/token', { Foo: 1 }, 400, 'unknown key "Foo" in the body'],
    ['PUT', 'acl/token', { Policies: [{ Nmae: 'x' }] }, 400, 'did you mean "Name"?'],
    ['PUT', 'acl/token', { Policies: [{ Name: 'x' }] }, 400, 'No such ACL policy with name "x"'],
    ['PUT', 'acl/token', { ExpirationTTL: '10x' }, 400, 'invalid duration'],
    ['PUT', 'acl/token', { ExpirationTTL: '10s' }, 400, 'less than 1m0s'],
    ['PUT', 'acl/token', { TemplatedPolicies: [{ TemplateName: 'x' }] }, 400, 'templated policies are left out'],
    ['PUT', 'acl/token', { SecretID: 'hunter2' }, 400, 'SecretID is not a valid UUID'],
    ['PUT', 'acl/token', [], 400, 'Request decode failed'],
    ['PUT', `acl/token/${ANONYMOUS}`, { AccessorID: SECRET }, 400, 'Token Accessor ID in URL and payload do not match'],
    ['PUT', `acl/token/${ANONYMOUS}`, { SecretID: SECRET }, 400, "Changing a token's SecretID is not permitted"],
    ['DELETE', `acl/token/${ANONYMOUS}`, undefined, 400, 'not permitted on the anonymous token'],
    ['PUT', `acl/token/${SECRET}`, {}, 403, 'ACL not found'],
    ['PUT', `acl/token/${SECRET}/clone`, {}, 403, 'ACL not found'],
    ['GET', 'acl/token/', undefined, 400, 'Missing token ID'],
    ['POST', 'acl/token', {}, 405, 'method POST not allowed'],
    ['PUT', 'acl/policy', { Name: 'p', ID: SECRET }, 400, 'Cannot specify the ID when creating a new policy'],
    [
      'PUT',
      'acl/policy',
      { Name: 'p', Rules: 'key "a" {\n policy = "x"\n}' },
      400,
      'Failed to parse ACL rules: 2:2: "x" is no policy',
    ],
    ['PUT', 'acl/policy', { Name: 'a b' }, 400, 'Invalid Policy: invalid Name'],
    ['PUT', 'acl/policy', { Name: 'global-management' }, 400, 'already exists'],
    ['PUT', `acl/policy/${SECRET}`, { ID: ANONYMOUS, Name: 'p' }, 400, 'Policy ID in URL and payload do not match'],
    ['PUT', `acl/policy/${SECRET}`, { Name: 'p' }, 404, 'ACL not found'],
    ['GET', `acl/policy/${SECRET}`, undefined, 404, 'ACL not found'],
    ['GET', 'acl/policy/name/x', undefined, 404, 'ACL not found'],
    ['DELETE', `acl/policy/${GLOBAL_MANAGEMENT}`, undefined, 400, 'builtin global-management policy'],
    ['PUT', 'acl/role', { Name: 'r', ID: SECRET }, 400, 'Cannot specify the ID when creating a new role'],
    ['PUT', 'acl/role', { Name: '' }, 400, 'Invalid Role: no Name is set'],
    ['GET', `acl/role/${SECRET}`, undefined, 404, 'ACL not found'],
    ['PUT', 'acl/auth-method', {}, 501, 'auth methods'],
    ['POST', 'acl/login', {}, 501, 'auth methods'],
    ['PUT', 'acl/create', {}, 404, 'under legacy only'],
    ['GET', 'acl/nothing', undefined, 404, 'page not found'],
    ['PUT', 'agent/token/default', { Token: 7 }, 400, 'expected a string'],
    ['PUT', 'agent/token/other', { Token: 'x' }, 404, 'Token "other" is unknown'],
  ])('%s %s %j is %d', async (method, path, body, status, text) => {
    const reply = await closed.root(method, path, body);
    expect([reply.status, reply.text]).toEqual([status, expect.stringContaining(text)]);
    expect(reply.text).not.toContain('hunter2');
  });
});

describe('policies and roles', () => {
  test('are made, shown, changed, listed without rules and deleted', async () => {
    await using api = await start();
    const { root } = api;
    const made = (await root('PUT', 'acl/policy', { Name: 'app', Description: 'd', Rules: RULES })).json as Json;
    expect(made).toMatchObject({ Name: 'app', Description: 'd', Rules: RULES });
    expect((await root('GET', 'acl/policy/name/app')).json).toEqual(made);
    expect((await root('GET', `acl/policy/${made['ID'] as string}`)).json).toEqual(made);
    const listed = (await root('GET', 'acl/policies')).json as Json[];
    expect(listed.map((one) => one['Name'])).toEqual(['app', 'builtin/global-read-only', 'global-management']);
    expect(listed.some((one) => 'Rules' in one)).toBe(false);
    const changed = await root('PUT', `acl/policy/${made['ID'] as string}`, { Name: 'app2', Rules: '' });
    expect(changed.json).toMatchObject({ ID: made['ID'], Name: 'app2', Description: '' });
    expect((await root('GET', 'acl/policy/name/builtin%2Fglobal-read-only')).status).toBe(200);
    expect((await root('DELETE', `acl/policy/${made['ID'] as string}`)).text).toBe('true');
    expect((await root('GET', 'acl/policy/name/app2')).status).toBe(404);
  });

  test('a role shows its policies by name, and those that are gone no more', async () => {
    await using api = await start();
    const { root } = api;
    const policy = (await root('PUT', 'acl/policy', { Name: 'app', Rules: RULES })).json as { ID: string };
    const role = (await root('PUT', 'acl/role', { Name: 'ops', Policies: [{ ID: policy.ID }] })).json as Json;
    expect(role).toMatchObject({ Name: 'ops', Policies: [{ ID: policy.ID, Name: 'app' }] });
    await root('DELETE', `acl/policy/${policy.ID}`);
    expect((await root('GET', 'acl/role/name/ops')).json).toMatchObject({ Policies: [] });
    expect((await root('GET', 'acl/roles')).json).toHaveLength(1);
    expect((await root('PUT', `acl/role/${role['ID'] as string}`, { Name: 'ops2' })).json).toMatchObject({
      Name: 'ops2',
    });
    expect((await root('DELETE', `acl/role/${role['ID'] as string}`)).text).toBe('true');
  });

  test('auth methods, binding rules and templated policies are none', async () => {
    await using api = await start();
    expect((await api.root('GET', 'acl/auth-methods')).json).toEqual([]);
    expect((await api.root('GET', 'acl/binding-rules')).json).toEqual([]);
    expect((await api.root('GET', 'acl/templated-policies')).json).toEqual({});
    expect((await as(api.api, '')('GET', 'acl/replication')).json).toMatchObject({ Enabled: false });
  });
});

describe('who may', () => {
  test('read is not write, and neither is nothing', async () => {
    await using api = await start();
    const reader = as(api.api, await tokenWith(api, 'acl = "read"'));
    expect((await reader('GET', 'acl/policies')).status).toBe(200);
    const denied = await reader('PUT', 'acl/policy', { Name: 'x' });
    expect([denied.status, denied.text]).toEqual([
      403,
      expect.stringMatching(/^Permission denied: token with AccessorID '[\w-]+' lacks permission 'acl:write'$/),
    ]);
    expect((await as(api.api, '')('GET', 'acl/tokens')).status).toBe(403);
    expect((await as(api.api, 'nobody')('GET', 'acl/tokens')).text).toBe('ACL not found');
  });

  test('tokens come from the parameter, the header or as a bearer, and expire', async () => {
    await using api = await start();
    const made = (await api.root('PUT', 'acl/token', { ExpirationTTL: 60_000_000_000 })).json as { SecretID: string };
    const ask = (path: string, headers = {}) => api.api.ask('GET', `/v1/${path}`, { headers });
    expect((await ask(`acl/token/self?token=${made.SecretID}`)).status).toBe(200);
    expect((await ask('acl/token/self', { authorization: `Bearer ${made.SecretID}` })).status).toBe(200);
    await api.api.clock.advance(60_000);
    expect((await ask(`acl/token/self?token=${made.SecretID}`)).text).toBe('ACL not found');
  });

  test('agent/token needs agent:write, and its default token is what requests without one may', async () => {
    await using api = await start();
    const secret = await tokenWith(api, 'agent "n1" { policy = "write" }\nnode_prefix "" { policy = "read" }');
    const agent = as(api.api, secret);
    expect((await as(api.api, '')('PUT', 'agent/token/default', { Token: secret })).status).toBe(403);
    expect((await as(api.api, '')('GET', 'catalog/nodes')).json).toEqual([]);
    expect((await agent('PUT', 'agent/token/acl_token', { Token: secret })).status).toBe(200);
    expect((await as(api.api, '')('GET', 'catalog/nodes')).json).toHaveLength(1);
    expect((await agent('PUT', 'agent/token/default', { Token: '' })).status).toBe(200);
    expect((await as(api.api, '')('GET', 'catalog/nodes')).json).toEqual([]);
  });

  test('answers say the default policy, and whether something was left out', async () => {
    await using api = await start();
    const secret = await tokenWith(api, 'acl = "read"');
    const { headers } = await as(api.api, secret)('GET', 'catalog/nodes');
    expect(headers).toMatchObject({
      'x-consul-default-acl-policy': 'deny',
      'x-consul-results-filtered-by-acls': 'true',
    });
    expect(
      (await as(api.api, '')('GET', 'catalog/nodes')).headers['x-consul-results-filtered-by-acls'],
    ).toBeUndefined();
  });
});

test.each([
  ['policy', { Name: 'later', Rules: RULES }],
  ['role', { Name: 'later' }],
])('who waits for a %s that is not there is woken when it comes to be, and when it goes', async (kind, body) => {
  await using api = await start();
  const path = `acl/${kind}/name/later`;
  const missing = await api.root('GET', path);
  const coming = api.root('GET', `${path}?index=${missing.headers['x-consul-index']}&wait=60s`);
  const { ID } = (await api.root('PUT', `acl/${kind}`, body)).json as { ID: string };
  const there = await coming;
  expect([missing.status, there.status, there.json]).toEqual([404, 200, expect.objectContaining({ ID })]);
  const going = api.root('GET', `${path}?index=${there.headers['x-consul-index']}&wait=60s`);
  await api.root('DELETE', `acl/${kind}/${ID}`);
  expect((await going).status).toBe(404);
});

test('a blocked read of policies is woken by a policy, and by no token', async () => {
  await using api = await start();
  const { headers } = await api.root('GET', 'acl/policies');
  const blocked = api.root('GET', `acl/policies?index=${headers['x-consul-index']}&wait=60s`);
  await api.root('PUT', 'acl/token', {});
  expect(api.api.context.queries.waiters).toBe(1);
  await api.root('PUT', 'acl/policy', { Name: 'p' });
  expect((await blocked).json).toHaveLength(3);
});

test.each([
  ['is gone', 403, 'ACL not found'],
  ['may read no more', 403, 'Permission denied'],
] as const)('who waits is answered nothing when their token %s meanwhile', async (what, status, text) => {
  await using api = await start();
  const secret = await tokenWith(api, RULES, 'app');
  const asker = as(api.api, secret);
  expect((await asker('PUT', 'kv/app/a', 'old')).text).toBe('true');
  const { headers } = await asker('GET', 'kv/app/a');
  const waiting = asker('GET', `kv/app/a?index=${headers['x-consul-index']}&wait=60s`);
  const self = (await asker('GET', 'acl/token/self')).json as { AccessorID: string };
  if (what === 'is gone') await api.root('DELETE', `acl/token/${self.AccessorID}`);
  else {
    const { ID } = (await api.root('GET', 'acl/policy/name/app')).json as { ID: string };
    await api.root('PUT', `acl/policy/${ID}`, { Name: 'app', Rules: '' });
  }
  await api.root('PUT', 'kv/app/a', 'secret');
  const reply = await waiting;
  expect([reply.status, reply.text]).toEqual([status, expect.stringContaining(text)]);
});

describe('legacy', () => {
  test('ids are secrets: create, info, list, update, clone, destroy', async () => {
    await using api = await start({ legacy: true, acl: { defaultPolicy: 'allow' } });
    const { root } = api;
    const rules = 'key "" { policy = "read" }\nkey "private/" { policy = "deny" }';
    const { ID } = (await root('PUT', 'acl/create', { Name: 'n', Type: 'client', Rules: rules })).json as {
      ID: string;
    };
    const info = (id: string) => as(api.api, '')('GET', `acl/info/${id}`);
    expect((await info(ID)).json).toMatchObject([{ ID, Name: 'n', Type: 'client', Rules: rules }]);
    expect((await info('1'.repeat(36))).json).toEqual([]);
    expect((await info(api.made.SecretID)).json).toMatchObject([{ Type: 'management' }]);
    const { ID: twin } = (await root('PUT', `acl/clone/${ID}`)).json as { ID: string };
    expect((await info(twin)).json).toMatchObject([{ Rules: rules }]);
    expect((await root('PUT', 'acl/update', { ID: twin, Name: 'Foo' })).json).toEqual({ ID: twin });
    expect((await info(twin)).json).toMatchObject([{ Name: 'Foo', Rules: '' }]);
    expect((await root('PUT', `acl/destroy/${twin}`)).text).toBe('true');
    expect((await info(twin)).json).toEqual([]);
    const listed = (await root('GET', 'acl/list')).json as Json[];
    expect(new Set(listed.map((one) => one['ID']))).toEqual(new Set(['anonymous', api.made.SecretID, ID]));
    expect((await as(api.api, ID)('GET', 'acl/list')).status).toBe(403);
    const client = as(api.api, ID);
    expect((await client('PUT', 'kv/foo', 'x')).status).toBe(403);
    expect((await client('GET', 'kv/private/x')).status).toBe(403);
    expect((await client('GET', 'kv/foo')).status).toBe(404);
  });

  test('a token is made with the id that is asked for, also by an update', async () => {
    await using api = await start({ legacy: true });
    expect((await api.root('PUT', 'acl/create', { ID: 'mine' })).json).toEqual({ ID: 'mine' });
    expect((await api.root('PUT', 'acl/update', { ID: 'other', Type: 'management' })).json).toEqual({ ID: 'other' });
    expect((await as(api.api, 'other')('GET', 'acl/list')).status).toBe(200);
  });

  test("the agent's own token is not shown to who shows none", async () => {
    await using api = await start({ legacy: true });
    await api.root('PUT', 'acl/create', { ID: 'mine' });
    await api.api.context.acl.tokens.set('default', 'mine');
    const none = await as(api.api, '')('GET', 'acl/token/self');
    expect(none.json).toMatchObject({ SecretID: '<hidden>' });
    const own = await as(api.api, 'mine')('GET', 'acl/token/self');
    expect(own.json).toMatchObject({ SecretID: 'mine' });
  });

  test.each([
    ['acl/create', { Type: 'root' }, 400, 'Invalid ACL Type'],
    ['acl/create', { Rules: 'kez "" {}' }, 400, 'Failed to parse ACL rules: 1:1: unknown resource'],
    ['acl/create', { ID: 'a b' }, 400, 'plain text without blanks'],
    ['acl/update', {}, 400, 'ACL ID must be set'],
    ['acl/clone/x', undefined, 403, 'ACL not found'],
    ['acl/destroy/anonymous', undefined, 400, 'anonymous token'],
  ])('PUT %s %j is %d', async (path, body, status, text) => {
    await using api = await start({ legacy: true });
    const reply = await api.root('PUT', path, body);
    expect([reply.status, reply.text]).toEqual([status, expect.stringContaining(text)]);
  });
});
