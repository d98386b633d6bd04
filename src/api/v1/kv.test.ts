import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { valueOfEntry } from '../../kv/index.ts';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';
import { accessByRules } from './testing-access.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ nodes: ['other'] });
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => api.ask('DELETE', '/v1/kv/?recurse'));

const put = (key: string, body: string | Buffer = ''): Promise<TestReply> => api.ask('PUT', `/v1/kv/${key}`, { body });
const get = (key: string): Promise<TestReply> => api.ask('GET', `/v1/kv/${key}`);
const remove = (key: string): Promise<TestReply> => api.ask('DELETE', `/v1/kv/${key}`);

async function entry(key: string): Promise<Record<string, unknown>> {
  return ((await get(key)).json as [Record<string, unknown>])[0];
}

test("an entry has Consul's members, its value in base64, no Session", async () => {
  expect((await put('a/b', 'hello')).text).toBe('true');
  const { ModifyIndex } = await entry('a/b');
  expect((await get('a/b')).json).toEqual([
    { LockIndex: 0, Key: 'a/b', Flags: 0, Value: 'aGVsbG8=', CreateIndex: ModifyIndex, ModifyIndex },
  ]);
});

test('an empty value is null', async () => {
  await put('empty');
  expect(await entry('empty')).toMatchObject({ Value: null });
});

test('CreateIndex stays and ModifyIndex rises; the same value again changes neither', async () => {
  await put('a', '1');
  const first = await entry('a');
  expect((await put('a', '1')).text).toBe('true');
  expect(await entry('a')).toEqual(first);
  await put('a', '2');
  const second = await entry('a');
  expect(second['CreateIndex']).toBe(first['CreateIndex']);
  expect(second['ModifyIndex']).toBeGreaterThan(first['ModifyIndex'] as number);
});

test('a missing key is 404 with an empty body and all headers', async () => {
  const { status, text, headers } = await get('none');
  expect([status, text]).toEqual([404, '']);
  expect(headers).toMatchObject({
    'x-consul-index': expect.stringMatching(/^[1-9]\d*$/) as string,
    'x-consul-knownleader': 'true',
    'x-consul-lastcontact': '0',
  });
  expect(headers['content-type']).toBeUndefined();
});

test.each([
  ['GET', ''],
  ['GET', '?raw'],
  ['PUT', ''],
  ['PUT', '?cas=1'],
  ['DELETE', ''],
  ['DELETE', '?cas=1'],
])('%s without a key is 400: %j', async (method, query) => {
  const { status, text } = await api.ask(method, `/v1/kv/${query}`);
  expect([status, text]).toEqual([400, 'Missing key name']);
});

test.each(['0', '42', '3304740253564472344', '9223372036854775808', '18446744073709551615'])(
  'flags keep every digit, also with ?pretty: %s',
  async (flags) => {
    await put(`f?flags=${flags}`, 'x');
    expect((await get('f')).text).toContain(`"Flags":${flags},`);
    expect((await get('f?pretty')).text).toContain(`"Flags": ${flags},\n`);
    expect((await get('?recurse')).text).toContain(`"Flags":${flags},`);
  },
);

test('flags are overwritten with each put, with 0 when they are not given', async () => {
  await put('f?flags=7', 'x');
  await put('f', 'x');
  expect(await entry('f')).toMatchObject({ Flags: 0 });
});

test.each(['x', '-1', '1.5', '18446744073709551616'])('flags %s are 400', async (flags) => {
  const { status, text } = await put(`f?flags=${flags}`, 'x');
  expect(status).toBe(400);
  expect(text).toContain('64 bits');
});

test('?recurse is everything that begins so, in byte order', async () => {
  for (const key of ['b', 'a/b', 'a/B', 'a', 'ab', 'a/%C3%A9', 'a/%FF']) await put(key, 'x');
  const keys = ((await get('a/?recurse')).json as { Key: string }[]).map(({ Key }) => Key);
  expect(keys).toEqual(['a/B', 'a/b', 'a/é', 'a/\u{fffd}']);
  expect((await get('?recurse')).json).toHaveLength(7);
  expect((await get('a?recurse')).json).toHaveLength(6);
});

test('?recurse with nothing is 404, for the empty prefix too', async () => {
  expect((await get('none/?recurse')).status).toBe(404);
  expect((await get('?recurse')).status).toBe(404);
});

test('?keys is a list of names', async () => {
  for (const key of ['a/b/c', 'a/b', 'z']) await put(key, 'x');
  expect((await get('?keys')).json).toEqual(['a/b', 'a/b/c', 'z']);
  expect((await get('a/?keys')).json).toEqual(['a/b', 'a/b/c']);
  expect((await get('none?keys')).status).toBe(404);
});

test('?keys of nothing at all is an empty list', async () => {
  const { status, text } = await get('?keys');
  expect([status, text]).toEqual([200, '[]']);
});

test.each(['separator', 'seperator'])('?keys with ?%s cuts after the first one past the prefix', async (name) => {
  for (const key of ['base/base/foo', 'base/base/bar', 'base/foo', 'other']) await put(key, 'x');
  expect((await get(`base/?keys&${name}=/`)).json).toEqual(['base/base/', 'base/foo']);
  expect((await get(`?keys&${name}=/`)).json).toEqual(['base/', 'other']);
  expect((await get(`base?keys&${name}=/`)).json).toEqual(['base/']);
  expect((await get(`?keys&${name}=`)).json).toHaveLength(4);
});

test('a separator may be several bytes', async () => {
  for (const key of ['a%C3%A9x', 'a%C3%A9y', 'b']) await put(key, 'x');
  expect((await get('?keys&separator=%C3%A9')).json).toEqual(['aé', 'b']);
});

test('?raw is the value as it is, made harmless for browsers', async () => {
  const value = Buffer.from([0, 255, 60, 104]);
  await put('r', value);
  const { bytes, headers } = await get('r?raw');
  expect(bytes.equals(value)).toBe(true);
  expect(headers).toMatchObject({
    'content-type': 'text/plain',
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
    'content-length': '4',
  });
  expect(headers['x-consul-index']).toBe(String((await entry('r'))['ModifyIndex']));
  expect((await get('none?raw')).status).toBe(404);
});

test('?raw sleeps while only flags and index change, and wakes for another value or none', async () => {
  const woken: string[] = [];
  const wait = async (index: string): Promise<TestReply> => {
    const reply = await get(`r/raw?raw&index=${index}`);
    woken.push(reply.text);
    return reply;
  };
  const write = async (query: string, body: string): Promise<void> => {
    await put(`r/raw${query}`, body);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  await put('r/raw', 'one');
  const waiting = wait(String((await get('r/raw?raw')).headers['x-consul-index']));
  for (const flags of [1, 2, 3]) await write(`?flags=${flags}`, 'one');
  expect(woken).toEqual([]);
  await write('', '');
  const { headers } = await waiting;
  const missing = wait(String(headers['x-consul-index']));
  await api.ask('DELETE', '/v1/kv/r/raw');
  expect([(await missing).status, woken]).toEqual([404, ['', '']]);
});

test('?raw of an empty value is empty', async () => {
  await put('r');
  const { status, text } = await get('r?raw');
  expect([status, text]).toEqual([200, '']);
});

test('?cas=0 puts only what is not there', async () => {
  expect((await put('c?cas=0', '1')).text).toBe('true');
  expect((await put('c?cas=0', '2')).text).toBe('false');
  expect(await entry('c')).toMatchObject({ Value: 'MQ==' });
});

test('?cas=I puts only at that index, and not at all when the key is absent', async () => {
  await put('c', '1');
  const index = (await entry('c'))['ModifyIndex'] as number;
  expect((await put(`c?cas=${index + 1}`, '2')).text).toBe('false');
  expect((await put(`c?cas=18446744073709551615`, '2')).text).toBe('false');
  expect((await put(`none?cas=${index}`, '2')).text).toBe('false');
  expect((await put(`c?cas=${index}`, '2')).text).toBe('true');
  expect(await entry('c')).toMatchObject({ Value: 'Mg==' });
});

test.each(['x', '', '-1', '1.5'])('?cas=%s is 400', async (cas) => {
  expect((await put(`c?cas=${cas}`, '1')).status).toBe(400);
});

test('two conditions are 400 with the parameters in order', async () => {
  const answer = await put('c?release=b&cas=1&flags=2', '');
  expect([answer.status, answer.text]).toEqual([400, 'Conflicting flags: cas=1&flags=2&release=b\n']);
  const removed = await remove('c?recurse&cas=1');
  expect([removed.status, removed.text]).toEqual([400, 'Conflicting flags: cas=1&recurse=\n']);
});

async function session(body: object = {}): Promise<string> {
  const { json } = await api.ask('PUT', '/v1/session/create', { body: { Node: 'other', Checks: [], ...body } });
  return (json as { ID: string }).ID;
}

test('acquire and release: LockIndex counts locks, the holder keeps its own, a plain PUT keeps it too', async () => {
  const [mine, theirs] = [await session(), await session()];
  expect((await put(`l?acquire=${mine}&flags=3304740253564472344`, '1')).text).toBe('true');
  expect((await get('l')).text).toContain('"Flags":3304740253564472344,');
  expect(await entry('l')).toMatchObject({ LockIndex: 1, Session: mine, Value: 'MQ==' });
  expect((await put(`l?acquire=${theirs}`, '2')).text).toBe('false');
  expect((await put(`l?acquire=${mine}`, '3')).text).toBe('true');
  expect(await entry('l')).toMatchObject({ LockIndex: 1, Session: mine, Value: 'Mw==', Flags: 0 });
  await put('l', '4');
  expect(await entry('l')).toMatchObject({ LockIndex: 1, Session: mine, Value: 'NA==' });
  expect((await put(`l?release=${theirs}`, '5')).text).toBe('false');
  expect((await put(`l?release=${mine}`, '6')).text).toBe('true');
  const free = await entry('l');
  expect(free).toMatchObject({ LockIndex: 1, Value: 'Ng==' });
  expect(free).not.toHaveProperty('Session');
  // Who gives a lock back starts no lock-delay.
  expect((await put(`l?acquire=${theirs}`, '7')).text).toBe('true');
  expect(await entry('l')).toMatchObject({ LockIndex: 2, Session: theirs });
});

test('acquire with an unknown session is 500, release with one is false', async () => {
  const refused = await put('l?acquire=nobody', 'x');
  expect([refused.status, refused.text]).toEqual([500, 'invalid session "nobody"']);
  expect([(await put('l?acquire=', 'x')).status, (await put('l?acquire=', 'x')).text]).toEqual([
    500,
    'missing session',
  ]);
  expect((await put('l?release=nobody', 'x')).text).toBe('false');
  expect((await get('l')).status).toBe(404);
});

test('a session that is destroyed gives its keys free, and nobody locks them for its lock-delay', async () => {
  const [gone, next] = [await session({ LockDelay: '5s' }), await session()];
  await put(`l?acquire=${gone}`, 'x');
  const before = (await entry('l'))['ModifyIndex'] as number;
  await api.ask('PUT', `/v1/session/destroy/${gone}`);
  const free = await entry('l');
  expect(free).not.toHaveProperty('Session');
  expect(free['ModifyIndex']).toBeGreaterThan(before);
  expect((await put(`l?acquire=${next}`, 'y')).text).toBe('false');
  expect((await put('l', 'z')).text).toBe('true');
  await api.clock.advance(4_900);
  expect((await put(`l?acquire=${next}`, 'y')).text).toBe('false');
  await api.clock.advance(200);
  expect((await put(`l?acquire=${next}`, 'y')).text).toBe('true');
});

test('a session of behaviour delete takes its keys along; a deleted locked key is free', async () => {
  const [gone, next] = [await session({ Behavior: 'delete', LockDelay: '0s' }), await session()];
  for (const key of ['d/1', 'd/2']) await put(`${key}?acquire=${gone}`, 'x');
  await remove('d/2');
  expect((await put(`d/2?acquire=${next}`, 'y')).text).toBe('true');
  await api.ask('PUT', `/v1/session/destroy/${gone}`);
  expect([(await get('d/1')).status, (await get('d/2')).status]).toEqual([404, 200]);
  expect((await put(`d/1?acquire=${next}`, 'y')).text).toBe('true');
});

test('DELETE is true, also for what is not there', async () => {
  await put('d', 'x');
  expect((await remove('d')).text).toBe('true');
  expect((await remove('d')).text).toBe('true');
  expect((await get('d')).status).toBe(404);
});

test('DELETE with ?cas goes by the index; a missing key is true', async () => {
  await put('d', 'x');
  const index = (await entry('d'))['ModifyIndex'] as number;
  expect((await remove(`d?cas=${index + 1}`)).text).toBe('false');
  expect((await remove(`d?cas=${index}`)).text).toBe('true');
  expect((await remove(`d?cas=${index}`)).text).toBe('true');
});

test('DELETE with ?recurse takes everything that begins so', async () => {
  for (const key of ['a/b', 'a/c', 'ab', 'z']) await put(key, 'x');
  expect((await remove('a/?recurse')).text).toBe('true');
  expect((await get('?keys')).json).toEqual(['ab', 'z']);
  expect((await remove('?recurse')).text).toBe('true');
  expect((await get('?keys')).json).toEqual([]);
});

test('every change says at which revision it stands', async () => {
  const { headers } = await put('a', '1');
  expect(headers['x-drover-revision']).toBe(String((await entry('a'))['ModifyIndex']));
  expect((await remove('a')).headers['x-drover-revision']).toMatch(/^\d+$/);
});

test('a key of a thousand characters and one of a thousand segments are keys', async () => {
  for (const key of ['k'.repeat(1_000), 's/'.repeat(1_000)]) {
    expect((await put(key, 'x')).text).toBe('true');
    expect(await entry(key)).toMatchObject({ Key: key });
  }
});

test.each(['a%2F..%2Fb', 'x%2F..', '..%2Fa'])('a key with a ".." segment is 400: %s', async (key) => {
  for (const method of ['PUT', 'DELETE']) {
    const { status, text } = await api.ask(method, `/v1/kv/${key}`);
    expect(status).toBe(400);
    expect(text).toContain('".." segment');
  }
});

test('any byte can be in a key, and comes back', async () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(bytes, async (key) => {
      const escaped = `k${[...key].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`;
      expect((await put(escaped, Buffer.from(key))).text).toBe('true');
      const found = await get(`${escaped}?raw`);
      expect(found.bytes.equals(Buffer.from(key))).toBe(true);
      expect((await entry(escaped))['Key']).toBe(`k${Buffer.from(key).toString('utf8')}`);
    }),
    { numRuns: 40 },
  );
});

test('a separator in a key as %2F is the same as one that is not escaped', async () => {
  await put('a%2Fb', 'x');
  expect(await entry('a/b')).toMatchObject({ Key: 'a/b' });
});

const RULES = `key_prefix "a/" { policy = "write" }
  key_prefix "a/secret/" { policy = "deny" }
  key_prefix "l/" { policy = "list" }
  key "r" { policy = "read" }`;

test('tokens: reads of a key are denied, lists and keys are filtered, deletes need write on all that goes', async () => {
  await using closed = await startTestApi({ access: accessByRules(RULES) });
  const headers = { 'x-consul-token': 'any' };
  const ask = async (method: string, path: string): Promise<[number, string]> => {
    const reply = await closed.ask(method, `/v1/kv/${path}`, { headers, ...(method === 'PUT' ? { body: 'v' } : {}) });
    return [reply.status, reply.text];
  };
  for (const key of ['a/1', 'a/secret/x', 'b', 'r', 'l/1']) await closed.context.kvWrites.put(key, Buffer.from('v'));
  expect((await ask('GET', 'a/1'))[0]).toBe(200);
  expect((await ask('GET', 'r?raw'))[0]).toBe(200);
  expect(await ask('GET', 'b')).toEqual([
    403,
    `Permission denied: token with AccessorID 'tester' lacks permission 'key:read' on "b"`,
  ]);
  for (const path of ['b?raw', 'a/secret/x']) expect((await ask('GET', path))[0], path).toBe(403);
  expect(await ask('GET', '?keys')).toEqual([200, '["a/1","l/1","r"]']);
  expect(await ask('GET', '?keys&separator=/')).toEqual([200, '["a/","l/","r"]']);
  expect(await ask('GET', 'a/secret?keys&separator=/')).toEqual([404, '']);
  expect(JSON.parse((await ask('GET', '?recurse'))[1])).toHaveLength(3);
  expect((await closed.ask('GET', '/v1/kv/?recurse', { headers })).headers).toMatchObject({
    'x-consul-results-filtered-by-acls': 'true',
  });
  for (const path of ['r', 'b', 'l/1', 'a/secret/y', 'r?cas=1', 'r?acquire=s', 'r?release=s'])
    expect((await ask('PUT', path))[0], path).toBe(403);
  expect((await ask('PUT', 'a/2'))[1]).toBe('true');
  for (const path of ['r', 'a/secret/x', 'a/?recurse', '?recurse'])
    expect((await ask('DELETE', path))[0], path).toBe(403);
  expect((await ask('DELETE', 'a/2'))[1]).toBe('true');
});

test('tokens: with enable_key_list_policy a list needs list on its prefix', async () => {
  await using closed = await startTestApi({ access: accessByRules(RULES, { keyListPolicy: true }) });
  for (const key of ['l/1', 'r']) await closed.context.kvWrites.put(key, Buffer.from('v'));
  const status = async (path: string): Promise<number> => (await closed.ask('GET', `/v1/kv/${path}`)).status;
  expect([await status('l/?keys'), await status('l/?recurse'), await status('r')]).toEqual([200, 200, 200]);
  expect([await status('?keys'), await status('r?recurse')]).toEqual([403, 403]);
});

test('who changed what is in history, of the writes that changed a value or flags', async () => {
  const id = await session();
  await put('h', '1');
  await put(`h?acquire=${id}`, '1');
  await put(`h?release=${id}`, '2');
  await remove('h');
  const all = await api.context.history.list({ kind: 'kv', subject: 'h', limit: 10 });
  const values = all.map(({ before }) => (before === null ? null : valueOfEntry(before).value.toString()));
  expect(values).toEqual(['2', '1', null]);
  expect(all[0]?.author).toMatch(/^unnamed, from /);
});
