import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ConsulAgent } from './consul-agent.ts';
import { testRows, Wire, type WireReply } from './consul-wire.ts';

/** Transactions: consul-http-api 5. */

let agent: ConsulAgent;
let wire: Wire;
let session = '';
beforeAll(async () => {
  agent = await ConsulAgent.start({ flags: ['-server'], configuration: { node_name: 'n1' } });
  wire = new Wire(agent.url);
  ({ ID: session } = await wire.json<{ ID: string }>('PUT session/create', { body: { LockDelay: '0s', Checks: [] } }));
});
afterAll(async () => {
  wire?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
});

type Op = Readonly<Record<string, unknown>>;
interface Outcome {
  readonly Results: readonly Record<string, Record<string, unknown>>[] | null;
  readonly Errors: readonly { readonly OpIndex: number; readonly What: string }[] | null;
}

const txn = (ops: readonly Op[], query = ''): Promise<WireReply> => wire.ask(`PUT txn${query}`, { body: ops });
const kv = (Verb: string, Key: string, rest: Op = {}): Op => ({ KV: { Verb, Key, ...rest } });
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const value = async (key: string): Promise<string | undefined> => {
  const reply = await wire.ask(`GET kv/${key}?raw`);
  return reply.status === 404 ? undefined : reply.text;
};
const indexOf = async (key: string): Promise<number> => (await wire.ok(`GET kv/${key}`)).index;

/** What of them is told: `Results` and `Errors` are always both there. */
async function outcome(ops: readonly Op[]): Promise<Outcome & { readonly status: number }> {
  const reply = await txn(ops);
  const { Results, Errors } = reply.json<Outcome>();
  return { status: reply.status, Results, Errors };
}

async function problems(ops: readonly Op[]): Promise<readonly string[]> {
  const { status, Results, Errors } = await outcome(ops);
  expect([status, Results]).toEqual([409, null]);
  return (Errors ?? []).map(({ OpIndex, What }) => `${OpIndex}: ${What}`);
}

async function results(ops: readonly Op[]): Promise<readonly Record<string, Record<string, unknown>>[]> {
  const { status, Results, Errors } = await outcome(ops);
  expect({ status, Errors }).toEqual({ status: 200, Errors: null });
  return Results ?? [];
}

describe('keys', () => {
  beforeEach(async () => {
    await wire.ok('DELETE kv/t/?recurse');
    await wire.ok('PUT kv/t/a?flags=7', { body: 'A' });
    await wire.ok('PUT kv/t/b', { body: 'B' });
  });

  test('PUT txn: set tells the entry without its value, get with it', async () => {
    const set = { Value: b64('new'), Flags: 42 };
    const [first, second] = await results([kv('set', 't/new', set), kv('get', 't/new')]);
    const told = {
      LockIndex: 0,
      Key: 't/new',
      Flags: 42,
      CreateIndex: expect.any(Number),
      ModifyIndex: expect.any(Number),
    };
    expect(first).toEqual({ KV: { ...told, Value: null } });
    expect(second).toEqual({ KV: { ...told, Value: b64('new') } });
    expect(await value('t/new')).toBe('new');
  });

  test('PUT txn: flags keep all 64 bits', async () => {
    const body = `[{"KV":{"Verb":"set","Key":"t/f","Value":"","Flags":3304740253564472344}}]`;
    expect((await wire.ok('PUT txn', { body })).text).toContain('"Flags":3304740253564472344,');
    expect((await wire.ok('GET kv/t/f')).text).toContain('"Flags":3304740253564472344,');
  });

  test('PUT txn: later operations see what earlier ones wrote; check-not-exists has no entry to tell', async () => {
    const found = await results([
      kv('set', 't/x', { Value: b64('1') }),
      kv('get', 't/x'),
      kv('delete', 't/x'),
      kv('check-not-exists', 't/x'),
      kv('get-or-empty', 't/x'),
    ]);
    expect(found.map(({ KV }) => KV?.['Value'])).toEqual([null, b64('1'), null]);
    expect(await value('t/x')).toBeUndefined();
  });

  test('PUT txn: delete, delete-cas and delete-tree tell nothing', async () => {
    const Index = await indexOf('t/b');
    await wire.ok('PUT kv/t/tree/a', { body: '1' });
    expect(
      await results([kv('delete', 't/a'), kv('delete-cas', 't/b', { Index }), kv('delete-tree', 't/tree/')]),
    ).toEqual([]);
    expect((await wire.ask('GET kv/t/?keys')).status).toBe(404);
  });

  test('PUT txn: get-tree tells one for each key', async () => {
    const found = await results([kv('get-tree', 't/')]);
    expect(found.map(({ KV }) => [KV?.['Key'], KV?.['Value'], KV?.['Flags']])).toEqual([
      ['t/a', b64('A'), 7],
      ['t/b', b64('B'), 0],
    ]);
  });

  test('PUT txn: get-or-empty of what is not there is an entry without a value', async () => {
    const [found] = await results([kv('get-or-empty', 't/none')]);
    expect(found).toEqual({ KV: expect.objectContaining({ Key: 't/none', Value: null }) });
  });

  test('PUT txn: cas at the right index', async () => {
    const Index = await indexOf('t/a');
    const [found] = await results([kv('cas', 't/a', { Value: b64('A2'), Index })]);
    expect(found?.['KV']).toMatchObject({ Key: 't/a', Value: null });
    expect(await value('t/a')).toBe('A2');
  });

  test('PUT txn: cas with index 0 creates', async () => {
    await results([kv('cas', 't/created', { Value: b64('c'), Index: 0 })]);
    expect(await value('t/created')).toBe('c');
  });

  test('PUT txn: lock fills Session and LockIndex, unlock clears the Session', async () => {
    const Value = b64('held');
    const [locked] = await results([kv('lock', 't/l', { Value, Session: session })]);
    expect(locked?.['KV']).toMatchObject({ Session: session, LockIndex: 1, Value: null });
    const [checked] = await results([kv('check-session', 't/l', { Session: session })]);
    expect(checked?.['KV']).toMatchObject({ Key: 't/l', Session: session, Value: null });
    const [unlocked] = await results([kv('unlock', 't/l', { Value, Session: session })]);
    expect(unlocked?.['KV']).toMatchObject({ LockIndex: 1 });
    expect(unlocked?.['KV']).not.toHaveProperty('Session');
  });

  test('PUT txn: checks tell the entry without its value', async () => {
    const Index = await indexOf('t/a');
    const found = await results([kv('check-index', 't/a', { Index }), kv('check-not-exists', 't/none')]);
    expect(found[0]?.['KV']).toMatchObject({ Key: 't/a', ModifyIndex: Index, Value: null });
  });

  test('PUT txn: keys of any case in the body', async () => {
    expect(await results([{ kv: { verb: 'set', key: 't/case', value: b64('x'), FLAGS: 1 } }])).toHaveLength(1);
    expect(await value('t/case')).toBe('x');
  });

  test.each<[string, () => Promise<Op> | Op, string]>([
    ['get', () => kv('get', 't/no'), `key "t/no" doesn't exist`],
    ['check-not-exists', () => kv('check-not-exists', 't/a'), 'key "t/a" exists'],
    ['cas', () => kv('cas', 't/a', { Value: '', Index: 1 }), 'failed to set key "t/a", index is stale'],
    ['delete-cas', () => kv('delete-cas', 't/a', { Index: 1 }), 'failed to delete key "t/a", index is stale'],
    [
      'check-index',
      async () => kv('check-index', 't/a', { Index: (await indexOf('t/a')) + 1 }),
      'failed index check for key "t/a", current modify index INDEX != NEXT',
    ],
    [
      'check-index of none',
      () => kv('check-index', 't/no', { Index: 1 }),
      `failed to check index, key "t/no" doesn't exist`,
    ],
    [
      'check-session',
      () => kv('check-session', 't/a', { Session: session }),
      'failed session check for key "t/a", current session "" != "SESSION"',
    ],
    [
      'check-session of none',
      () => kv('check-session', 't/no', { Session: session }),
      `failed to check session, key "t/no" doesn't exist`,
    ],
    ['cas of none', () => kv('cas', 't/no', { Value: '', Index: 1 }), 'failed to set key "t/no", index is stale'],
    ['no key', () => kv('set', ''), 'Must provide key'],
    ['an unknown verb of a node', () => ({ Node: { Verb: 'x', Node: { Node: 'n1' } } }), 'unknown Node verb "x"'],
    [
      'an unknown verb of a service',
      () => ({ Service: { Verb: 'x', Node: 'n1', Service: { ID: 's' } } }),
      'unknown Service verb "x"',
    ],
    [
      'an unknown verb of a check',
      () => ({ Check: { Verb: 'x', Check: { Node: 'n1', CheckID: 'c' } } }),
      'unknown Check verb "x"',
    ],
    ['an unknown verb of a session', () => ({ Session: { Verb: 'x', Session: {} } }), 'unknown Session verb "x"'],
    ['lock without a session', () => kv('lock', 't/a'), 'missing session'],
    ['lock with another', () => kv('lock', 't/a', { Session: 'nope' }), 'invalid session "nope"'],
    [
      'unlock',
      () => kv('unlock', 't/a', { Session: session }),
      `failed to unlock key "t/a", lock isn't held, or is held by another session`,
    ],
    ['an unknown verb', () => kv('frobnicate', 't/a'), 'unknown KV verb "frobnicate"'],
    ['nothing', () => ({}), 'no operation specified'],
  ])('PUT txn: what fails is 409 with its text: %s', async (_, make, text) => {
    const index = await indexOf('t/a');
    const wanted = text
      .replace('INDEX', String(index))
      .replace('NEXT', String(index + 1))
      .replace('SESSION', session);
    expect(await problems([await make()])).toEqual([`0: ${wanted}`]);
  });

  test('PUT txn: lock that another session holds', async () => {
    const options = { body: { LockDelay: '0s', Checks: [] } };
    const { ID } = await wire.json<{ ID: string }>('PUT session/create', options);
    await results([kv('lock', 't/held', { Session: session, Value: '' })]);
    expect(await problems([kv('lock', 't/held', { Session: ID, Value: '' })])).toEqual([
      '0: failed to lock key "t/held", lock is already held',
    ]);
  });

  test('PUT txn: ends a session, whose keys are free in the same moment', async () => {
    const options = { body: { LockDelay: '0s', Checks: [] } };
    const { ID } = await wire.json<{ ID: string }>('PUT session/create', options);
    await results([kv('lock', 't/mine', { Session: ID, Value: b64('x') })]);
    expect(await results([{ Session: { Verb: 'delete', Session: { ID } } }])).toEqual([]);
    expect(await wire.json(`GET session/info/${ID}`)).toEqual([]);
    expect(await wire.json('GET kv/t/mine')).toEqual([expect.not.objectContaining({ Session: expect.anything() })]);
  });

  test('PUT txn: what is not there can be deleted, and no tree is no error', async () => {
    const ops = [
      kv('delete', 't/no'),
      kv('delete-cas', 't/no', { Index: 3 }),
      kv('delete-tree', 't/no/'),
      kv('get-tree', 't/no/'),
    ];
    expect(await results(ops)).toEqual([]);
  });

  test('PUT txn: all errors are collected, and nothing of it happens', async () => {
    const before = (await wire.ok('GET kv/t/?recurse')).text;
    const wrong = [
      kv('set', 't/a', { Value: b64('changed') }),
      kv('get', 't/no'),
      kv('delete', 't/b'),
      kv('check-not-exists', 't/a'),
    ];
    expect(await problems(wrong)).toEqual([`1: key "t/no" doesn't exist`, '3: key "t/a" exists']);
    expect((await wire.ok('GET kv/t/?recurse')).text).toBe(before);
  });

  test('PUT txn: lock without session and get of nothing are two errors, as the Go client expects', async () => {
    const found = await problems([kv('lock', 't/new-lock', { Value: '' }), kv('get', 't/new-lock')]);
    expect(found).toHaveLength(2);
    expect(found[0]).toContain('missing session');
    expect(found[1]).toContain("doesn't exist");
  });

  test('PUT txn: only gets tell the leader and no index, and heed stale and consistent', async () => {
    for (const query of ['', '?stale', '?consistent']) {
      const { status, headers } = await txn([kv('get', 't/a')], query);
      expect(status).toBe(200);
      expect(headers).toMatchObject({ 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' });
      expect(headers).not.toHaveProperty('x-consul-index');
    }
  });
});

describe('the catalog', () => {
  const NODE = { Node: 'txn-node', Address: '10.1.0.1' };
  const node = (Verb: string, rest: Op = {}): Op => ({ Node: { Verb, Node: { ...NODE, ...rest } } });
  const service = (Verb: string, rest: Op = {}, name = 'txn-node'): Op => ({
    Service: { Verb, Node: name, Service: { ID: 's1', Service: 'web', Port: 80, ...rest } },
  });
  const check = (Verb: string, rest: Op = {}): Op => ({
    Check: { Verb, Check: { Node: 'txn-node', CheckID: 'c1', Name: 'c', Status: 'passing', ...rest } },
  });

  beforeEach(async () => {
    await wire.ok('PUT catalog/deregister', { body: { Node: 'txn-node' } });
  });

  test('PUT txn: a node, its service and its check in one', async () => {
    const found = await results([node('set', { Meta: { a: 'b' } }), service('set'), check('set', { ServiceID: 's1' })]);
    expect(found).toMatchObject([
      { Node: { Node: 'txn-node', Address: '10.1.0.1', Meta: { a: 'b' } } },
      { Service: { ID: 's1', Service: 'web', Port: 80 } },
      { Check: { Node: 'txn-node', CheckID: 'c1', Status: 'passing', ServiceID: 's1' } },
    ]);
    expect(await wire.json('GET health/service/web?passing')).toMatchObject([
      { Node: NODE, Service: { ID: 's1' }, Checks: [{ CheckID: 'c1' }] },
    ]);
  });

  test('PUT txn: get of each', async () => {
    await results([node('set'), service('set'), check('set')]);
    expect(await results([node('get'), service('get'), check('get')])).toMatchObject([
      { Node: { Node: 'txn-node', CreateIndex: expect.any(Number), ModifyIndex: expect.any(Number) } },
      { Service: { ID: 's1', Service: 'web' } },
      { Check: { CheckID: 'c1' } },
    ]);
  });

  test('PUT txn: delete of each tells nothing', async () => {
    await results([node('set'), service('set'), check('set')]);
    expect(await results([check('delete'), service('delete'), node('delete')])).toEqual([]);
    expect((await wire.ok('GET catalog/node/txn-node')).text).toBe('null');
  });

  test('PUT txn: cas and delete-cas of each at the right index', async () => {
    const made = await results([node('set'), service('set'), check('set')]);
    const [n, s, c] = made.map((one) => Object.values(one)[0]?.['ModifyIndex']);
    const written = await results([
      node('cas', { Meta: { x: 'y' }, ModifyIndex: n }),
      service('cas', { Port: 81, ModifyIndex: s }),
      check('cas', { Status: 'warning', ModifyIndex: c }),
    ]);
    expect(written).toMatchObject([
      { Node: { Meta: { x: 'y' } } },
      { Service: { Port: 81 } },
      { Check: { Status: 'warning' } },
    ]);
    const [n2, s2, c2] = written.map((one) => Object.values(one)[0]?.['ModifyIndex']);
    expect(
      await results([
        check('delete-cas', { ModifyIndex: c2 }),
        service('delete-cas', { ModifyIndex: s2 }),
        node('delete-cas', { ModifyIndex: n2 }),
      ]),
    ).toEqual([]);
  });

  test.each<[string, Op, string]>([
    ['node get', node('get'), `node "txn-node" doesn't exist`],
    ['node cas', node('cas', { ModifyIndex: 3 }), 'failed to set node "txn-node", index is stale'],
    ['service get', service('get', {}, 'n1'), `service "s1" on node "n1" doesn't exist`],
    [
      'service cas',
      service('cas', { ModifyIndex: 3 }, 'n1'),
      'failed to set service "s1" on node "n1", index is stale',
    ],
    ['check get', check('get', { Node: 'n1' }), `check "c1" on node "n1" doesn't exist`],
  ])('PUT txn: what fails is 409 with its text: %s', async (_, op, text) => {
    expect(await problems([op])).toEqual([`0: ${text}`]);
  });

  test('PUT txn: a key that fails takes the node with it', async () => {
    expect(await problems([node('set'), kv('get', 'not-there')])).toEqual([`1: key "not-there" doesn't exist`]);
    expect((await wire.ok('GET catalog/node/txn-node')).text).toBe('null');
  });
});

describe('what cannot be', () => {
  const gets = (count: number): Op[] => Array.from({ length: count }, () => kv('get-or-empty', 'none'));
  testRows(
    () => wire,
    [
      ['PUT txn: 128 operations are taken', 'PUT txn', 200, /"Errors":null/, gets(128)],
      ['PUT txn: one more is 413', 'PUT txn', 413, 'Transaction contains too many operations (129 > 128)', gets(129)],
      ['PUT txn: no JSON', 'PUT txn', 400, /^Failed to parse body: ./, '{'],
      ['PUT txn: no body', 'PUT txn', 400, /^Failed to parse body: ./],
      ['PUT txn: no list', 'PUT txn', 400, /^Failed to parse body: ./, {}],
      ['PUT txn: a member that is no object', 'PUT txn', 400, /^Failed to parse body: ./, [1]],
      [
        'PUT txn: a value that is no base64',
        'PUT txn',
        400,
        /^Failed to parse body: ./,
        [kv('set', 'a', { Value: '%' })],
      ],
      [
        'PUT txn: flags that are no number',
        'PUT txn',
        400,
        /^Failed to parse body: ./,
        [kv('set', 'a', { Flags: 'x' })],
      ],
      ['PUT txn: an empty list', 'PUT txn', 200, /"Errors":null/, []],
      ['PUT txn: a key with a .. segment', 'PUT txn', 400, /\.\./, [kv('set', 'a/../b', { Value: '' })]],
      ['PUT txn: an unknown datacenter', 'PUT txn?dc=mars', 500, 'No path to datacenter', []],
      [
        'PUT txn: stale and consistent',
        'PUT txn?stale&consistent',
        400,
        'Cannot specify ?stale with ?consistent, conflicting semantics.',
        gets(1),
      ],
      [
        'PUT txn: a body over the limit',
        'PUT txn',
        413,
        /^Request body too large, max size: \d+ bytes/,
        Buffer.alloc(2_000_000, ' '),
      ],
    ],
  );

  test('PUT txn: a value over the limit of one is 413', async () => {
    const configuration = { node_name: 'n1', limits: { kv_max_value_size: 10, txn_max_req_len: 1_000 } };
    await using small = await ConsulAgent.start({ flags: ['-server'], configuration });
    using other = new Wire(small.url);
    const big = await other.ask('PUT txn', { body: [kv('set', 'k', { Value: b64('0123456789a') })] });
    expect([big.status, big.text]).toEqual([413, 'Value for key "k" is too large (11 > 10 bytes)']);
    const long = await other.ask('PUT txn', { body: Buffer.alloc(1_001, ' ') });
    expect([long.status, long.text]).toEqual([413, 'Request body too large, max size: 1000 bytes']);
  });
});
