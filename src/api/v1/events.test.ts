import { afterEach, beforeEach, expect, test } from 'vitest';
import { ALL_ALLOWED, type Authority } from '../../access/index.ts';
import { unauthorized } from '../errors.ts';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api[Symbol.asyncDispose]());

const fire = (path: string, body: string | Buffer = ''): Promise<TestReply> =>
  api.ask('PUT', `/v1/event/fire/${path}`, { body });
const list = (query = ''): Promise<TestReply> => api.ask('GET', `/v1/event/list${query}`);

test('fire answers with the event, all eight members, its payload in base64', async () => {
  const { json } = await fire('deploy', 'now');
  expect(json).toEqual({
    ID: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    Name: 'deploy',
    Payload: 'bm93',
    NodeFilter: '',
    ServiceFilter: '',
    TagFilter: '',
    Version: 1,
    LTime: 0,
  });
  expect((await list()).json).toEqual([{ ...(json as object), LTime: expect.any(Number) as number }]);
});

test('an event without payload has null', async () => {
  expect((await fire('deploy')).json).toMatchObject({ Payload: null });
});

test('list is oldest first, by name if told, the last 256', async () => {
  for (let n = 0; n < 260; n++) await fire(n % 2 === 0 ? 'even' : 'odd', String(n));
  const all = (await list()).json as { Payload: string }[];
  expect(all).toHaveLength(256);
  expect(Buffer.from(all[0]?.Payload ?? '', 'base64').toString()).toBe('4');
  expect((await list('?name=odd')).json).toHaveLength(128);
  expect((await list('?name=none')).json).toEqual([]);
});

test('the index of a list is the two halves of the last UUID, one xor the other', async () => {
  const { ID } = (await fire('a')).json as { ID: string };
  const hex = ID.replaceAll('-', '');
  const index = BigInt(`0x${hex.slice(0, 16)}`) ^ BigInt(`0x${hex.slice(16)}`);
  expect((await list()).headers).toMatchObject({
    'x-consul-index': String(index),
    'x-consul-knownleader': 'true',
    'x-consul-lastcontact': '0',
  });
});

test('list blocks while the index is that of the last event', async () => {
  await fire('a');
  const index = (await list('?name=a')).headers['x-consul-index'] ?? '';
  let done = false;
  const waiting = list(`?name=a&index=${index}`).finally(() => (done = true));
  await api.clock.advance(1_000);
  await fire('b');
  await api.clock.advance(1_000);
  expect(done).toBe(false);
  await fire('a', 'x');
  const { json, headers } = await waiting;
  expect(json).toHaveLength(2);
  expect(headers['x-consul-index']).not.toBe(index);
});

test('list blocks from index 1, answers another index at once, and ends when its time is up', async () => {
  const waiting = list('?index=1&wait=10s');
  await api.clock.advance(10_001);
  expect((await waiting).headers['x-consul-index']).toBe('1');
  await fire('a');
  expect((await list('?index=1')).json).toHaveLength(1);
  expect((await list('?index=0')).json).toHaveLength(1);
});

test('a client that is gone waits no more', async () => {
  const abort = new AbortController();
  const before = api.clock.pending;
  const gone = api.ask('GET', '/v1/event/list?index=1', { signal: abort.signal });
  gone.catch(() => undefined);
  await api.clock.advance(0);
  expect(api.clock.pending).toBe(before + 1);
  abort.abort();
  await api.clock.advance(0);
  expect(api.clock.pending).toBe(before);
});

test.each([
  ['fire/', 400, 'Missing name'],
  ['fire/x?tag=a', 500, 'Cannot provide tag filter without service filter'],
  ['fire/x?node=(', 500, 'Invalid node filter: '],
  ['fire/x?service=(', 500, 'Invalid service filter: '],
  ['fire/x?service=web&tag=(', 500, 'Invalid tag filter: '],
  [`fire/x?node=${'a'.repeat(513)}`, 500, 'Invalid node filter: longer'],
  [`fire/${'n'.repeat(256)}`, 400, 'Name is longer than 255 bytes'],
])('PUT %s is %i, and nothing is fired', async (path, status, text) => {
  const answer = await api.ask('PUT', `/v1/event/${path}`);
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(text);
  expect((await list()).json).toEqual([]);
});

test.each(['index=x', 'wait=x', 'wait=-1s'])('list with %s is 400', async (query) => {
  expect((await list(`?${query}`)).status).toBe(400);
});

test('a payload over its limit is 413', async () => {
  expect((await fire('big', Buffer.alloc(16 * 1024 + 1))).status).toBe(413);
});

test('list?after= leaves out what the asker has, and blocks on all there is', async () => {
  await fire('a');
  const { json, headers } = await list();
  const [{ LTime }] = json as [{ LTime: number }];
  const none = await list(`?after=${LTime}`);
  expect([none.json, none.headers['x-consul-index']]).toEqual([[], headers['x-consul-index']]);
  const waiting = list(`?after=${LTime}&index=${headers['x-consul-index']}`);
  await api.clock.advance(0);
  await fire('b');
  expect((await waiting).json).toMatchObject([{ Name: 'b' }]);
  expect((await list('?after=x')).status).toBe(400);
});

test('an event is for the nodes that its filters match, and each decides for itself', async () => {
  await using two = await startTestApi({ hosted: ['web-1', 'db-1'] });
  const register = (node: string, body: object): Promise<TestReply> =>
    two.ask('PUT', `/v1/agent/service/register?node=${node}`, { body });
  await register('web-1', { Name: 'web', Tags: ['blue'], Port: 80 });
  await register('db-1', { Name: 'db', Tags: ['primary'], Port: 5432 });
  for (const filter of ['node=^web-', 'service=^db$', 'service=web&tag=blue', 'service=db&tag=blue', 'node=x', ''])
    await two.ask('PUT', `/v1/event/fire/e?${filter}`, { body: filter });
  const payloads = async (query: string): Promise<string[]> => {
    const { json } = await two.ask('GET', `/v1/event/list?${query}`);
    return (json as { Payload: string | null }[]).map(({ Payload }) => Buffer.from(Payload ?? '', 'base64').toString());
  };
  expect(await payloads('')).toEqual(['node=^web-', 'service=^db$', 'service=web&tag=blue', '']);
  expect(await payloads('node=web-1')).toEqual(['node=^web-', 'service=web&tag=blue', '']);
  expect(await payloads('node=db-1')).toEqual(['service=^db$', '']);
  expect((await two.ask('GET', '/v1/event/list?node=other')).status).toBe(404);
});

test('an event that was not for an agent is not for it later either', async () => {
  await fire('e?service=web');
  expect((await list()).json).toEqual([]);
  await api.ask('PUT', '/v1/agent/service/register', { body: { Name: 'web' } });
  expect((await list()).json).toEqual([]);
});

test('who waits is not woken by an event that is for somebody else', async () => {
  let done = false;
  const waiting = list('?index=1&wait=10s').finally(() => (done = true));
  await api.clock.advance(0);
  await fire('e?node=somewhere-else');
  await api.clock.advance(1_000);
  expect(done).toBe(false);
  await fire('e');
  expect((await waiting).json).toHaveLength(1);
});

test('filters take time in proportion to their length: (a+)+$ against a long name', async () => {
  const started = performance.now();
  await fire(`e?node=${encodeURIComponent('(a+)+$')}`, 'x');
  await fire(`e?service=${encodeURIComponent('(x+x+)+y')}`);
  await list();
  expect(performance.now() - started).toBeLessThan(1_000);
});

const only = (event: string): Authority => ({
  ...ALL_ALLOWED,
  id: event,
  allows: (resource, name) => resource !== 'event' || name === event,
  demand(resource, name) {
    if (!this.allows(resource, name, 'write')) throw unauthorized(`Permission denied: event:write on "${name}"`);
  },
});

test('a token fires and reads only the events that it may', async () => {
  const access = { isEnabled: true, defaultPolicy: 'deny', authorityOf: (token: string) => only(token) } as const;
  await using guarded = await startTestApi({ access });
  const as = (token: string) => ({ headers: { 'x-consul-token': token } });
  expect((await guarded.ask('PUT', '/v1/event/fire/deploy', as('deploy'))).status).toBe(200);
  expect((await guarded.ask('PUT', '/v1/event/fire/deploy', as('other'))).status).toBe(401);
  const seen = await guarded.ask('GET', '/v1/event/list', as('deploy'));
  expect(seen.json).toHaveLength(1);
  expect(seen.headers['x-consul-results-filtered-by-acls']).toBeUndefined();
  const other = await guarded.ask('GET', '/v1/event/list', as('other'));
  expect(other.json).toEqual([]);
  expect(other.headers).toMatchObject({ 'x-consul-index': '1', 'x-consul-results-filtered-by-acls': 'true' });
});
