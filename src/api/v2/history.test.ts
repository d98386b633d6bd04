import { describe, expect, test } from 'vitest';
import { compileRules, parseRules, RuleAuthority, type AccessControl, type Authority } from '../../access/index.ts';
import { checkRecordOf, nodeRecordOf } from '../../registry/testing.ts';
import { startTestApi, type TestAnswer, type TestApi } from './testing.ts';

const BY = 'unnamed, from 127.0.0.1';

async function put(api: TestApi, key: string, value: string): Promise<number> {
  return (await api.context.kvWrites.put(key, Buffer.from(value), { author: 'token k' })).revision;
}

const history = async (api: TestApi, query: string): Promise<TestAnswer['body']> =>
  (await api.ask('GET', `/v2/history?${query}`)).body;

const undo = (api: TestApi, body: object): Promise<TestAnswer> => api.ask('POST', '/v2/history/undo', { body });

/** All keys with values and flags. */
const state = (api: TestApi): string[][] =>
  api.context.kv.list('').map(({ key, value, flags }) => [key, value.toString(), flags]);

const valueOf = (api: TestApi, key: string): string | undefined => api.context.kv.get(key)?.value.toString();

describe('GET /v2/history', () => {
  test('tells of a key who changed it, when, what it was and what it became, newest first', async () => {
    await using api = await startTestApi();
    const first = await put(api, 'a/b', '1');
    const second = await put(api, 'a/b', '2');
    await put(api, 'a/bc', 'other');
    const { revision: third } = await api.context.kvWrites.delete('a/b', { author: 'token d' });
    const base = { kind: 'kv', subject: 'a/b', author: 'token k', at: '2026-01-01T00:00:00.000Z', latest: false };
    expect(await history(api, 'kind=kv&subject=a/b')).toEqual([
      {
        ...base,
        revision: third,
        author: 'token d',
        change: 'removed',
        before: { text: '2' },
        after: null,
        latest: true,
      },
      { ...base, revision: second, change: 'changed', before: { text: '1' }, after: { text: '2' } },
      { ...base, revision: first, change: 'created', before: null, after: { text: '1' } },
    ]);
    expect(await history(api, `kind=kv&subject=a/b&since=${first}&limit=1`)).toMatchObject([{ revision: third }]);
  });

  test('tells of a key what recursive deletes did to it, and nothing of those that found it not', async () => {
    await using api = await startTestApi();
    await put(api, 'a/b', '1');
    const { revision } = await api.context.kvWrites.deleteTree('a', { author: 'token t' });
    await put(api, 'a/c', 'x');
    await api.context.kvWrites.deleteTree('a', { author: 'token t' });
    await put(api, 'a/b', '2');
    const log = await history(api, 'kind=kv&subject=a/b');
    expect(
      log.map((one: Record<string, unknown>) => [one['kind'], one['change'], one['before'], one['after']]),
    ).toEqual([
      ['kv', 'created', null, { text: '2' }],
      ['kvtree', 'removed', { text: '1' }, null],
      ['kv', 'created', null, { text: '1' }],
    ]);
    expect(log[1]).toMatchObject({ revision, subject: 'a' });
    const all = await history(api, 'kind=kv&prefix=a/');
    expect(all.map((one: Record<string, unknown>) => one['kind'])).toEqual(['kv', 'kvtree', 'kv', 'kvtree', 'kv']);
    expect(all[3]).toMatchObject({ before: { keys: 1, text: 'a/b' }, change: 'removed' });
  });

  test('shows values that are not text in base64, and flags', async () => {
    await using api = await startTestApi();
    await api.context.kvWrites.put('\u{ff}', Buffer.from([0xff]), { flags: '3304740253564472344' });
    expect(await history(api, 'kind=kv')).toMatchObject([{ after: { base64: '/w==', flags: '3304740253564472344' } }]);
  });

  test('tells of definitions as documents, of datastores without their values', async () => {
    await using api = await startTestApi();
    await api.ask('PUT', '/v2/definitions/api', { body: { id: 'api', command: 'run' } });
    await api.ask('PUT', '/v2/definitions/api', { body: { id: 'api', command: 'run faster' } });
    await api.ask('PUT', '/v2/datastores/DB', { body: { value: 'mysql://secret' } });
    await api.ask('PUT', '/v2/datastores/DB', { body: { value: 'mysql://other' } });
    await api.ask('DELETE', '/v2/datastores/DB');
    const [def] = await history(api, 'kind=def&subject=api');
    expect(def).toMatchObject({ subject: 'default/api', author: BY, change: 'changed' });
    expect([def.before.text, def.after.text]).toEqual([
      expect.stringContaining('"run"'),
      expect.stringContaining('"run faster"'),
    ]);
    const datastores = await history(api, 'kind=ds&subject=DB');
    expect(datastores.map((one: Record<string, unknown>) => one['change'])).toEqual(['removed', 'changed', 'created']);
    expect(datastores[1].before.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(datastores[1].after.sha256).toBe(datastores[0].before.sha256);
    expect(JSON.stringify(await history(api, ''))).not.toContain('mysql://');
    expect(await history(api, '')).toHaveLength(5);
  });

  test('begins with a time, and ends with the limit', async () => {
    await using api = await startTestApi();
    for (const value of ['1', '2', '3']) {
      await put(api, 'a', value);
      await api.clock.advance(60_000);
    }
    const at = async (time: string): Promise<number> => (await history(api, `since=${time}`)).length;
    expect([
      await at('2025-12-31T00:00:00Z'),
      await at('2026-01-01T00:01:00Z'),
      await at('2026-01-02T00:00:00Z'),
    ]).toEqual([3, 2, 0]);
    expect(await history(api, 'limit=2')).toHaveLength(2);
  });

  test.each([
    ['subject=a', 'needs a kind'],
    ['prefix=a', 'needs a kind'],
    ['kind=x', 'expected kv, def, ds, acl'],
    ['since=yesterday', 'expected a revision, or a time'],
    ['limit=0', 'expected a whole number'],
  ])('refuses %s', async (query, text) => {
    await using api = await startTestApi();
    const { status, body } = await api.ask('GET', `/v2/history?${query}`);
    expect([status, body.error.message]).toEqual([400, expect.stringContaining(text)]);
  });
});

describe('POST /v2/history/undo', () => {
  test('puts back what a key was, and that is in history itself', async () => {
    await using api = await startTestApi();
    await api.context.kvWrites.put('a', Buffer.from('1'), { flags: '7' });
    const revision = await put(api, 'a', '2');
    const { body, headers } = await undo(api, { revision, kind: 'kv' });
    expect(body).toEqual({ undone: ['a'], lost: 0 });
    expect(state(api)).toEqual([['a', '1', '7']]);
    const [last] = await history(api, 'kind=kv&subject=a');
    expect(last).toMatchObject({ revision: Number(headers['x-drover-revision']), author: BY, after: { text: '1' } });
    await undo(api, { revision: last.revision, kind: 'kv' });
    expect(valueOf(api, 'a')).toBe('2');
  });

  test('removes what was new, and brings back what was removed', async () => {
    await using api = await startTestApi();
    const created = await put(api, 'a', '1');
    await undo(api, { revision: created, kind: 'kv', subject: 'a' });
    expect(state(api)).toEqual([]);
    await put(api, 'a', '2');
    const { revision } = await api.context.kvWrites.delete('a');
    await undo(api, { revision, kind: 'kv' });
    expect(valueOf(api, 'a')).toBe('2');
  });

  test('brings back every key of a recursive delete', async () => {
    await using api = await startTestApi();
    for (let n = 0; n < 400; n++) await put(api, `t/${n}`, String(n));
    const before = state(api);
    const { revision } = await api.context.kvWrites.deleteTree('t/');
    const { body } = await undo(api, { revision, kind: 'kv' });
    expect([body.undone.length, body.lost]).toEqual([400, 0]);
    expect(state(api)).toEqual(before);
  });

  test('brings back one key of a recursive delete where only that is named', async () => {
    await using api = await startTestApi();
    for (const name of ['t/a', 't/b']) await put(api, name, name);
    const { revision } = await api.context.kvWrites.deleteTree('t/');
    expect((await undo(api, { revision, kind: 'kv', subject: 't/b' })).body.undone).toEqual(['t/b']);
    expect(state(api)).toEqual([['t/b', 't/b', '0']]);
    expect((await undo(api, { revision, kind: 'kv', subject: 't/c' })).status).toBe(404);
  });

  test('refuses over what was changed since, with both revisions; force does it all the same', async () => {
    await using api = await startTestApi();
    await put(api, 'a', '1');
    const revision = await put(api, 'a', '2');
    const now = await put(api, 'a', '3');
    const { status, body } = await undo(api, { revision, kind: 'kv' });
    expect([status, body.error.code, body.error.message]).toEqual([
      409,
      'CHANGE_SUPERSEDED',
      `kv a was changed since: the change left it at r${revision}, now it is at r${now}`,
    ]);
    expect((await undo(api, { revision, kind: 'kv', force: true })).status).toBe(200);
    expect(valueOf(api, 'a')).toBe('1');
    const { revision: gone } = await api.context.kvWrites.delete('a');
    await put(api, 'a', '9');
    await api.context.kvWrites.delete('a');
    expect((await undo(api, { revision: gone, kind: 'kv' })).status).toBe(409);
  });

  test('puts definitions back together, removes new ones, and new datastores', async () => {
    await using api = await startTestApi();
    const apply = (...documents: object[]) => api.ask('PUT', '/v2/definitions', { body: documents });
    await apply({ id: 'a', command: '1' }, { id: 'b', command: '1' });
    const { headers } = await apply({ id: 'a', command: '2' }, { id: 'b', command: '2' }, { id: 'c', command: '2' });
    const revision = Number(headers['x-drover-revision']);
    expect((await undo(api, { revision, kind: 'def' })).body.undone.toSorted()).toEqual(
      ['a', 'b', 'c'].map((id) => `default/${id}`),
    );
    expect(api.context.catalog.definitions().map(({ record }) => [record.id, record.command])).toEqual([
      ['a', '1'],
      ['b', '1'],
    ]);
    const created = await api.ask('PUT', '/v2/datastores/DB', { body: { value: 'x' } });
    await undo(api, { revision: Number(created.headers['x-drover-revision']), kind: 'ds' });
    expect(api.context.catalog.datastores()).toEqual([]);
  });

  test('says what cannot be undone', async () => {
    await using api = await startTestApi({ datastores: { DB: 'x' } });
    const { headers } = await api.ask('PUT', '/v2/datastores/DB', { body: { value: 'y' } });
    const revision = Number(headers['x-drover-revision']);
    const asked: [object, number, string][] = [
      [{ revision, kind: 'ds' }, 409, 'CHANGE_NOT_UNDOABLE'],
      [{ revision, kind: 'kv' }, 404, 'CHANGE_UNKNOWN_CHANGE'],
      [{ revision, kind: 'ds', subject: 'OTHER' }, 404, 'CHANGE_UNKNOWN_CHANGE'],
      [{ revision: 0, kind: 'kv' }, 400, 'API_BAD_BODY'],
      [{ revision, kind: 'x' }, 400, 'API_BAD_BODY'],
      [{ kind: 'kv' }, 400, 'API_BAD_BODY'],
    ];
    for (const [body, status, code] of asked) {
      const answer = await undo(api, body);
      expect([answer.status, answer.body.error.code], JSON.stringify(body)).toEqual([status, code]);
    }
  });
});

describe('history asks', () => {
  function only(...allowed: readonly string[]): AccessControl {
    const allows: Authority['allows'] = (resource, name, level) => allowed.includes(`${resource} ${name} ${level}`);
    const demand: Authority['demand'] = (resource, name, level) => {
      if (!allows(resource, name, level)) throw new Error(`${resource} ${name} ${level}`);
    };
    const authority: Authority = { id: 'x', accessor: 'me', allows, allowsUnder: allows, demand };
    return { isEnabled: true, defaultPolicy: 'deny', authorityOf: () => authority };
  }

  test('for key:read to see and key:write to undo, by kind', async () => {
    const access = only('key a read', 'key a write', 'key b read', 'service api read', 'service api write');
    await using api = await startTestApi();
    Object.assign(api.context, { access });
    const a = await put(api, 'a', '1');
    const b = await put(api, 'b', '1');
    await put(api, 'c', '1');
    await api.ask('PUT', '/v2/definitions/api', { body: { id: 'api' } });
    await api.ask('PUT', '/v2/datastores/DB', { body: { value: 'x' } });
    const seen = await history(api, '');
    expect(seen.map((one: Record<string, unknown>) => one['subject'])).toEqual(['default/api', 'b', 'a']);
    expect(seen[0].author).toBe('token me');
    expect((await undo(api, { revision: b, kind: 'kv' })).status).toBe(500);
    expect((await undo(api, { revision: a, kind: 'kv' })).status).toBe(200);
  });

  test('for key:list where names are listed under enable_key_list_policy', async () => {
    await using api = await startTestApi();
    Object.assign(api.context, { access: { ...only('key a read', 'key b read', 'key b list'), keyListPolicy: true } });
    await put(api, 'a', '1');
    await put(api, 'b', '1');
    const subjects = async (query: string): Promise<unknown[]> =>
      (await history(api, query)).map((one: Record<string, unknown>) => one['subject']);
    expect([await subjects(''), await subjects('kind=kv&subject=a')]).toEqual([['b'], ['a']]);
  });

  test('in the words of rules, which are text where keys are bytes', async () => {
    const rules = parseRules('key_prefix "" { policy = "write" } key_prefix "geheimé/" { policy = "deny" }', {
      from: 'a test',
    });
    const authority = new RuleAuthority('me', compileRules(rules, 'deny'));
    await using api = await startTestApi();
    Object.assign(api.context, { access: { isEnabled: true, defaultPolicy: 'deny', authorityOf: () => authority } });
    const key = Buffer.from('geheimé/x').toString('latin1');
    const made = await put(api, key, 'secret');
    await api.context.kvWrites.deleteTree(key.slice(0, 'geheim'.length + 1), {});
    await put(api, 'seen', '1');
    expect((await history(api, '')).map((one: Record<string, unknown>) => one['subject'])).toEqual(['seen']);
    for (const force of [true, false]) {
      const refused = await undo(api, { revision: made, kind: 'kv', force });
      // No word of a key that may not be seen, not even that it was changed since.
      expect([refused.status, JSON.stringify(refused.body)]).toEqual([404, expect.not.stringContaining('geheim')]);
    }
  });
});

test('GET /v2/history shows of a token neither its secret nor the hash of it', async () => {
  await using api = await startTestApi({ acl: {} });
  await api.context.acl.writes.ensureManagement('root');
  const reply = await api.ask('GET', '/v2/history?kind=acl', { headers: { 'x-consul-token': 'root' } });
  const texts = (reply.body as { after: { text: string } }[]).map(({ after }) => after.text);
  expect(texts.some((text) => text.includes('accessor'))).toBe(true);
  expect(texts.join('')).not.toMatch(/hash|secret/);
});

describe('GET /v2/nodes/{node}/checks/{check}/history', () => {
  test('asks for node:read, and for service:read of the service that is checked', async () => {
    await using api = await startTestApi({
      nodes: [{ name: 'n2', services: [{ service: 'web', status: 'passing' }] }],
    });
    const asked: string[] = [];
    const demand: Authority['demand'] = (resource, name, level) => void asked.push(`${resource} ${name} ${level}`);
    const authority: Authority = { id: 'x', accessor: '', allows: () => true, allowsUnder: () => true, demand };
    Object.assign(api.context, { access: { isEnabled: true, defaultPolicy: 'deny', authorityOf: () => authority } });
    expect((await api.ask('GET', '/v2/nodes/n2/checks/service%3Aweb/history')).status).toBe(200);
    expect(asked).toEqual(['node n2 read', 'service web read']);
  });

  test('tells the transitions with their output, newest first', async () => {
    await using api = await startTestApi();
    const say = (status: 'passing' | 'critical', output: string) =>
      api.registry.syncNode({
        node: nodeRecordOf({ name: 'n/1' }),
        instances: [],
        checks: [checkRecordOf({ id: 'disk:/', status, output, since: '2026-01-01T00:00:00.000Z' })],
      });
    await say('passing', 'ok');
    const path = '/v2/nodes/n%2F1/checks/disk%3A%2F/history';
    expect((await api.ask('GET', path)).body).toEqual([]);
    const revision = await say('critical', 'full');
    await say('passing', 'x'.repeat(2_000));
    const { body } = await api.ask('GET', path);
    expect(body[1]).toEqual({
      n: 0,
      revision,
      from: 'passing',
      status: 'critical',
      output: 'full',
      at: '2026-01-01T00:00:00.000Z',
    });
    expect([body.length, Buffer.byteLength(body[0].output)]).toEqual([2, 1_024]);
    const { status, body: missing } = await api.ask('GET', '/v2/nodes/n%2F1/checks/disk/history');
    expect([status, missing.error.code]).toEqual([404, 'API_UNKNOWN_CHECK']);
  });
});
