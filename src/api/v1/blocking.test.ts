import { expect, test } from 'vitest';
import { checkRecordOf } from '../../registry/testing.ts';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';

/** Lets what is under way come as far as it can without time passing. */
async function settle(api: TestApi): Promise<void> {
  await api.clock.advance(0);
}

function indexOf(reply: TestReply): number {
  return Number(reply.headers['x-consul-index']);
}

interface Blocked {
  readonly reply: Promise<TestReply>;
  readonly isDone: () => boolean;
}

async function block(api: TestApi, url: string): Promise<Blocked> {
  let done = false;
  const reply = api.ask('GET', url).finally(() => (done = true));
  reply.catch(() => undefined);
  await settle(api);
  return { reply, isDone: () => done };
}

function startWeb(): Promise<TestApi> {
  return startTestApi({
    nodes: [
      { name: 'n2', services: [{ service: 'web', status: 'passing' }] },
      { name: 'n3', services: [{ service: 'db', status: 'passing' }] },
    ],
  });
}

function turn(api: TestApi, service: 'web' | 'db', status: 'passing' | 'critical', output = ''): Promise<number> {
  const check = checkRecordOf({ id: `service:${service}`, serviceId: service, status, output });
  return api.region.registry.report(service === 'web' ? 'n2' : 'n3', [{ type: 'check', check }]);
}

test('every read has all headers of a read', async () => {
  await using api = await startWeb();
  const { headers } = await api.ask('GET', '/v1/health/service/web');
  expect(headers).toMatchObject({
    'x-consul-index': '2',
    'x-consul-knownleader': 'true',
    'x-consul-lastcontact': '0',
    'x-consul-effective-consistency': 'leader',
    'x-consul-default-acl-policy': 'allow',
    'x-consul-query-backend': 'blocking-query',
    vary: 'Accept-Encoding',
  });
});

test.each([
  ['/v1/catalog/service/never', 200],
  ['/v1/kv/never', 404],
  ['/v1/kv/never/?recurse', 404],
  ['/v1/kv/never?raw', 404],
  ['/v1/health/node/never', 200],
  ['/v1/event/list', 200],
])('the index of %s is never 0, and there also with %i', async (url, status) => {
  await using api = await startTestApi();
  const reply = await api.ask('GET', url);
  expect([reply.status, reply.headers['x-consul-index']]).toEqual([status, '1']);
  expect(reply.headers['x-consul-lastcontact']).toBe('0');
});

test.each(['', '?index=0', '?index=', '?index=1', '?index=0&wait=10m'])(
  'a read with %j answers at once',
  async (query) => {
    await using api = await startWeb();
    expect((await api.ask('GET', `/v1/health/service/web${query}`)).status).toBe(200);
    expect(api.context.queries.waiters).toBe(0);
  },
);

test('a read with the present index is held until the result changes, and has a newer index then', async () => {
  await using api = await startWeb();
  const before = await api.ask('GET', '/v1/health/service/web?passing');
  const { reply, isDone } = await block(api, `/v1/health/service/web?passing&index=${indexOf(before)}`);
  expect([isDone(), api.context.queries.waiters]).toEqual([false, 1]);
  await turn(api, 'web', 'critical');
  const after = await reply;
  expect(after.json).toEqual([]);
  expect(indexOf(after)).toBeGreaterThan(indexOf(before));
  expect(api.context.queries.waiters).toBe(0);
});

test('a change to another service, key or node wakes nobody', async () => {
  await using api = await startWeb();
  const index = indexOf(await api.ask('GET', '/v1/health/service/web'));
  await api.ask('PUT', '/v1/kv/mine', { body: '1' });
  const kv = indexOf(await api.ask('GET', '/v1/kv/mine'));
  const service = await block(api, `/v1/health/service/web?index=${index}`);
  const key = await block(api, `/v1/kv/mine?index=${kv}`);
  await turn(api, 'db', 'critical');
  await api.ask('PUT', '/v1/kv/other', { body: '2' });
  await settle(api);
  expect([service.isDone(), key.isDone(), api.context.queries.waiters]).toEqual([false, false, 2]);
});

test('a change that the answer does not show wakes nobody', async () => {
  await using api = await startWeb();
  const index = indexOf(await api.ask('GET', '/v1/catalog/service/web'));
  const { isDone } = await block(api, `/v1/catalog/service/web?index=${index}`);
  await turn(api, 'web', 'critical');
  await settle(api);
  expect(isDone()).toBe(false);
});

test('when the time is up the answer has the same index if nothing happened', async () => {
  await using api = await startWeb();
  const index = indexOf(await api.ask('GET', '/v1/health/service/web'));
  const { reply, isDone } = await block(api, `/v1/health/service/web?index=${index}&wait=20ms`);
  await api.clock.advance(19);
  expect(isDone()).toBe(false);
  await api.clock.advance(2);
  expect(indexOf(await reply)).toBe(index);
});

test.each([
  ['', 300_000],
  ['&wait=0', 300_000],
  ['&wait=0s', 300_000],
  ['&wait=120000ms', 120_000],
  ['&wait=1h', 600_000],
  ['&wait=1m30s', 90_000],
])('the time of a read with %j is %i ms', async (wait, ms) => {
  await using api = await startWeb();
  const index = indexOf(await api.ask('GET', '/v1/health/service/web'));
  const { isDone } = await block(api, `/v1/health/service/web?index=${index}${wait}`);
  await api.clock.advance(ms - 1);
  expect(isDone()).toBe(false);
  await api.clock.advance(2);
  expect(isDone()).toBe(true);
});

test.each([
  ['index=x', 'Invalid index'],
  ['index=-1', 'Invalid index'],
  ['index=1.5', 'Invalid index'],
  ['wait=x', 'Invalid wait time'],
  ['wait=10', 'Invalid wait time'],
  ['wait=-1s', 'Invalid wait time'],
  ['max_stale=x', 'Invalid max_stale value "x"'],
  ['stale&consistent', 'Cannot specify ?stale with ?consistent, conflicting semantics.'],
  ['stale=false&consistent=false', 'Cannot specify ?stale with ?consistent, conflicting semantics.'],
  ['cached&consistent', 'Cannot specify ?cached with ?consistent, conflicting semantics.'],
])('%s is 400', async (query, text) => {
  await using api = await startTestApi();
  for (const path of ['catalog/nodes', 'kv/a', 'health/state/any']) {
    const reply = await api.ask('GET', `/v1/${path}?${query}`);
    expect([reply.status, reply.text]).toEqual([400, text]);
  }
});

test.each([
  ['', 'leader'],
  ['?leader', 'leader'],
  ['?stale', 'stale'],
  ['?stale=true', 'stale'],
  ['?max_stale=10s', 'stale'],
  ['?consistent', 'consistent'],
])('the consistency of a read with %j is %s', async (query, consistency) => {
  await using api = await startTestApi();
  const { status, headers } = await api.ask('GET', `/v1/catalog/nodes${query}`);
  expect([status, headers['x-consul-effective-consistency']]).toEqual([200, consistency]);
});

test('?cached is taken and says that nothing was cached', async () => {
  await using api = await startTestApi();
  const { headers } = await api.ask('GET', '/v1/health/service/web?cached');
  expect(headers).toMatchObject({ 'x-cache': 'MISS', age: '0' });
});

test('?max_stale fetches an answer anew that is older', async () => {
  await using api = await startTestApi();
  const real = api.context.store;
  let reads = 0;
  const old: typeof real = Object.create(real, {
    status: { value: () => ({ ...real.status(), lastContactMs: 5_000 }) },
    read: { value: (...args: Parameters<typeof real.read>) => (reads++, real.read(...args)) },
  }) as typeof real;
  Object.assign(api.context, { store: old });
  const kept = await api.ask('GET', '/v1/catalog/nodes?max_stale=10s');
  expect([kept.headers['x-consul-lastcontact'], reads]).toEqual(['5000', 0]);
  expect([(await api.ask('GET', '/v1/catalog/nodes?max_stale=1s')).status, reads]).toEqual([200, 1]);
});

test('an index that is ahead of this server waits for it', async () => {
  await using api = await startWeb();
  const { isDone } = await block(api, '/v1/health/service/web?index=18446744073709551615&wait=1s');
  expect(isDone()).toBe(false);
  await api.clock.advance(1_001);
  expect(isDone()).toBe(true);
});

test('a client that is gone frees its place', async () => {
  await using api = await startWeb();
  const index = indexOf(await api.ask('GET', '/v1/health/service/web'));
  const abort = new AbortController();
  const gone = api.ask('GET', `/v1/health/service/web?index=${index}`, { signal: abort.signal });
  gone.catch(() => undefined);
  await settle(api);
  expect(api.context.queries.waiters).toBe(1);
  abort.abort();
  await settle(api);
  expect(api.context.queries.waiters).toBe(0);
  expect(api.logged).toEqual([]);
});

test('a key that is deleted moves its index forward and wakes who waits for it', async () => {
  await using api = await startTestApi();
  await api.ask('PUT', '/v1/kv/a/b', { body: '1' });
  const index = indexOf(await api.ask('GET', '/v1/kv/a/?recurse'));
  const { reply } = await block(api, `/v1/kv/a/?recurse&index=${index}`);
  await api.ask('DELETE', '/v1/kv/a/b');
  const after = await reply;
  expect(after.status).toBe(404);
  expect(indexOf(after)).toBeGreaterThan(index);
});

test('a key that is created wakes who waits for it with the index of the 404', async () => {
  await using api = await startTestApi();
  const index = indexOf(await api.ask('GET', '/v1/kv/new'));
  const { reply } = await block(api, `/v1/kv/new?index=${index}`);
  await api.ask('PUT', '/v1/kv/new', { body: '1' });
  const after = await reply;
  expect([after.status, indexOf(after) > index]).toEqual([200, true]);
});

test('a node that comes to have the id that somebody waits for wakes them', async () => {
  await using api = await startTestApi();
  const id = '11111111-2222-4333-8444-555555555555';
  const index = indexOf(await api.ask('GET', `/v1/catalog/node/${id}`));
  const { reply } = await block(api, `/v1/catalog/node/${id}?index=${index}`);
  await api.ask('PUT', '/v1/catalog/register', { body: { Node: 'late', Address: '10.0.0.9', ID: id } });
  expect((await reply).json).toMatchObject({ Node: { Node: 'late' } });
});

test('services by node metadata change when the metadata does', async () => {
  await using api = await startTestApi();
  const register = (kind: string): Promise<TestReply> =>
    api.ask('PUT', '/v1/catalog/register', {
      body: { Node: 'x', Address: '10.0.0.9', NodeMeta: { kind }, Service: { Service: 'web' } },
    });
  await register('a');
  const before = await api.ask('GET', '/v1/catalog/services?node-meta=kind:a');
  expect(before.json).toEqual({ web: [] });
  const { reply } = await block(api, `/v1/catalog/services?node-meta=kind:a&index=${indexOf(before)}`);
  await register('b');
  expect((await reply).json).toEqual({});
});
