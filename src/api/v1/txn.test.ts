import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';
import { accessByRules } from './testing-access.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ nodes: [{ name: 'n2', services: ['web'], checks: { disk: 'passing' } }] });
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => api.ask('DELETE', '/v1/kv/?recurse'));

const b64 = (text: string): string => Buffer.from(text).toString('base64');
const run = (ops: unknown, query = ''): Promise<TestReply> => api.ask('PUT', `/v1/txn${query}`, { body: ops });
const kv = (Verb: string, Key: string, rest: object = {}): object => ({ KV: { Verb, Key, ...rest } });
const set = (key: string, text: string, rest: object = {}): object => kv('set', key, { Value: b64(text), ...rest });

async function entry(key: string): Promise<Record<string, unknown>> {
  return ((await api.ask('GET', `/v1/kv/${key}`)).json as [Record<string, unknown>])[0];
}

async function errorsOf(ops: unknown): Promise<string[]> {
  const reply = await run(ops);
  expect([reply.status, reply.headers['content-type']], reply.text).toEqual([409, 'application/json']);
  const { Results, Errors } = reply.json as { Results: null; Errors: { OpIndex: number; What: string }[] };
  expect(Results).toBeNull();
  return Errors.map(({ OpIndex, What }) => `${OpIndex} ${What}`);
}

async function session(body: object = {}): Promise<string> {
  return ((await api.ask('PUT', '/v1/session/create', { body: { Checks: [], ...body } })).json as { ID: string }).ID;
}

test('sets, gets and deletes are one revision; later operations see earlier ones', async () => {
  const reply = await run([
    set('a', '1', { Flags: 7 }),
    kv('get', 'a'),
    set('b/x', '2'),
    kv('get-tree', 'b/'),
    kv('delete', 'a'),
    kv('check-not-exists', 'a'),
    kv('get-or-empty', 'none'),
  ]);
  expect(reply.status, reply.text).toBe(200);
  const { ModifyIndex: index } = await entry('b/x');
  expect(reply.headers['x-drover-revision']).toBe(String(index));
  const indexes = { CreateIndex: index, ModifyIndex: index };
  const a = { LockIndex: 0, Key: 'a', Flags: 7, ...indexes };
  const b = { LockIndex: 0, Key: 'b/x', Flags: 0, ...indexes };
  expect(reply.json).toEqual({
    Results: [
      { KV: { ...a, Value: null } },
      { KV: { ...a, Value: 'MQ==' } },
      { KV: { ...b, Value: null } },
      { KV: { ...b, Value: 'Mg==' } },
      { KV: { LockIndex: 0, Key: 'none', Flags: 0, Value: null, CreateIndex: 0, ModifyIndex: 0 } },
    ],
    Errors: null,
  });
  expect((await api.ask('GET', '/v1/kv/a')).status).toBe(404);
});

test("Go's lock flag keeps every digit, in and out", async () => {
  const body = `[{"KV":{"Verb":"set","Key":"f","Value":"eA==","Flags":3304740253564472344}},{"KV":{"Verb":"get","Key":"f"}}]`;
  const reply = await api.ask('PUT', '/v1/txn', { body });
  expect(reply.text.match(/"Flags":3304740253564472344/g)).toHaveLength(2);
  const largest = body.replace('3304740253564472344', '18446744073709551615');
  expect((await api.ask('PUT', '/v1/txn', { body: largest })).text).toContain('"Flags":18446744073709551615');
  for (const flags of ['18446744073709551616', '-1', '1.5', '"7"']) {
    const refused = await api.ask('PUT', '/v1/txn', { body: body.replace('3304740253564472344', flags) });
    expect([refused.status, refused.text.startsWith('Failed to parse body: ')], flags).toEqual([400, true]);
  }
});

test('every error of every operation is told, and nothing is written', async () => {
  const id = await session();
  await run([set('a', '1'), kv('lock', 'l', { Session: id })]);
  const { ModifyIndex } = await entry('a');
  const errors = await errorsOf([
    set('new', '1'),
    kv('get', 'none'),
    kv('check-not-exists', 'a'),
    kv('cas', 'a', { Index: 1 }),
    kv('delete-cas', 'a', { Index: 1 }),
    kv('lock', 'l', { Session: await session() }),
    kv('unlock', 'l', { Session: 'other' }),
    kv('check-index', 'a', { Index: 4 }),
    kv('check-index', 'none', { Index: 4 }),
    kv('check-session', 'l', { Session: 'b' }),
    kv('check-session', 'none', { Session: 'b' }),
    kv('lock', 'x'),
    kv('unlock', 'x'),
    kv('lock', 'x', { Session: 'x' }),
    kv('frobnicate', 'x'),
    kv('set', ''),
    {},
    { Node: { Verb: 'get', Node: { Node: 'none' } } },
    { Session: { Verb: 'create', Session: { ID: 'x' } } },
  ]);
  expect(errors).toEqual([
    `1 key "none" doesn't exist`,
    '2 key "a" exists',
    '3 failed to set key "a", index is stale',
    '4 failed to delete key "a", index is stale',
    '5 failed to lock key "l", lock is already held',
    `6 failed to unlock key "l", lock isn't held, or is held by another session`,
    `7 failed index check for key "a", current modify index ${ModifyIndex as number} != 4`,
    `8 failed to check index, key "none" doesn't exist`,
    `9 failed session check for key "l", current session "${id}" != "b"`,
    `10 failed to check session, key "none" doesn't exist`,
    '11 missing session',
    '12 missing session',
    '13 invalid session "x"',
    '14 unknown KV verb "frobnicate"',
    '15 Must provide key',
    '16 no operation specified',
    `17 node "none" doesn't exist`,
    '18 unknown Session verb "create"',
  ]);
  expect((await api.ask('GET', '/v1/kv/new')).status).toBe(404);
  expect(await errorsOf([kv('lock', 'g'), kv('get', 'g')])).toEqual(['0 missing session', `1 key "g" doesn't exist`]);
});

test('locks: Session and LockIndex are filled in; cas, checks and unlock go on from there', async () => {
  const id = await session();
  const locked = await run([
    kv('lock', 'l', { Session: id, Value: b64('x') }),
    kv('check-session', 'l', { Session: id }),
  ]);
  const result = { KV: expect.objectContaining({ Session: id, LockIndex: 1, Value: null }) as unknown };
  expect(locked.json).toEqual({ Results: [result, result], Errors: null });
  const { ModifyIndex } = await entry('l');
  const index = { Index: ModifyIndex };
  const next = await run([kv('check-index', 'l', index), kv('cas', 'l', index), kv('unlock', 'l', { Session: id })]);
  expect(next.status, next.text).toBe(200);
  expect(await entry('l')).not.toHaveProperty('Session');
  await run([kv('lock', 'l', { Session: id })]);
  await api.ask('PUT', `/v1/session/destroy/${id}`);
  expect(await errorsOf([kv('lock', 'l', { Session: await session() })])).toEqual([
    '0 failed to lock key "l" due to lock delay',
  ]);
});

test('delete-tree takes what is there and what was set before it; what is set after it stays', async () => {
  await run([set('t/1', '1'), set('t/2', '2'), set('u', '3')]);
  const reply = await run([set('t/3', '3'), kv('delete-tree', 't/'), kv('get-tree', 't/')]);
  expect(reply.json).toEqual({ Results: [{ KV: expect.objectContaining({ Key: 't/3' }) as unknown }], Errors: null });
  expect((await api.ask('GET', '/v1/kv/?keys')).json).toEqual(['u']);
  await run([set('t/1', '1'), set('t/2', '2')]);
  await run([kv('delete-tree', 't/'), set('t/2', 'again')]);
  expect((await api.ask('GET', '/v1/kv/?keys')).json).toEqual(['t/2', 'u']);
});

test('a session that is deleted gives free what it holds, in the same revision', async () => {
  const id = await session({ Behavior: 'delete' });
  await run([kv('lock', 'l', { Session: id })]);
  const reply = await run([{ Session: { Verb: 'delete', Session: { ID: id } } }, kv('check-not-exists', 'l')]);
  expect(reply.json).toEqual({ Results: [], Errors: null });
  expect((await api.ask('GET', `/v1/session/info/${id}`)).json).toEqual([]);
});

test('128 operations fit whatever they are, and 129 are refused', async () => {
  const id = await session({ Behavior: 'delete', LockDelay: '0s' });
  const many = (verb: string, rest: object = {}): object[] =>
    Array.from({ length: 128 }, (_, n) => kv(verb, `m/${n}`, { Value: b64(`${n}`), Session: id, ...rest }));
  for (const verb of ['lock', 'set', 'get', 'delete']) {
    const reply = await run(many(verb));
    expect(reply.status, `${verb}: ${reply.text}`).toBe(200);
  }
  expect((await api.ask('GET', '/v1/kv/?keys')).json).toEqual([]);
  const reply = await run([...many('get'), kv('get', 'x')]);
  expect([reply.status, reply.text]).toEqual([413, 'Transaction contains too many operations (129 > 128)']);
});

test('what is too large is 413 with what it is', async () => {
  const value = Buffer.alloc(524_289).toString('base64');
  const body = await run([kv('set', 'k', { Value: value })]);
  expect([body.status, body.text]).toEqual([413, 'Request body too large, max size: 524288 bytes']);
  await using small = await startTestApi({ http: { ...api.context.http, valueBytes: 3 } });
  const long = await small.ask('PUT', '/v1/txn', { body: [set('k', '1234')] });
  expect([long.status, long.text]).toEqual([413, 'Value for key "k" is too large (4 > 3 bytes)']);
});

test.each([
  ['', 'EOF'],
  ['{', 'it is not valid JSON'],
  ['{}', 'expected a list of operations'],
  ['[1]', 'operation: expected an object'],
  ['[{"KV":1}]', 'kv: expected an object'],
  ['[{"KV":{"Verb":"set","Key":"a","Value":"%"}}]', 'illegal base64 data in a value'],
  ['[{"KV":{"Verb":"set","Key":"../a"}}]', 'a key has a ".." segment'],
  ['[{"KV":{"Verb":"set","Key":"a","Index":-1}}]', 'index: expected a whole number of 64 bits'],
  ['['.repeat(100), 'it is not valid JSON'],
])('body %j is 400', async (body, why) => {
  const reply = await api.ask('PUT', '/v1/txn', { body });
  expect([reply.status, reply.text]).toEqual([400, `Failed to parse body: ${why}`]);
});

test('an empty list is done; keys and members in any case are taken', async () => {
  expect((await run([])).json).toEqual({ Results: [], Errors: null });
  expect((await run([{ kv: { verb: 'set', key: 'a', value: b64('1') } }])).status).toBe(200);
  expect(await entry('a')).toMatchObject({ Value: 'MQ==' });
});

test('one that only reads has the headers of a read and no index, and takes ?stale and ?consistent', async () => {
  await run([set('a', '1')]);
  for (const [query, consistency] of [
    ['', 'leader'],
    ['?stale', 'stale'],
    ['?consistent', 'consistent'],
  ] as const) {
    const { headers, status } = await run([kv('get', 'a')], query);
    expect([status, headers['x-consul-effective-consistency']]).toEqual([200, consistency]);
    expect(headers).toMatchObject({ 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' });
    expect(headers).not.toHaveProperty('x-consul-index');
  }
  expect((await run([kv('get', 'a')], '?stale&consistent')).status).toBe(400);
});

test('nodes, services and checks: set, cas, get and delete, together with keys', async () => {
  const node = (Verb: string, rest: object = {}): object => ({ Node: { Verb, Node: { Node: 'x', ...rest } } });
  const service = (Verb: string, rest: object = {}): object => ({
    Service: { Verb, Node: 'x', Service: { ID: 'db1', Service: 'db', Port: 5432, ...rest } },
  });
  const check = (Verb: string, rest: object = {}): object => ({
    Check: { Verb, Check: { Node: 'x', CheckID: 'c', Name: 'c', Status: 'passing', ServiceID: 'db1', ...rest } },
  });
  const made = await run([node('set', { Address: '10.0.0.5' }), service('set'), check('set'), set('k', '1')]);
  expect(made.status, made.text).toBe(200);
  const index = Number(made.headers['x-drover-revision']);
  expect(made.json).toMatchObject({
    Results: [
      { Node: { Node: 'x', Address: '10.0.0.5', CreateIndex: index, ModifyIndex: index } },
      { Service: { ID: 'db1', Service: 'db', Port: 5432, ModifyIndex: index } },
      { Check: { Node: 'x', CheckID: 'c', Status: 'passing', ServiceName: 'db', ModifyIndex: index } },
      { KV: { Key: 'k', ModifyIndex: index } },
    ],
  });
  expect((await api.ask('GET', '/v1/health/service/db?passing')).json).toHaveLength(1);
  expect(
    await errorsOf([node('cas', { ModifyIndex: 1 }), service('cas'), check('delete-cas', { ModifyIndex: 1 })]),
  ).toEqual([
    '0 failed to set node "x", index is stale',
    '1 failed to set service "db1" on node "x", index is stale',
    '2 failed to delete check "c" on node "x", index is stale',
  ]);
  const next = await run([service('cas', { Port: 1, ModifyIndex: index }), service('get'), node('get'), check('get')]);
  expect(next.json).toMatchObject({ Results: [{ Service: { Port: 1 } }, { Service: { Port: 1 } }, { Node: {} }, {}] });
  const gone = await run([check('delete'), service('delete'), node('delete')]);
  expect(gone.json).toEqual({ Results: [], Errors: null });
  expect(await errorsOf([node('get'), service('get'), check('get'), service('set'), check('set')])).toEqual([
    `0 node "x" doesn't exist`,
    `1 service "db1" on node "x" doesn't exist`,
    `2 check "c" on node "x" doesn't exist`,
    '3 Missing node registration',
    '4 Missing node registration',
  ]);
  expect(await errorsOf([{ Check: { Verb: 'set', Check: { Node: 'n2', Name: 'c', ServiceID: 'none' } } }])).toEqual([
    '0 Missing service registration',
  ]);
  const verbs = await errorsOf([node('x'), service('x'), check('x')]);
  expect(verbs).toEqual(['0 unknown Node verb "x"', '1 unknown Service verb "x"', '2 unknown Check verb "x"']);
});

test('tokens: each operation that may not be is told, gets are filtered', async () => {
  const access = accessByRules('key_prefix "a/" { policy = "write" } key "r" { policy = "read" }');
  await using closed = await startTestApi({ access });
  for (const key of ['a/1', 'r', 'b']) await closed.context.kvWrites.put(key, Buffer.from('v'));
  const ask = (body: unknown): Promise<TestReply> => closed.ask('PUT', '/v1/txn', { body });
  const denied = await ask([
    set('a/2', '1'),
    set('r', '1'),
    kv('check-index', 'b', { Index: 1 }),
    kv('delete-tree', ''),
    { Node: { Verb: 'set', Node: { Node: 'x', Address: '10.0.0.1' } } },
    { Service: { Verb: 'set', Node: 'n1', Service: { Service: 'web' } } },
    { Check: { Verb: 'set', Check: { Node: 'n1', Name: 'c' } } },
  ]);
  expect(denied.status).toBe(409);
  const { Errors } = denied.json as { Errors: { OpIndex: number; What: string }[] };
  expect(Errors.map((one) => one.OpIndex)).toEqual([1, 2, 3, 4, 5, 6]);
  for (const { What } of Errors) expect(What).toMatch(/^Permission denied: token with AccessorID 'tester'/);
  const read = await ask([kv('get', 'b'), kv('get', 'r'), kv('get-tree', '')]);
  const { Results } = read.json as { Results: { KV: { Key: string } }[] };
  expect(Results.map((one) => one.KV.Key)).toEqual(['r', 'a/1', 'r']);
});
