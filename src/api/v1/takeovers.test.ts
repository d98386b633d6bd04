import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';
import { accessByRules } from './testing-access.ts';

const RULES = `service "mine" { policy = "write" }
  service_prefix "" { policy = "read" }
  node_prefix "" { policy = "read" }
  session_prefix "" { policy = "write" }
  key_prefix "geheim" { policy = "write" }
  key_prefix "geheimé/" { policy = "deny" }`;

/** A region whose asker may write the service `mine`, and keys but for those under `geheimé/`. */
const start = (): Promise<TestApi> => startTestApi({ access: accessByRules(RULES) });
const checkOf = (serviceId: string, id: string) => ({
  id,
  name: id,
  serviceId,
  status: 'passing' as const,
  output: '',
  notes: '',
  type: '',
  interval: '',
  timeout: '',
  definition: {},
  since: '2026-01-01T00:00:00.000Z',
});
const instanceOf = (id: string, service: string) => ({
  id,
  service,
  tags: [],
  address: '',
  port: 0,
  taggedAddresses: {},
  meta: {},
  weights: { passing: 1, warning: 1 },
  enableTagOverride: false,
});

async function registerOthers({ context }: TestApi): Promise<void> {
  const node = { name: 'ext', address: '10.0.0.1' };
  const other = instanceOf('other', 'other');
  await context.registry.registerExternal({
    node,
    instance: other,
    checks: [checkOf('other', 'theirs'), checkOf('', 'nodes')],
  });
  await context.registry.registerExternal({ node, instance: instanceOf('mine', 'mine'), checks: [] });
}

test.each(['theirs', 'nodes'])('a transaction may not make the check %s that of its own service', async (CheckID) => {
  await using api = await start();
  await registerOthers(api);
  const Check = { Node: 'ext', CheckID, Name: 'x', ServiceID: 'mine', Status: 'critical' };
  const set = (check: object): Promise<TestReply> =>
    api.ask('PUT', '/v1/txn', { body: [{ Check: { Verb: 'set', Check: check } }] });
  const denied = await set(Check);
  expect([denied.status, denied.text]).toEqual([409, expect.stringContaining('Permission denied')]);
  expect((await set({ ...Check, CheckID: 'new' })).status).toBe(200);
});

test('a service may not be registered over the checks of others', async () => {
  await using api = await start();
  const ttl = { ttlMs: 60_000, initialStatus: 'passing' } as const;
  await api.node.registerService({ instance: instanceOf('o', 'other'), checks: [{ ...ttl, id: 'theirs' }] });
  await api.node.registerService({ instance: instanceOf('web', 'other'), checks: [ttl, ttl] });
  await api.node.registerCheck({ serviceId: '', definition: { ...ttl, id: 'nodes' } });
  const register = async (ID: string, Check: object): Promise<number> =>
    (await api.ask('PUT', '/v1/agent/service/register', { body: { ID, Name: 'mine', Check } })).status;
  expect(await register('m', { CheckID: 'theirs', TTL: '10s' })).toBe(403);
  expect(await register('m', { CheckID: 'nodes', TTL: '10s' })).toBe(403);
  for (const CheckID of ['serfHealth', '_node_maintenance', '_service_maintenance:o'])
    expect(await register('m', { CheckID, TTL: '10s' }), CheckID).toBe(403);
  expect(await register('m', { CheckID: '_service_maintenance:m', TTL: '10s' })).toBe(403);
  // The id of its only check would be that of another service's first.
  expect(await register('web:1', { TTL: '10s' })).toBe(403);
  expect(await register('m', { CheckID: 'own', TTL: '10s' })).toBe(200);
  expect(await register('m', { CheckID: 'own', TTL: '20s' })).toBe(200);
});

test('a check that a service calls serfHealth ends no session of its node', async () => {
  await using api = await start();
  const definition = { ttlMs: 10_000, initialStatus: 'critical', id: 'serfHealth' } as const;
  await api.node.registerService({ instance: instanceOf('mine', 'mine'), checks: [definition] });
  expect((await api.ask('PUT', '/v1/session/create', { body: {} })).status).toBe(200);
});

test('a recursive delete whose prefix ends within a character needs what is under the whole ones', async () => {
  await using api = await start();
  const key = Buffer.from('geheimé/x').toString('latin1');
  await api.context.kvWrites.put(key, Buffer.from('v'));
  for (const prefix of ['geheim', 'geheim%C3', 'geheim%C3%A9', 'geheim%C3%A9/'])
    expect((await api.ask('DELETE', `/v1/kv/${prefix}?recurse`)).status, prefix).toBe(403);
  expect((await api.ask('DELETE', '/v1/kv/geheimes?recurse')).status).toBe(200);
  expect(api.context.kv.get(key)).toBeDefined();
});

test('who may not restore is refused before the archive is read', async () => {
  await using api = await start();
  const body = new PassThrough();
  const reply = api.server.inject({
    method: 'PUT',
    url: '/v1/snapshot',
    headers: { host: '127.0.0.1', 'transfer-encoding': 'chunked' },
    payload: body,
  });
  body.write('the beginning');
  await api.clock.advance(2_000);
  expect([(await reply).statusCode, (await reply).headers['connection']]).toEqual([403, 'close']);
  body.end();
});

test('a transaction does not tell whether there is what its token may not read', async () => {
  await using api = await start();
  await registerOthers(api);
  await api.context.kvWrites.put('hidden', Buffer.from('v'));
  const ask = (body: unknown): Promise<TestReply> => api.ask('PUT', '/v1/txn', { body });
  const get = (Key: string) => ({ KV: { Verb: 'get', Key } });
  for (const key of ['hidden', 'nothing']) {
    const { status, json } = await ask([get(key)]);
    expect([status, json]).toEqual([200, { Results: [], Errors: null }]);
  }
  const missing = await ask([get('hidden'), get('geheimer'), { KV: { Verb: 'set', Key: 'geheim', Value: '' } }]);
  expect(missing.json).toEqual({ Results: null, Errors: [{ OpIndex: 1, What: 'key "geheimer" doesn\'t exist' }] });
});

test('a transaction may not register a service under the id of another', async () => {
  await using api = await start();
  await registerOthers(api);
  const Service = { ID: 'other', Service: 'mine' };
  const reply = await api.ask('PUT', '/v1/txn', { body: [{ Service: { Verb: 'set', Node: 'ext', Service } }] });
  expect([reply.status, reply.text]).toEqual([409, expect.stringContaining('Permission denied')]);
});

test('a transaction that lists keys needs list on their prefix, where lists do', async () => {
  const rules = 'key_prefix "l/" { policy = "list" } key_prefix "r/" { policy = "read" }';
  await using api = await startTestApi({ access: accessByRules(rules, { keyListPolicy: true }) });
  const status = async (Key: string): Promise<number> =>
    (await api.ask('PUT', '/v1/txn', { body: [{ KV: { Verb: 'get-tree', Key } }] })).status;
  expect([await status('l/'), await status('r/'), await status('')]).toEqual([200, 409, 409]);
});
