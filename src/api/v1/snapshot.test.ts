import { expect, test } from 'vitest';
import type { AccessControl } from '../../access/index.ts';
import { TEST_MANAGEMENT } from '../../access/testing.ts';
import { prefixRange } from '../../store/index.ts';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';

const READS = [
  '/v1/kv/app?recurse',
  '/v1/kv/app/a',
  '/v1/kv/never',
  '/v1/catalog/nodes',
  '/v1/catalog/services',
  '/v1/catalog/service/web',
  '/v1/catalog/service/never',
  '/v1/catalog/node/n2',
  '/v1/health/service/web',
  '/v1/health/state/any',
];

const indexOf = (reply: TestReply): number => Number(reply.headers['x-consul-index']);

async function put(api: TestApi, key: string, value: string): Promise<void> {
  expect((await api.ask('PUT', `/v1/kv/${key}`, { body: value })).text).toBe('true');
}

async function save(api: TestApi): Promise<Buffer> {
  const reply = await api.ask('GET', '/v1/snapshot');
  expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/x-gzip']);
  return reply.bytes;
}

/** What clients see, indexes apart. */
async function seen(api: TestApi): Promise<unknown[]> {
  const replies = await Promise.all(READS.map((url) => api.ask('GET', url)));
  return replies.map(({ status, text }) => [status, text.replaceAll(/"(Create|Modify)Index":\d+/g, '')]);
}

test('PUT snapshot brings back all that was, with every index above all that were given out', async () => {
  await using api = await startTestApi({ nodes: [{ name: 'n2', services: ['web'] }], datastores: { DB: 'mysql://1' } });
  await put(api, 'app/a', '1');
  await put(api, 'app/b', '2');
  const before = await seen(api);
  const archive = await save(api);
  await put(api, 'app/a', 'other');
  await put(api, 'app/c', 'new');
  await put(api, 'other', 'new');
  await api.ask('DELETE', '/v1/kv/app/b');
  await api.ask('PUT', '/v1/catalog/deregister', { body: { Node: 'n2' } });
  const last = await Promise.all(READS.map((url) => api.ask('GET', url)));
  const reply = await api.ask('PUT', '/v1/snapshot', { body: archive });
  expect([reply.status, reply.text]).toEqual([200, '']);
  expect(await seen(api)).toEqual(before);
  expect((await api.ask('GET', '/v1/kv/other')).status).toBe(404);
  const now = await Promise.all([...READS, '/v1/kv/other'].map((url) => api.ask('GET', url)));
  const highest = Math.max(...last.map(indexOf));
  for (const [at, one] of now.entries()) expect(indexOf(one), READS[at] ?? 'other').toBeGreaterThan(highest);
  expect(Number(reply.headers['x-drover-revision'])).toBeGreaterThan(highest);
  await put(api, 'app/a', 'after');
  expect(indexOf(await api.ask('GET', '/v1/kv/app/a'))).toBeGreaterThan(Math.max(...now.map(indexOf)));
});

test('PUT snapshot brings back sessions and their locks, events, prepared queries and tokens', async () => {
  await using api = await startTestApi({ acl: { defaultPolicy: 'allow' } });
  await api.context.acl.writes.ensureManagement(TEST_MANAGEMENT);
  const headers = { 'x-consul-token': TEST_MANAGEMENT };
  const ask = (method: string, url: string, body?: unknown) => api.ask(method, url, { body, headers });
  const made = async (method: string, url: string, body?: unknown): Promise<string> => {
    const { status, json, text } = await ask(method, url, body);
    expect([status, text], url).toEqual([200, expect.any(String)]);
    return (json as { ID: string }).ID;
  };
  const session = await made('PUT', '/v1/session/create', { Name: 'kept' });
  await ask('PUT', `/v1/kv/lock?acquire=${session}`, 'x');
  await made('PUT', '/v1/event/fire/deploy', 'x');
  await made('POST', '/v1/query', { Name: 'q', Service: { Service: 'web' } });
  await made('PUT', '/v1/acl/policy', { Name: 'p', Rules: 'key "a" { policy = "read" }' });
  const reads = [
    '/v1/session/list',
    '/v1/kv/lock',
    '/v1/event/list',
    '/v1/query',
    '/v1/acl/policies',
    '/v1/acl/tokens',
  ];
  const seenNow = async (): Promise<string[]> =>
    (await Promise.all(reads.map((url) => ask('GET', url)))).map(({ text }) =>
      text.replaceAll(/"(?:CreateIndex|ModifyIndex|LTime)":\d+/g, ''),
    );
  const before = await seenNow();
  const archive = (await ask('GET', '/v1/snapshot')).bytes;
  await ask('PUT', `/v1/session/destroy/${session}`);
  const other = await made('PUT', '/v1/session/create', { Name: 'other' });
  await made('PUT', '/v1/acl/policy', { Name: 'later', Rules: '' });
  await made('PUT', '/v1/event/fire/later', 'x');
  expect(await seenNow()).not.toEqual(before);
  const last = await Promise.all(reads.map((url) => ask('GET', url)));
  expect((await ask('PUT', '/v1/snapshot', archive)).status).toBe(200);
  expect(await seenNow()).toEqual(before);
  const now = await Promise.all(reads.map((url) => ask('GET', url)));
  for (const [at, url] of reads.entries()) {
    // The index of events is their last id, of which nobody says that it rises; prepared queries have none.
    if (url.includes('event') || url.includes('query')) continue;
    expect(indexOf(now[at] as TestReply), url).toBeGreaterThan(indexOf(last[at] as TestReply));
  }
  expect((await ask('PUT', `/v1/kv/lock?acquire=${other}`, 'x')).status).toBe(500);
  expect((await ask('PUT', `/v1/kv/lock?release=${session}`, 'x')).text).toBe('true');
});

test('PUT snapshot wakes blocked queries whose answer it changed, also those for what is gone', async () => {
  await using api = await startTestApi();
  await put(api, 'a', '1');
  const archive = await save(api);
  await put(api, 'a', '2');
  await put(api, 'b', '1');
  const [a, b] = [await api.ask('GET', '/v1/kv/a'), await api.ask('GET', '/v1/kv/b')];
  const waiting = [
    api.ask('GET', `/v1/kv/a?index=${indexOf(a)}`),
    api.ask('GET', `/v1/kv/b?index=${indexOf(b)}`),
  ] as const;
  await new Promise((resolve) => setImmediate(resolve));
  await api.ask('PUT', '/v1/snapshot', { body: archive });
  const [again, gone] = await Promise.all(waiting);
  expect([(again.json as { Value: string }[])[0]?.Value, gone.status]).toEqual(['MQ==', 404]);
  expect(indexOf(gone)).toBeGreaterThan(indexOf(b));
});

test('PUT snapshot restores into a fresh agent', async () => {
  await using lost = await startTestApi({ definitions: [{ id: 'api', provides: { API_URL: 'x' } }] });
  await put(lost, 'a', '1');
  const archive = await save(lost);
  await using fresh = await startTestApi();
  expect((await fresh.ask('PUT', '/v1/snapshot', { body: archive })).status).toBe(200);
  expect(fresh.context.catalog.definition('default', 'api')).toBeDefined();
  expect(indexOf(await fresh.ask('GET', '/v1/kv/a'))).toBeGreaterThan(indexOf(await lost.ask('GET', '/v1/kv/a')));
});

test('PUT snapshot refuses what is damaged or foreign before anything changes', async () => {
  await using api = await startTestApi();
  await put(api, 'a', '1');
  const archive = await save(api);
  const before = await api.context.store.read(prefixRange(''));
  const cut = archive.subarray(0, archive.length - 20);
  const flipped = Buffer.from(archive);
  flipped[archive.length >> 1] = (flipped[archive.length >> 1] as number) ^ 1;
  for (const body of [cut, flipped, Buffer.from('x'), Buffer.alloc(0)]) {
    const { status, text } = await api.ask('PUT', '/v1/snapshot', { body });
    expect([status, text]).toEqual([400, expect.stringContaining('not a snapshot to restore')]);
  }
  expect(await api.context.store.read(prefixRange(''))).toEqual(before);
});

test('snapshot asks for acl:write', async () => {
  const asked: string[] = [];
  const demand = (...what: string[]): never => {
    asked.push(what.join(' '));
    throw new Error('denied');
  };
  const authority = { id: 'x', accessor: 'x', allows: () => true, allowsUnder: () => true, demand };
  const access: AccessControl = { isEnabled: true, defaultPolicy: 'deny', authorityOf: () => authority };
  await using api = await startTestApi({ access });
  for (const method of ['GET', 'PUT']) expect((await api.ask(method, '/v1/snapshot')).status).toBe(500);
  expect(asked).toEqual(['acl  write', 'acl  write']);
});
