import { afterEach, beforeEach, expect, test } from 'vitest';
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
  expect((await list()).json).toEqual([json]);
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
  ['fire/x?node=n1', 400, 'Invalid query parameter: "node"'],
  ['fire/x?service=web&tag=a', 400, 'Invalid query parameter: "service"'],
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
