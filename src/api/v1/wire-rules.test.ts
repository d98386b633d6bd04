import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeFailed } from '../../store/index.ts';
import { startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ nodes: [{ name: 'n2', services: [{ service: 'web', status: 'passing' }] }] });
});
afterAll(() => api[Symbol.asyncDispose]());

test.each([
  ['POST', '/v1/catalog/nodes', 'OPTIONS,GET'],
  ['PUT', '/v1/health/service/web', 'OPTIONS,GET'],
  ['GET', '/v1/agent/service/register', 'OPTIONS,PUT'],
  ['GET', '/v1/agent/check/pass/x', 'OPTIONS,PUT'],
  ['POST', '/v1/kv/a', 'OPTIONS,GET,PUT,DELETE'],
  ['PATCH', '/v1/kv/a', 'OPTIONS,GET,PUT,DELETE'],
  ['PROPFIND', '/v1/kv/a', 'OPTIONS,GET,PUT,DELETE'],
  ['DELETE', '/v1/status/leader', 'OPTIONS,GET'],
])('a wrong method is 405: %s %s', async (method, url, allow) => {
  const { status, text, headers } = await api.ask(method, url);
  expect([status, text, headers['allow']]).toEqual([405, `method ${method} not allowed`, allow]);
});

test.each(['/v1/kv/a', '/v1/catalog/nodes', '/v1/agent/self'])('HEAD %s is 405 without a body', async (url) => {
  const { status, text } = await api.ask('HEAD', url);
  expect([status, text]).toEqual([405, '']);
});

test('OPTIONS is 200 with Allow and no body', async () => {
  const { status, text, headers } = await api.ask('OPTIONS', '/v1/kv/a');
  expect([status, text, headers['allow']]).toEqual([200, '', 'OPTIONS,GET,PUT,DELETE']);
});

test.each([
  '/v1',
  '/v1/',
  '/v1/nothing',
  '/v1/kv',
  '/v1/agent',
  '/v1/catalog/nodes/',
  '/v1//kv/a',
  '/nothing',
  '/V1/kv/a',
])('%s is 404 in plain text', async (url) => {
  const { status, text, headers } = await api.ask('GET', url);
  expect([status, text, headers['content-type']]).toEqual([404, '404 page not found', 'text/plain; charset=utf-8']);
});

test('/ says what this is', async () => {
  expect((await api.ask('GET', '/')).text).toMatch(/^Consul Agent/);
});

test.each([
  ['/v1/catalog/service/none', '[]'],
  ['/v1/health/service/none', '[]'],
  ['/v1/health/checks/none', '[]'],
  ['/v1/health/node/none', '[]'],
  ['/v1/health/state/warning', '[]'],
  ['/v1/agent/services', '{}'],
  ['/v1/agent/checks', '{}'],
  ['/v1/event/list', '[]'],
  ['/v1/kv/?keys', '[]'],
  ['/v1/catalog/node/none', 'null'],
])('an empty result is never null but an empty list or map: %s', async (url, body) => {
  const { status, text, headers } = await api.ask('GET', url);
  expect([status, text, headers['content-type']]).toEqual([200, body, 'application/json']);
});

test('handlers with no result answer 200 with an empty body', async () => {
  const { status, text, headers } = await api.ask('PUT', '/v1/agent/service/register', { body: { Name: 'empty' } });
  expect([status, text, headers['content-type']]).toEqual([200, '', undefined]);
  await api.ask('PUT', '/v1/agent/service/deregister/empty');
});

test('?pretty indents by four and ends in a newline', async () => {
  expect((await api.ask('GET', '/v1/catalog/services?pretty')).text).toBe('{\n    "web": []\n}\n');
});

test('?pretty is for every answer of a -dev agent', async () => {
  await using dev = await startTestApi({ pretty: true });
  expect((await dev.ask('GET', '/v1/catalog/services')).text).toBe('{}\n');
});

test.each(['gzip', 'gzip, deflate, br', 'br;q=1.0, gzip;q=0.8', 'deflate, *;q=0.1', 'GZIP'])(
  'answers are compressed for Accept-Encoding %s, however short',
  async (accepted) => {
    const { bytes, headers } = await api.ask('GET', '/v1/catalog/services', {
      headers: { 'accept-encoding': accepted },
    });
    expect([headers['content-encoding'], headers['vary']]).toEqual(['gzip', 'Accept-Encoding']);
    expect(gunzipSync(bytes).toString()).toBe('{"web":[]}');
    expect(headers['content-length']).toBe(String(bytes.length));
  },
);

test.each(['', 'identity', 'br', 'gzip;q=0', 'gzip; q=0.0', '*;q=0', 'gzipped'])(
  'answers are not compressed for Accept-Encoding %j',
  async (accepted) => {
    const { text, headers } = await api.ask('GET', '/v1/catalog/services', {
      headers: { 'accept-encoding': accepted },
    });
    expect([headers['content-encoding'], text]).toEqual([undefined, '{"web":[]}']);
  },
);

test.each([
  ['/v1/catalog/service/a%0Ab'],
  ['/v1/catalog/service/%00'],
  ['/v1/agent/service/a%7F'],
  ['/v1/health/service/a%E2%80%8Bb'],
])('a character that cannot be printed in the path is 400: %s', async (url) => {
  expect((await api.ask('GET', url)).status).toBe(400);
});

test.each(['/v1/kv/%', '/v1/kv/%zz', '/v1/catalog/service/a%1'])('a broken escape is 400: %s', async (url) => {
  const { status, text } = await api.ask('GET', url);
  expect([status, text]).toEqual([400, 'invalid URL escape in the path']);
});

test.each([undefined, '', 'application/json', 'text/plain', 'application/x-www-form-urlencoded', ';;', 'multipart/x'])(
  'a body is read whatever its Content-Type: %j',
  async (type) => {
    const headers = type === undefined ? {} : { 'content-type': type };
    expect((await api.ask('PUT', '/v1/kv/typed', { body: 'x=1&y', headers })).text).toBe('true');
    expect((await api.ask('GET', '/v1/kv/typed?raw')).text).toBe('x=1&y');
  },
);

test('a body over the limit is 413 with its size, the limit and where to read on', async () => {
  const { status, text, headers } = await api.ask('PUT', '/v1/kv/big', { body: Buffer.alloc(524_289) });
  expect(status).toBe(413);
  expect(text).toMatch(/^Request body\(524289 bytes\) too large, max size: 524288 bytes\. See https:\/\/\S+\.$/);
  expect(headers['connection']).toBe('close');
  expect((await api.ask('PUT', '/v1/kv/big', { body: Buffer.alloc(524_288) })).text).toBe('true');
});

test.each([
  ['{', 'in JSON'],
  ['', 'EOF'],
  ['[]', 'expected an object'],
  ['"x"', 'expected an object'],
  ['null', 'expected an object'],
  ['{"Name": 1}', 'expected a string'],
  ['{"Name": "x", "Tags": "a"}', 'expected a list'],
  ['{"Name": "x", "Port": "80"}', 'expected a port'],
  ['{"Name": "x", "EnableTagOverride": 1}', 'expected true or false'],
])('a body that cannot be decoded is 400 with the reason: %s', async (body, reason) => {
  const { status, text } = await api.ask('PUT', '/v1/agent/service/register', { body });
  expect(status).toBe(400);
  expect(text).toMatch(/^Request decode failed: /);
  expect(text).toContain(reason);
});

test('a decode failure shows nothing of the body, which may hold a secret', async () => {
  const { text } = await api.ask('PUT', '/v1/agent/service/register', { body: '{"Token": hunter2, "Name": "x"}' });
  expect(text).toMatch(/^Request decode failed: .*is not valid JSON$/);
  expect(text).not.toContain('hunter2');
});

test('half a surrogate pair in JSON becomes U+FFFD', async () => {
  await api.ask('PUT', '/v1/agent/service/register', {
    body: '{"Name":"a\\ud800b","Tags":["\\ud83d\\ude00","\\\\ud800"]}',
  });
  expect((await api.ask('GET', '/v1/agent/services')).json).toMatchObject({
    'a\u{fffd}b': { Tags: ['\u{1f600}', '\\ud800'] },
  });
  await api.ask('PUT', `/v1/agent/service/deregister/${encodeURIComponent('a\u{fffd}b')}`);
});

test.each([
  ['/v1/catalog/nodes?dc=elsewhere', 500, 'No path to datacenter'],
  ['/v1/kv/a?dc=elsewhere', 500, 'No path to datacenter'],
  ['/v1/health/service/web?dc=elsewhere', 500, 'No path to datacenter'],
  ['/v1/event/list?dc=elsewhere', 500, 'No path to datacenter'],
  ['/v1/catalog/nodes?ns=team', 400, 'Invalid query parameter: "ns" - '],
  ['/v1/catalog/nodes?partition=p', 400, 'Invalid query parameter: "partition" - '],
  ['/v1/health/service/web?peer=p', 400, 'Invalid query parameter: "peer" - '],
])('what would change the answer and is not there is refused: %s', async (url, status, text) => {
  const answer = await api.ask('GET', url);
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(text);
});

test('a write to a datacenter that is not there is 500 and writes nothing', async () => {
  expect((await api.ask('PUT', '/v1/kv/far?dc=elsewhere', { body: 'x' })).status).toBe(500);
  expect((await api.ask('GET', '/v1/kv/far')).status).toBe(404);
});

test.each([
  '?dc=aws',
  '?dc=',
  '?ns=default&partition=default',
  '?ns=',
  '?token=secret',
  '?near=_agent',
  '?cached',
  '?stale',
  '?consistent',
  '?leader',
  '?max_stale=10s',
  '?filter=',
  '?merge-central-config&local-only=true&relay-factor=3',
  '?index=0&wait=1s',
  '?%',
])('parameters that change nothing are taken: %s', async (query) => {
  const { status, text } = await api.ask('GET', `/v1/catalog/services${query}`);
  expect([status, text]).toEqual([200, '{"web":[]}']);
});

test('an agent answers for itself whatever datacenter is asked for', async () => {
  expect((await api.ask('GET', '/v1/agent/services?dc=elsewhere')).status).toBe(200);
});

test('a large answer is compressed beside the event loop, and as a whole', async () => {
  const value = Buffer.alloc(200_000, 'abc');
  await api.ask('PUT', '/v1/kv/large', { body: value });
  for (let times = 0; times < 2; times++) {
    const { bytes } = await api.ask('GET', '/v1/kv/large?raw', { headers: { 'accept-encoding': 'gzip' } });
    expect(bytes.length).toBeLessThan(value.length / 10);
    expect(gunzipSync(bytes).equals(value)).toBe(true);
  }
});

test('a write without a leader is 500 with the text that clients know, and reads go on', async () => {
  await using lost = await startTestApi();
  const { store } = lost.context;
  const down = Object.create(store, {
    status: { value: () => ({ ...store.status(), leaderKnown: false }) },
  }) as typeof store;
  Object.assign(lost.context, { store: down });
  Object.assign(lost.context.feed, { commit: () => Promise.reject(storeFailed('the disk is gone')) });
  const { status, text } = await lost.ask('PUT', '/v1/kv/a', { body: 'x' });
  expect([status, text]).toEqual([500, 'No cluster leader: the store takes no writes: the disk is gone']);
  expect((await lost.ask('GET', '/v1/catalog/nodes')).status).toBe(200);
});

test('what nobody expected is 500, logged, and says nothing of the inside', async () => {
  await using broken = await startTestApi();
  Object.assign(broken.context.catalog, {
    nodes: () => {
      throw new TypeError('secret inside');
    },
  });
  const { status, text } = await broken.ask('GET', '/v1/catalog/nodes');
  expect([status, text, broken.logged]).toEqual([500, 'Internal error', ['secret inside']]);
});
