import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsulAgent } from './consul-agent.ts';
import { testRows, Wire, type WireReply } from './consul-wire.ts';

/** ACLs: consul-http-api 13. Those of before Consul 1.4 are in consul-wire-legacy. */

type Row = Record<string, unknown>;
interface Named extends Row {
  readonly ID: string;
}
interface Token extends Row {
  readonly AccessorID: string;
  readonly SecretID: string;
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
const NONE = 'b5a8ac0c-7a41-4a5a-8b8a-0a0d58b5f9d1';
const ROOT = 'b1b2b3b4-0000-4000-8000-000000000001';
const MANAGEMENT = { ID: '00000000-0000-0000-0000-000000000001', Name: 'global-management' };
const ANONYMOUS = '00000000-0000-0000-0000-000000000002';

let agent: ConsulAgent;
let root: Wire;
let nobody: Wire;
beforeAll(async () => {
  const acl = { enabled: true, default_policy: 'deny', tokens: { initial_management: ROOT } };
  agent = await ConsulAgent.start({ flags: ['-server'], configuration: { node_name: 'n1', acl } });
  root = new Wire(agent.url, { 'X-Consul-Token': ROOT });
  nobody = new Wire(agent.url);
  await root.ok('PUT agent/service/register', { body: { Name: 'web', Check: { CheckID: 'web-check', TTL: '1h' } } });
  await root.ok('PUT agent/service/register', { body: { Name: 'db' } });
  for (const key of ['a/1', 'a/2', 'b/1']) await root.ok(`PUT kv/${key}`, { body: 'v' });
});
afterAll(async () => {
  root?.[Symbol.dispose]();
  nobody?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
});

let names = 0;
const policy = (Rules: string): Promise<Named> =>
  root.json('PUT acl/policy', { body: { Name: `policy-${names++}`, Rules } });
const token = (body: Row = {}): Promise<Token> => root.json('PUT acl/token', { body });
/** A client whose token may what these rules say. */
async function client(...rules: string[]): Promise<Wire> {
  const Policies: Row[] = [];
  for (const rule of rules) Policies.push({ ID: (await policy(rule)).ID });
  return new Wire(agent.url, { 'X-Consul-Token': (await token({ Policies })).SecretID });
}
const denied = (reply: WireReply): void =>
  expect({ status: reply.status, text: reply.text }).toEqual({
    status: 403,
    text: expect.stringMatching(/^Permission denied/),
  });

const CALLS =
  `PUT acl/bootstrap, POST acl/login, POST acl/logout, GET acl/replication, GET acl/policies, PUT acl/policy,
  GET acl/policy/x, PUT acl/policy/x, DELETE acl/policy/x, GET acl/policy/name/x, GET acl/roles, PUT acl/role,
  GET acl/role/x, PUT acl/role/x, DELETE acl/role/x, GET acl/role/name/x, GET acl/binding-rules, GET acl/auth-methods,
  GET acl/templated-policies, GET acl/tokens, PUT acl/token, GET acl/token/self, GET acl/token/x, PUT acl/token/x,
  DELETE acl/token/x, PUT acl/token/x/clone, PUT agent/token/default`.split(/,\s+/);

describe('where ACLs are off', () => {
  test('GET acl/, PUT acl/, POST acl/, DELETE acl/: everything is 401', async () => {
    await using open = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'open' } });
    using wire = new Wire(open.url);
    for (const call of CALLS) {
      const reply = await wire.ask(call, call.startsWith('P') ? { body: {} } : {});
      expect({ call, status: reply.status, text: reply.text }).toEqual({
        call,
        status: 401,
        text: 'ACL support disabled',
      });
    }
  });
});

describe('bootstrap', () => {
  test('PUT acl/bootstrap: once, and once more with the reset index', async () => {
    const configuration = { node_name: 'boot', acl: { enabled: true, default_policy: 'deny' } };
    await using other = await ConsulAgent.start({ flags: ['-server'], configuration });
    using wire = new Wire(other.url);
    const made = await wire.json<Token>('PUT acl/bootstrap');
    expect(made).toMatchObject({
      ID: made.SecretID,
      AccessorID: expect.stringMatching(UUID),
      SecretID: expect.stringMatching(UUID),
      Description: 'Bootstrap Token (Global Management)',
      Policies: [MANAGEMENT],
      Local: false,
    });
    const again = await wire.ask('PUT acl/bootstrap');
    const [, index] =
      /^Permission denied: ACL bootstrap no longer allowed \(reset index: (\d+)\)$/.exec(again.text) ?? [];
    expect({ status: again.status, index }).toEqual({ status: 403, index: expect.any(String) });
    await writeFile(path.join(other.directory, 'data', 'acl-bootstrap-reset'), String(index));
    const BootstrapSecret = 'c0ffee00-0000-4000-8000-000000000001';
    expect(await wire.json('PUT acl/bootstrap', { body: { BootstrapSecret } })).toMatchObject({
      SecretID: BootstrapSecret,
    });
    expect((await wire.ask('PUT acl/bootstrap')).status).toBe(403);
    using first = new Wire(other.url, { 'X-Consul-Token': made.SecretID });
    expect(await first.json('GET acl/token/self')).toMatchObject({ AccessorID: made.AccessorID });
  });

  test('PUT acl/bootstrap: a secret that is no UUID is refused', async () => {
    const reply = await nobody.ask('PUT acl/bootstrap', { body: { BootstrapSecret: 'short' } });
    expect(reply.status).toBeGreaterThanOrEqual(400);
  });
});

describe('tokens', () => {
  test('PUT acl/token: all members, policies by ID and by name', async () => {
    const one = await policy('key_prefix "a/" { policy = "read" }');
    const two = await policy('operator = "read"');
    const made = await token({
      Description: 'a token',
      Policies: [{ ID: one.ID }, { Name: two.Name }],
      ServiceIdentities: [{ ServiceName: 'web', Datacenters: ['dc1'] }],
      NodeIdentities: [{ NodeName: 'n1', Datacenter: 'dc1' }],
    });
    expect(made).toEqual({
      AccessorID: expect.stringMatching(UUID),
      SecretID: expect.stringMatching(UUID),
      Description: 'a token',
      Policies: [
        { ID: one.ID, Name: one.Name },
        { ID: two.ID, Name: two.Name },
      ],
      ServiceIdentities: [{ ServiceName: 'web', Datacenters: ['dc1'] }],
      NodeIdentities: [{ NodeName: 'n1', Datacenter: 'dc1' }],
      Roles: [],
      TemplatedPolicies: [],
      Local: false,
      CreateTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      Hash: expect.stringMatching(/^[\w+/]+=*$/),
      CreateIndex: expect.any(Number),
      ModifyIndex: expect.any(Number),
    });
    expect(await root.json(`GET acl/token/${made.AccessorID}`)).toEqual({ ...made, SecretID: '<hidden>' });
  });

  test('PUT acl/token: AccessorID, SecretID and ExpirationTTL may be given', async () => {
    const AccessorID = 'aaaaaaaa-0000-4000-8000-000000000001';
    const SecretID = 'aaaaaaaa-0000-4000-8000-000000000002';
    const made = await token({ AccessorID, SecretID, ExpirationTTL: '1h' });
    expect(made).toMatchObject({ AccessorID, SecretID, ExpirationTime: expect.any(String) });
    const hour = Date.parse(String(made.ExpirationTime)) - Date.parse(String(made.CreateTime));
    expect(Math.abs(hour - 3_600_000)).toBeLessThan(2_000);
  });

  test('PUT acl/token/: replaces what it says, and answers with the token', async () => {
    const { AccessorID, SecretID } = await token({ Description: 'old' });
    const body = { AccessorID, Description: 'new' };
    expect(await root.json(`PUT acl/token/${AccessorID}`, { body })).toMatchObject(body);
    const newer = { SecretID: '<hidden>', Description: 'newer' };
    expect(await root.json(`PUT acl/token/${AccessorID}`, { body: newer })).toMatchObject(newer);
    expect(await root.json(`GET acl/token/self?token=${SecretID}`)).toMatchObject({ SecretID, Description: 'newer' });
  });

  test('PUT acl/token/:accessor/clone: has the same rules and other IDs', async () => {
    const one = await policy('operator = "read"');
    const made = await token({ Description: 'first', Policies: [{ ID: one.ID }] });
    const clone = await root.json<Token>(`PUT acl/token/${made.AccessorID}/clone`, { body: { Description: 'second' } });
    expect(clone).toMatchObject({ Description: 'second', Policies: [{ ID: one.ID }] });
    expect(clone.AccessorID).not.toBe(made.AccessorID);
    expect(clone.SecretID).not.toBe(made.SecretID);
  });

  test('DELETE acl/token/: is true, and the secret is worth nothing from then on', async () => {
    const made = await token({ Policies: [MANAGEMENT] });
    using wire = new Wire(agent.url, { 'X-Consul-Token': made.SecretID });
    await wire.ok('GET acl/tokens');
    expect(await root.ok(`DELETE acl/token/${made.AccessorID}`)).toMatchObject({ text: 'true' });
    expect(await wire.ask('GET acl/tokens')).toMatchObject({ status: 403, text: 'ACL not found' });
  });

  test('GET acl/token/self: whoever has it reads it, however the token comes', async () => {
    const made = await token({ Description: 'mine' });
    for (const [call, headers] of [
      [`GET acl/token/self?token=${made.SecretID}`, {}],
      ['GET acl/token/self', { 'X-Consul-Token': made.SecretID }],
      ['GET acl/token/self', { Authorization: `Bearer ${made.SecretID}` }],
      [`GET acl/token/self?token=${made.SecretID}`, { 'X-Consul-Token': 'other', Authorization: 'Bearer another' }],
      ['GET acl/token/self', { 'X-Consul-Token': made.SecretID, Authorization: 'Bearer another' }],
    ] as const)
      expect(await nobody.json(call, { headers })).toMatchObject({ AccessorID: made.AccessorID });
  });

  test('GET acl/tokens: all of them, by policy and role too, secrets only for who may write', async () => {
    const one = await policy('operator = "read"');
    const role = await root.json<Named>('PUT acl/role', { body: { Name: `role-${names++}` } });
    const made = await token({ Policies: [{ ID: one.ID }], Roles: [{ ID: role.ID }] });
    for (const query of [`policy=${one.ID}`, `role=${role.ID}`])
      expect(await root.json(`GET acl/tokens?${query}`)).toMatchObject([{ AccessorID: made.AccessorID }]);
    expect(await root.json('GET acl/tokens?authmethod=none')).toEqual([]);
    const all = await root.json<Token[]>('GET acl/tokens');
    expect(all.map(({ AccessorID }) => AccessorID)).toEqual(expect.arrayContaining([ANONYMOUS, made.AccessorID]));
    expect(all.find(({ AccessorID }) => AccessorID === ANONYMOUS)).toMatchObject({ SecretID: 'anonymous' });
    using reader = await client('acl = "read"');
    const shown = await reader.json<Token[]>('GET acl/tokens');
    expect(new Set(shown.map(({ SecretID }) => SecretID))).toEqual(new Set(['<hidden>']));
    expect(await reader.json(`GET acl/token/${made.AccessorID}`)).toMatchObject({ SecretID: '<hidden>' });
  });

  const put = 'PUT acl/token';
  testRows(
    () => root,
    [
      [`${put}: unknown members are 400`, put, 400, /^Request decode failed: /, { Descripton: 'x' }],
      [`${put}: no JSON is 400`, put, 400, /^Request decode failed: /, '{'],
      [`${put}: an unknown policy is refused`, put, 400, /policy/, { Policies: [{ Name: 'none' }] }],
      [`${put}: an unknown role is refused`, put, 400, /role/, { Roles: [{ Name: 'none' }] }],
      [`${put}: less than a minute is refused`, put, 400, /xpiration/, { ExpirationTTL: '59s' }],
      [`${put}: more than a day is refused`, put, 400, /xpiration/, { ExpirationTTL: '25h' }],
      [`${put}: a bad duration is 400`, put, 400, /invalid duration/, { ExpirationTTL: 'soon' }],
      [`${put}: a secret that is taken is refused`, put, 400, /SecretID/, { SecretID: ROOT }],
      [
        'PUT acl/token/: another accessor in the body is 400',
        `PUT acl/token/${NONE}`,
        400,
        'Token Accessor ID in URL and payload do not match',
        { AccessorID: ANONYMOUS },
      ],
      ['GET acl/token/: no ID is 400', 'GET acl/token/', 400, 'Missing token ID'],
      ['DELETE acl/token/: no ID is 400', 'DELETE acl/token/', 400, 'Missing token ID'],
      ['GET acl/token/: unknown is 403', `GET acl/token/${NONE}`, 403, /^ACL not found/],
      ['DELETE acl/token/: the anonymous one stays', `DELETE acl/token/${ANONYMOUS}`, 400, /anonymous/],
    ],
  );

  test.each(['GET kv/a/1', 'PUT kv/a/1', 'GET catalog/nodes', 'GET agent/self', 'GET acl/token/self'])(
    '%s: an unknown token is 403 ACL not found',
    async (call) => {
      expect(await nobody.ask(`${call}?token=${NONE}`)).toMatchObject({ status: 403, text: 'ACL not found' });
    },
  );
});

describe('policies', () => {
  const Rules = 'key_prefix "a/" {\n  policy = "read"\n}\n';

  test('PUT acl/policy: all members, and reads by ID and by name', async () => {
    const body = { Name: 'readers', Description: 'who read', Rules, Datacenters: ['dc1'] };
    const made = await root.json<Named>('PUT acl/policy', { body });
    expect(made).toEqual({
      ...body,
      ID: expect.stringMatching(UUID),
      Hash: expect.any(String),
      CreateIndex: expect.any(Number),
      ModifyIndex: expect.any(Number),
    });
    expect(await root.json(`GET acl/policy/${made.ID}`)).toEqual(made);
    expect(await root.json('GET acl/policy/name/readers')).toEqual(made);
    const changed = { Name: 'readers', Rules: 'operator = "read"' };
    expect(await root.json(`PUT acl/policy/${made.ID}`, { body: changed })).toMatchObject(changed);
    expect(await root.ok(`DELETE acl/policy/${made.ID}`)).toMatchObject({ text: 'true' });
    expect((await root.ask(`GET acl/policy/${made.ID}`)).status).toBeGreaterThanOrEqual(403);
  });

  test('GET acl/policies: the built-in ones too, without rules', async () => {
    const all = await root.json<Row[]>('GET acl/policies');
    expect(all).toContainEqual(expect.objectContaining(MANAGEMENT));
    expect(all.map(({ Name }) => Name)).toContain('builtin/global-read-only');
    for (const one of all) expect(one).not.toHaveProperty('Rules');
  });

  const put = 'PUT acl/policy';
  testRows(
    () => root,
    [
      [`${put}: an ID is 400`, put, 400, 'Cannot specify the ID when creating a new policy', { ID: NONE, Name: 'x' }],
      [`${put}: unknown members are 400`, put, 400, /^Request decode failed: /, { Name: 'x', Rule: '' }],
      [`${put}: no name is refused`, put, 400, /[Nn]ame/, { Rules: '' }],
      [`${put}: an odd name is refused`, put, 400, /[Nn]ame/, { Name: 'a b' }],
      [`${put}: a long name is refused`, put, 400, /[Nn]ame/, { Name: 'a'.repeat(129) }],
      [`${put}: bad rules are refused`, put, 400, /./, { Name: 'x', Rules: 'key "a" {' }],
      [`${put}: unknown rules are refused`, put, 400, /./, { Name: 'x', Rules: 'keyy "a" { policy = "read" }' }],
      [`${put}: an unknown level is refused`, put, 400, /./, { Name: 'x', Rules: 'key "a" { policy = "all" }' }],
      [
        'PUT acl/policy/: another ID in the body is 400',
        `PUT acl/policy/${NONE}`,
        400,
        'Policy ID in URL and payload do not match',
        { ID: ANONYMOUS, Name: 'x' },
      ],
      ['GET acl/policy/: unknown is 404', `GET acl/policy/${NONE}`, 404, /./],
      [
        'DELETE acl/policy/: the built-in one stays',
        `DELETE acl/policy/${MANAGEMENT.ID}`,
        400,
        /global-management|builtin/i,
      ],
    ],
  );

  const named = ['key', 'service', 'node', 'agent', 'session', 'event', 'query'];
  const scalars = ['operator', 'keyring', 'acl', 'mesh', 'peering'];
  test.each(['read', 'write', 'deny'])(
    'PUT acl/policy: http 13: every rule, with %s, in HCL and in JSON',
    async (level) => {
      const blocks = named.flatMap((kind) => [
        `${kind} "a" { policy = "${level}" }`,
        `${kind}_prefix "" { policy = "${level}" }`,
      ]);
      const lines = [...blocks, ...scalars.map((kind) => `${kind} = "${level}"`)];
      await policy([...lines, 'service "b" { policy = "read" intentions = "read" }'].join('\n'));
      const selectors = named
        .flatMap((kind) => [kind, `${kind}_prefix`])
        .map((kind) => [kind, { a: { policy: level } }]);
      const json = [...selectors, ...scalars.map((kind) => [kind, level])];
      await policy(JSON.stringify(Object.fromEntries(json)));
    },
  );

  test('PUT acl/policy: a name that another one has is refused', async () => {
    const body = { Name: 'twice' };
    await root.ok(put, { body });
    expect((await root.ask(put, { body })).status).toBeGreaterThanOrEqual(400);
  });
});

describe('roles', () => {
  test('PUT acl/role: all members, and reads by ID and by name', async () => {
    const one = await policy('operator = "read"');
    const body = { Name: 'operators', Description: 'who operate', Policies: [{ ID: one.ID }] };
    const made = await root.json<Named>('PUT acl/role', { body });
    expect(made).toMatchObject({
      ...body,
      ID: expect.stringMatching(UUID),
      Policies: [{ ID: one.ID, Name: one.Name }],
      Hash: expect.any(String),
    });
    expect(await root.json(`GET acl/role/${made.ID}`)).toEqual(made);
    expect(await root.json('GET acl/role/name/operators')).toEqual(made);
    expect(await root.json('GET acl/roles')).toContainEqual(made);
    const { SecretID } = await token({ Roles: [{ Name: 'operators' }] });
    using wire = new Wire(agent.url, { 'X-Consul-Token': SecretID });
    await wire.ok('GET operator/raft/configuration');
    const changed = { Name: 'operators', Policies: [] };
    await root.ok(`PUT acl/role/${made.ID}`, { body: changed });
    denied(await wire.ask('GET operator/raft/configuration'));
    expect(await root.ok(`DELETE acl/role/${made.ID}`)).toMatchObject({ text: 'true' });
  });

  testRows(
    () => root,
    [
      ['PUT acl/role: no name is refused', 'PUT acl/role', 400, /[Nn]ame/, {}],
      ['PUT acl/role: unknown members are 400', 'PUT acl/role', 400, /^Request decode failed: /, { Nam: 'x' }],
      ['GET acl/role/: unknown is 404', `GET acl/role/${NONE}`, 404, /./],
      ['GET acl/auth-methods: there are none', 'GET acl/auth-methods', 200, []],
      ['GET acl/binding-rules: there are none', 'GET acl/binding-rules', 200, []],
      ['GET acl/replication: is off', 'GET acl/replication', 200, expect.objectContaining({ Enabled: false })],
    ],
  );

  test.each(['POST acl/login', 'POST acl/logout', 'GET acl/templated-policies'])('%s: is answered', async (call) => {
    const reply = await root.ask(call, call.startsWith('POST') ? { body: {} } : {});
    expect([200, 400, 401, 403, 404, 500, 501]).toContain(reply.status);
    expect(reply.text).not.toBe('');
  });
});

/** What is asked, and the rules without and with which it is allowed. */
const NEEDS: readonly (readonly [call: string, rule: string, weaker: string, body?: unknown])[] = [
  ['GET kv/a/1', 'key "a/1" { policy = "read" }', 'key "a/1" { policy = "deny" }'],
  ['GET kv/a/1', 'key_prefix "" { policy = "read" }', 'key_prefix "b" { policy = "write" }'],
  ['PUT kv/a/1', 'key "a/1" { policy = "write" }', 'key_prefix "a/" { policy = "list" }', 'v'],
  ['DELETE kv/none/1', 'key_prefix "none/" { policy = "write" }', 'key_prefix "none/" { policy = "read" }'],
  [
    'DELETE kv/none/?recurse',
    'key_prefix "none/" { policy = "write" }',
    'key_prefix "none/" { policy = "write" } key "none/x" { policy = "read" }',
  ],
  [
    'PUT agent/service/register',
    'service "new" { policy = "write" }',
    'service "new" { policy = "read" }',
    { Name: 'new' },
  ],
  [
    'PUT agent/service/deregister/new',
    'service_prefix "n" { policy = "write" }',
    'service_prefix "m" { policy = "write" }',
  ],
  [
    'PUT agent/service/maintenance/web?enable=false',
    'service "web" { policy = "write" }',
    'node "n1" { policy = "write" }',
  ],
  [
    'PUT agent/check/register',
    'node "n1" { policy = "write" }',
    'node "n1" { policy = "read" }',
    { Name: 'of-node', TTL: '1h' },
  ],
  ['PUT agent/check/pass/of-node', 'node_prefix "n" { policy = "write" }', 'service_prefix "" { policy = "write" }'],
  ['PUT agent/check/pass/web-check', 'service "web" { policy = "write" }', 'node_prefix "" { policy = "write" }'],
  ['PUT agent/check/deregister/of-node', 'node "n1" { policy = "write" }', 'service_prefix "" { policy = "write" }'],
  [
    'PUT session/create',
    'session "n1" { policy = "write" }',
    'session "n1" { policy = "read" }',
    { TTL: '1h', Checks: [] },
  ],
  ['PUT event/fire/deploy', 'event "deploy" { policy = "write" }', 'event "deploy" { policy = "read" }'],
  [
    'POST query',
    'query "named" { policy = "write" } service "web" { policy = "read" }',
    'query "named" { policy = "read" }',
    { Name: 'named', Service: { Service: 'web' } },
  ],
  ['GET agent/self', 'agent "n1" { policy = "read" }', 'node_prefix "" { policy = "write" }'],
  ['GET agent/metrics', 'agent_prefix "" { policy = "read" }', 'operator = "write"'],
  ['GET agent/metrics/stream', 'agent_prefix "" { policy = "read" }', 'operator = "write"'],
  ['GET agent/host', 'operator = "read"', 'agent_prefix "" { policy = "write" }'],
  ['PUT agent/reload', 'agent "n1" { policy = "write" }', 'agent "n1" { policy = "read" }'],
  ['PUT agent/join/127.0.0.1', 'agent "n1" { policy = "write" }', 'agent "n1" { policy = "read" }'],
  ['PUT agent/token/agent', 'agent "n1" { policy = "write" }', 'agent "n1" { policy = "read" }', { Token: '' }],
  ['PUT agent/force-leave/n1', 'operator = "write"', 'operator = "read" agent_prefix "" { policy = "write" }'],
  ['PUT agent/maintenance?enable=false', 'node "n1" { policy = "write" }', 'agent_prefix "" { policy = "write" }'],
  ['GET operator/raft/configuration', 'operator = "read"', 'acl = "write"'],
  ['GET operator/autopilot/configuration', 'operator = "read"', 'agent_prefix "" { policy = "write" }'],
  ['PUT operator/autopilot/configuration', 'operator = "write"', 'operator = "read"', {}],
  ['GET operator/keyring', 'keyring = "read"', 'acl = "write"'],
  ['GET acl/tokens', 'acl = "read"', 'operator = "write"'],
  ['GET acl/policies', 'acl = "read"', 'operator = "write"'],
  ['PUT acl/policy', 'acl = "write"', 'acl = "read"', { Name: 'by-client' }],
  ['GET snapshot', 'acl = "write"', 'acl = "read" operator = "write"'],
  [
    'PUT catalog/register',
    'node "ext" { policy = "write" }',
    'node "ext" { policy = "read" }',
    { Node: 'ext', Address: '10.0.0.1' },
  ],
  ['PUT catalog/deregister', 'node "ext" { policy = "write" }', 'node "ext" { policy = "read" }', { Node: 'ext' }],
];

describe('needs', () => {
  test.each(NEEDS.map((need) => [need[0], need] as const))(
    '%s: http 13: needs its rule',
    async (_, [call, rule, weaker, body]) => {
      const options = body === undefined ? {} : { body };
      denied(await nobody.ask(call, options));
      using weak = await client(weaker);
      denied(await weak.ask(call, options));
      using strong = await client(rule);
      const stop = AbortSignal.timeout(call.endsWith('stream') ? 300 : 10_000);
      if (call.endsWith('stream'))
        await expect(strong.ask(call, { ...options, signal: stop })).rejects.toThrow(/abort/i);
      else await strong.ok(call, options);
    },
  );

  test.each([
    'PUT agent/leave',
    'GET agent/monitor',
    'PUT snapshot',
    'PUT coordinate/update',
    'PUT operator/keyring',
    'DELETE operator/raft/peer?id=x',
    'POST operator/raft/transfer-leader',
    'PUT acl/role',
    'DELETE acl/policy/x',
  ])('%s: http 13: is denied to who has no token', async (call) => {
    denied(await nobody.ask(call, call === 'PUT coordinate/update' ? { body: { Node: 'n1', Coord: {} } } : {}));
  });

  test('PUT session/destroy/, PUT session/renew/: http 13: need session:write of its node', async () => {
    const { ID } = await root.json<Named>('PUT session/create', { body: { TTL: '1h', Checks: [] } });
    denied(await nobody.ask(`PUT session/renew/${ID}`));
    denied(await nobody.ask(`PUT session/destroy/${ID}`));
    expect(await nobody.json(`GET session/info/${ID}`)).toEqual([]);
    using wire = await client('session "n1" { policy = "write" }');
    await wire.ok(`PUT session/renew/${ID}`);
    await wire.ok(`PUT session/destroy/${ID}`);
  });

  test.each(['GET status/leader', 'GET status/peers', 'GET catalog/datacenters'])(
    '%s: http 13: needs nothing',
    async (call) => {
      await nobody.ok(call);
    },
  );

  test('http 13: a denial names token, permission and what it was for', async () => {
    const made = await token();
    const reply = await nobody.ask('PUT kv/foo', { headers: { 'X-Consul-Token': made.SecretID }, body: 'v' });
    expect(reply.text).toBe(
      `Permission denied: token with AccessorID '${made.AccessorID}' lacks permission 'key:write' on "foo"`,
    );
  });

  const idsOf = async (wire: Wire, call: string): Promise<string[]> => {
    const answer = await wire.json<unknown>(call);
    if (!Array.isArray(answer)) return Object.keys(answer as object).toSorted();
    const name = (row: Row): unknown => row.Key ?? row.ServiceID ?? row.ID ?? row.Node;
    return answer.map((row) => (typeof row === 'string' ? row : String(name(row as Row)))).toSorted();
  };
  const NODE = 'node_prefix "" { policy = "read" }';
  const WEB = 'service "web" { policy = "read" }';
  test.each([
    ['GET kv/?recurse', ['key_prefix "a/" { policy = "read" }'], ['a/1', 'a/2']],
    ['GET kv/?keys', ['key "b/1" { policy = "read" }'], ['b/1']],
    ['GET kv/a/?keys', ['key_prefix "a/" { policy = "read" } key "a/2" { policy = "deny" }'], ['a/1']],
    ['GET catalog/services', [WEB, NODE], ['web']],
    ['GET catalog/services', [NODE], []],
    ['GET catalog/service/web', [WEB], []],
    ['GET catalog/service/db', [WEB, NODE], []],
    ['GET catalog/nodes', [WEB], []],
    ['GET health/checks/db', [WEB, NODE], []],
    ['GET agent/services', [WEB], ['web']],
    ['GET agent/checks', [WEB], ['web-check']],
    ['GET agent/services', [NODE], []],
    ['GET agent/members', [WEB], []],
    ['GET event/list', [NODE], []],
    ['GET session/list', [NODE], []],
    ['GET query', [NODE], []],
    ['GET coordinate/nodes', [WEB], []],
  ] as const)('%s: http 13: is narrowed by %j', async (call, rules, wanted) => {
    using wire = await client(...rules);
    expect(await idsOf(wire, call)).toEqual(wanted);
  });

  test('http 13: a list from which something was taken says so to who gave a token', async () => {
    using wire = await client(WEB);
    const header = 'x-consul-results-filtered-by-acls';
    expect((await wire.ok('GET catalog/nodes')).headers[header]).toBe('true');
    expect((await nobody.ok('GET catalog/nodes')).headers[header]).toBeUndefined();
    expect((await root.ok('GET catalog/nodes')).headers[header]).toBeUndefined();
    expect((await root.ok('GET catalog/nodes')).headers['x-consul-default-acl-policy']).toBe('deny');
  });

  test('http 13: enable_key_list_policy asks list of a prefix', async () => {
    const acl = {
      enabled: true,
      default_policy: 'deny',
      enable_key_list_policy: true,
      tokens: { initial_management: ROOT },
    };
    await using other = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'lists', acl } });
    using there = new Wire(other.url, { 'X-Consul-Token': ROOT });
    await there.ok('PUT kv/a/1', { body: 'v' });
    for (const [level, status] of [
      ['read', 403],
      ['list', 200],
      ['write', 200],
    ] as const) {
      const body = { Name: `p-${level}`, Rules: `key_prefix "a/" { policy = "${level}" }` };
      const { Name } = await there.json<Row>('PUT acl/policy', { body });
      const { SecretID } = await there.json<Token>('PUT acl/token', { body: { Policies: [{ Name }] } });
      for (const call of ['GET kv/a/?recurse', 'GET kv/a/?keys'])
        expect((await there.ask(call, { headers: { 'X-Consul-Token': SecretID } })).status, level).toBe(status);
    }
  });
});

describe('rules', () => {
  const level = async (rules: readonly string[], key: string): Promise<string> => {
    using wire = await client(...rules);
    const put = (await wire.ask(`PUT kv/${key}`, { body: 'v' })).status;
    return put === 200 ? 'write' : (await wire.ask(`GET kv/${key}`)).status === 403 ? 'deny' : 'read';
  };
  const rule = (kind: string, selector: string, policyOf: string): string =>
    `${kind} "${selector}" { policy = "${policyOf}" }`;

  test.each([
    [
      'an exact rule over a longer prefix',
      [`${rule('key', 'r/a', 'read')} ${rule('key_prefix', 'r/', 'write')}`],
      'r/a',
      'read',
    ],
    [
      'the longest prefix',
      [`${rule('key_prefix', 'r/', 'write')} ${rule('key_prefix', 'r/a', 'deny')}`],
      'r/ab',
      'deny',
    ],
    [
      'a shorter prefix elsewhere',
      [`${rule('key_prefix', 'r/', 'write')} ${rule('key_prefix', 'r/a', 'deny')}`],
      'r/b',
      'write',
    ],
    ['the default where no rule speaks', [rule('key', 'r/a', 'write')], 'r/b', 'deny'],
    ['an exact rule is no prefix', [rule('key', 'r', 'write')], 'r/a', 'deny'],
    ['deny over write', [rule('key', 'r/a', 'write'), rule('key', 'r/a', 'deny')], 'r/a', 'deny'],
    ['write over read', [rule('key_prefix', 'r/', 'read'), rule('key_prefix', 'r/', 'write')], 'r/a', 'write'],
    ['write over list', [rule('key_prefix', 'r/', 'list'), rule('key_prefix', 'r/', 'write')], 'r/a', 'write'],
    ['rules in JSON', ['{"key_prefix":{"r/":{"policy":"read"}},"operator":"read"}'], 'r/a', 'read'],
    ['rules in JSON with a list', ['{"key":[{"r/a":{"policy":"write"}}]}'], 'r/a', 'write'],
  ])('http 13: %s', async (_, rules, key, wanted) => {
    expect(await level(rules, key)).toBe(wanted);
  });

  test.each([
    [
      'a service identity writes its service',
      { ServiceIdentities: [{ ServiceName: 'idt' }] },
      'PUT agent/service/register',
      { Name: 'idt' },
      200,
    ],
    [
      'a service identity writes its sidecar',
      { ServiceIdentities: [{ ServiceName: 'idt' }] },
      'PUT agent/service/register',
      { Name: 'idt-sidecar-proxy' },
      200,
    ],
    [
      'a service identity writes no other',
      { ServiceIdentities: [{ ServiceName: 'idt' }] },
      'PUT agent/service/register',
      { Name: 'other' },
      403,
    ],
    [
      'a service identity of another datacenter is worth nothing',
      { ServiceIdentities: [{ ServiceName: 'idt', Datacenters: ['dc2'] }] },
      'PUT agent/service/register',
      { Name: 'idt' },
      403,
    ],
    [
      'a node identity writes its node',
      { NodeIdentities: [{ NodeName: 'n1', Datacenter: 'dc1' }] },
      'PUT agent/check/register',
      { Name: 'x', TTL: '1h' },
      200,
    ],
    [
      'a node identity writes no service',
      { NodeIdentities: [{ NodeName: 'n1', Datacenter: 'dc1' }] },
      'PUT agent/service/register',
      { Name: 'other' },
      403,
    ],
  ])('http 13: %s', async (_, identity, call, body, status) => {
    const { SecretID } = await token(identity);
    expect(await nobody.ask(call, { body, headers: { 'X-Consul-Token': SecretID } })).toMatchObject({ status });
  });

  test('http 13: identities read all services and nodes', async () => {
    for (const identity of [
      { ServiceIdentities: [{ ServiceName: 'idt' }] },
      { NodeIdentities: [{ NodeName: 'n1', Datacenter: 'dc1' }] },
    ]) {
      using wire = new Wire(agent.url, { 'X-Consul-Token': (await token(identity)).SecretID });
      expect(await wire.json('GET catalog/services')).toHaveProperty('db');
    }
  });

  test('http 13: what the anonymous token may, everybody may', async () => {
    const { ID } = await policy('key_prefix "open/" { policy = "read" }');
    await root.ok('PUT kv/open/1', { body: 'v' });
    denied(await nobody.ask('GET kv/open/1'));
    await root.ok(`PUT acl/token/${ANONYMOUS}`, { body: { Policies: [{ ID }] } });
    await nobody.ok('GET kv/open/1');
    await nobody.ok('GET kv/open/1?token=anonymous');
  });
});

describe('configuration', () => {
  test('PUT agent/token/: sets the token of who gives none; an unknown name is 404', async () => {
    const { SecretID } = await token({ Policies: [MANAGEMENT] });
    denied(await nobody.ask('GET agent/self'));
    await root.ok('PUT agent/token/default', { body: { Token: SecretID } });
    await nobody.ok('GET agent/self');
    await root.ok('PUT agent/token/acl_token', { body: { Token: '' } });
    denied(await nobody.ask('GET agent/self'));
    const reply = await root.ask('PUT agent/token/none', { body: { Token: 'x' } });
    expect(reply).toMatchObject({ status: 404, text: 'Token "none" is unknown' });
    expect((await root.ask('PUT agent/token/default', { body: '{' })).status).toBe(400);
  });

  test.each([
    [
      'acl_datacenter, acl_master_token, acl_default_policy',
      { acl_datacenter: 'dc1', acl_master_token: ROOT, acl_default_policy: 'deny' },
    ],
    [
      'tokens.master',
      {
        primary_datacenter: 'dc1',
        acl: { enabled: true, default_policy: 'deny', tokens: { master: ROOT, agent_master: NONE } },
      },
    ],
  ])('http 13: the old spellings %s', async (_, configuration) => {
    await using old = await ConsulAgent.start({
      flags: ['-dev'],
      configuration: { node_name: 'old', ...configuration },
    });
    using wire = new Wire(old.url);
    denied(await wire.ask('PUT kv/a', { body: 'v' }));
    await wire.ok('PUT kv/a', { body: 'v', headers: { 'X-Consul-Token': ROOT } });
  });

  test('http 13: acl_token is the token of who gives none', async () => {
    const acl = { acl_datacenter: 'dc1', acl_master_token: ROOT, acl_default_policy: 'deny', acl_token: ROOT };
    await using old = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'old', ...acl } });
    using wire = new Wire(old.url);
    await wire.ok('PUT kv/a', { body: 'v' });
  });

  test('http 13: default_policy allow lets everything through that no rule denies, but acl and tokens', async () => {
    const acl = { enabled: true, default_policy: 'allow', tokens: { initial_management: ROOT } };
    await using open = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'open', acl } });
    using wire = new Wire(open.url);
    await wire.ok('PUT kv/a', { body: 'v' });
    expect((await wire.ok('GET kv/a')).headers['x-consul-default-acl-policy']).toBe('allow');
    denied(await wire.ask('GET acl/tokens'));
    denied(await wire.ask('PUT acl/policy', { body: { Name: 'x' } }));
    denied(await wire.ask('GET snapshot'));
  });
});
