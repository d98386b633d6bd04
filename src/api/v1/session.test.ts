import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';
import { accessByRules } from './testing-access.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({
    nodes: [
      { name: 'n2', checks: { disk: 'passing', sick: 'critical' }, services: [{ service: 'web', status: 'passing' }] },
      { name: 'outside', external: true },
    ],
  });
});
afterAll(() => api[Symbol.asyncDispose]());

const put = (path: string, body?: unknown): Promise<TestReply> =>
  api.ask('PUT', `/v1/session/${path}`, body === undefined ? {} : { body });
const get = (path: string): Promise<TestReply> => api.ask('GET', `/v1/session/${path}`);

async function create(body?: object): Promise<string> {
  const reply = await put('create', body);
  expect(reply.status, reply.text).toBe(200);
  return (reply.json as { ID: string }).ID;
}

async function info(id: string): Promise<Record<string, unknown> | undefined> {
  return ((await get(`info/${id}`)).json as Record<string, unknown>[])[0];
}

test('a session without a body has the defaults of Consul, and no Checks member', async () => {
  const id = await create();
  expect(id).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  const { CreateIndex, ...rest } = (await info(id)) ?? {};
  expect(rest).toEqual({
    ID: id,
    Name: '',
    Node: 'n1',
    LockDelay: 15_000_000_000,
    Behavior: 'release',
    TTL: '',
    NodeChecks: ['serfHealth'],
    ServiceChecks: null,
    ModifyIndex: CreateIndex,
  });
});

test.each([
  ['15s', 15e9],
  ['0s', 0],
  ['1m30s', 60e9],
  [20, 20e9],
  [2_000_000_000, 2e9],
  ['7', 7e9],
  ['3000000000', 3e9],
  ['1500ms', 1.5e9],
])('LockDelay %j is %d ns', async (LockDelay, ns) => {
  expect(await info(await create({ LockDelay }))).toMatchObject({ LockDelay: ns });
});

test('checks: an empty Checks is none at all, an empty NodeChecks the default; what a client sent as Checks it gets back', async () => {
  expect(await info(await create({ Checks: [] }))).toMatchObject({ NodeChecks: [], Checks: [] });
  expect(await info(await create({ NodeChecks: [] }))).toMatchObject({ NodeChecks: ['serfHealth'] });
  const old = await info(await create({ Node: 'n2', Checks: ['serfHealth', 'disk'] }));
  expect(old).toMatchObject({ Checks: ['serfHealth', 'disk'], NodeChecks: ['serfHealth', 'disk'] });
  const service = { ServiceChecks: [{ ID: 'service:web', Namespace: '' }] };
  expect(await info(await create({ Node: 'n2', ...service }))).toMatchObject(service);
});

test('legacy shows Checks to everyone', async () => {
  await using legacy = await startTestApi({ legacy: true });
  await legacy.ask('PUT', '/v1/session/create');
  expect((await legacy.ask('GET', '/v1/session/list')).json).toMatchObject([{ Checks: ['serfHealth'] }]);
});

test.each([
  [{ Node: 'none' }, 500, 'Missing node registration'],
  [{ NodeChecks: ['none'] }, 500, "Missing check 'none' registration"],
  [{ Node: 'outside' }, 500, "Missing check 'serfHealth' registration"],
  [{ Node: 'n2', NodeChecks: ['sick'] }, 500, "Check 'sick' is in critical state"],
  [{ Behavior: 'keep' }, 500, "Invalid Behavior setting 'keep'"],
  [{ TTL: 'x' }, 500, `Session TTL 'x' invalid: time: invalid duration "x"`],
  [{ TTL: '9s' }, 500, "Invalid Session TTL '9000000000', must be between [10s=24h0m0s]"],
  [{ TTL: '25h' }, 500, "Invalid Session TTL '90000000000000', must be between [10s=24h0m0s]"],
  [{ TTL: '-1s' }, 500, "Invalid Session TTL '-1000000000', must be between [10s=24h0m0s]"],
  [{ LockDelay: 'soon' }, 400, 'Request decode failed: time: invalid duration "soon"'],
  [{ LockDelay: [] }, 400, 'Request decode failed: lockdelay: expected a duration'],
  [{ Name: 7 }, 400, 'Request decode failed: name: expected a string'],
  [{ NodeChecks: 'serfHealth' }, 400, 'Request decode failed: nodechecks: expected a list'],
  [[], 400, 'Request decode failed: body: expected an object'],
  [{ Datacenter: 'elsewhere' }, 500, 'No path to datacenter'],
])('create %j is refused', async (body, status, text) => {
  const reply = await put('create', body);
  expect([reply.status, reply.text]).toEqual([status, text]);
});

test('TTL: none and the least and the longest are taken, keys in any case', async () => {
  for (const TTL of ['', '0s', '10s', '24h']) expect(await info(await create({ TTL }))).toMatchObject({ TTL });
  expect(await info(await create({ ttl: '11s', behavior: 'delete' }))).toMatchObject({
    TTL: '11s',
    Behavior: 'delete',
  });
});

test('a session lapses after its TTL and before twice that, unless it is renewed', async () => {
  const [renewed, left] = [await create({ TTL: '10s' }), await create({ TTL: '10s' })];
  await api.clock.advance(9_900);
  const reply = await put(`renew/${renewed}`);
  expect(reply.json).toMatchObject([{ ID: renewed, TTL: '10s' }]);
  await api.clock.advance(100);
  expect(await info(left)).toBeDefined();
  await api.clock.advance(9_900);
  expect([await info(left), (await info(renewed))?.['ID']]).toEqual([undefined, renewed]);
  await api.clock.advance(20_000);
  expect(await info(renewed)).toBeUndefined();
  const late = await put(`renew/${renewed}`);
  expect([late.status, late.text]).toEqual([404, `Session id '${renewed}' not found`]);
});

test('destroy is idempotent; info of what is not there is an empty list; lists have what there is', async () => {
  const id = await create({ Node: 'n2', Name: 'mine' });
  expect((await get('node/n2')).json).toContainEqual(await info(id));
  expect((await get('list')).json).toContainEqual(await info(id));
  expect((await get('list?filter=Name==mine')).json).toEqual([await info(id)]);
  for (let time = 0; time < 2; time++) expect((await put(`destroy/${id}`)).text).toBe('true');
  expect([(await get(`info/${id}`)).json, (await get('node/none')).json]).toEqual([[], []]);
  expect((await get('node/n2')).json).not.toContainEqual(expect.objectContaining({ ID: id }));
});

test.each([
  ['PUT', 'destroy/', 'Missing session'],
  ['PUT', 'renew/', 'Missing session'],
  ['GET', 'info/', 'Missing session'],
  ['GET', 'node/', 'Missing node name'],
])('%s %s without its argument is 400', async (method, path, text) => {
  const reply = await api.ask(method, `/v1/session/${path}`);
  expect([reply.status, reply.text]).toEqual([400, text]);
});

test('reads block: each wakes for its own session, node or list, and for nothing else', async () => {
  const id = await create({ Node: 'n2' });
  const { headers } = await get(`info/${id}`);
  const index = headers['x-consul-index'] ?? '';
  expect(headers).toMatchObject({ 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' });
  const waits = ['list', 'node/n2', `info/${id}`].map((path) => get(`${path}?index=${index}&wait=60s`));
  await put('create', { Node: 'n1' });
  const [listed] = await Promise.all(waits.slice(0, 1));
  expect(Number(listed?.headers['x-consul-index'])).toBeGreaterThan(Number(index));
  expect(api.context.queries.waiters).toBe(2);
  await put(`destroy/${id}`);
  const [, ofNode, one] = await Promise.all(waits);
  expect(one?.json).toEqual([]);
  expect(Number(ofNode?.headers['x-consul-index'])).toBeGreaterThan(Number(index));
});

test('a session ends with its node, with a check that is deleted or critical, and with one of a service', async () => {
  const { registry } = api.region;
  const external = (name: string) => ({ name, address: '10.0.0.9' });
  const check = (id: string, Status: string, ServiceID = '') => ({ CheckID: id, Name: id, Status, ServiceID });
  const register = (body: object): Promise<TestReply> => api.ask('PUT', '/v1/catalog/register', { body });
  const base = { Node: 'x1', Address: '10.0.0.9' };
  await register({
    ...base,
    Service: { Service: 'db' },
    Checks: [check('c1', 'passing'), check('c2', 'warning', 'db')],
  });
  const bound = { Node: 'x1', NodeChecks: ['c1'], ServiceChecks: [{ ID: 'c2' }] };
  const [first, second] = [await create(bound), await create({ Node: 'x1', Checks: [] })];
  await register({ ...base, Check: check('c2', 'critical', 'db') });
  expect([await info(first), (await info(second))?.['ID']]).toEqual([undefined, second]);
  await register({ ...base, Check: check('c2', 'passing', 'db') });
  const third = await create(bound);
  await registry.deregister({ node: 'x1', checkId: 'c1' });
  await api.clock.advance(1);
  expect(await info(third)).toBeUndefined();
  await registry.deregister({ node: external('x1').name });
  await api.clock.advance(1);
  expect(await info(second)).toBeUndefined();
});

test('serfHealth: a node that is down or left ends its sessions, one that is suspected does not', async () => {
  const id = await create({ Node: 'n2' });
  await api.region.registry.setAlive('n2', { status: 'suspected', since: '' });
  await api.clock.advance(1);
  expect(await info(id)).toBeDefined();
  await api.region.registry.setAlive('n2', { status: 'down', since: '' });
  await api.clock.advance(1);
  expect(await info(id)).toBeUndefined();
  expect((await put('create', { Node: 'n2' })).text).toBe("Check 'serfHealth' is in critical state");
  await api.region.registry.setAlive('n2', { status: 'up', since: '' });
});

test('tokens: creating, destroying and renewing need session:write on the node, reads are filtered', async () => {
  const access = accessByRules('session "n1" { policy = "write" }');
  await using closed = await startTestApi({ hosted: ['n1', 'n2'], access });
  const { id: seen } = await closed.context.sessionWrites.create({ node: 'n1' });
  const { id: hidden } = await closed.context.sessionWrites.create({ node: 'n2' });
  const headers = { 'x-consul-token': 'any' };
  const ask = (method: string, path: string, body?: unknown): Promise<TestReply> =>
    closed.ask(method, `/v1/session/${path}`, { headers, ...(body === undefined ? {} : { body }) });
  const list = await ask('GET', 'list');
  expect((list.json as { ID: string }[]).map((one) => one.ID)).toEqual([seen]);
  expect(list.headers['x-consul-results-filtered-by-acls']).toBe('true');
  for (const path of [`info/${hidden}`, 'node/n2']) expect((await ask('GET', path)).json).toEqual([]);
  for (const [path, body] of [[`destroy/${hidden}`], [`renew/${hidden}`], ['create', { Node: 'n2' }]] as const) {
    const denied = await ask('PUT', path, body);
    expect([denied.status, denied.text.startsWith('Permission denied')], path).toEqual([403, true]);
  }
  expect((await ask('PUT', 'create', { Node: 'n1' })).status).toBe(200);
  expect((await ask('PUT', `destroy/${seen}`)).text).toBe('true');
});
