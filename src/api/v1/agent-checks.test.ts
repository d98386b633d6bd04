import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => ask('PUT', 'service/register', { Name: 'web', Check: { TTL: '10s' } }));
afterEach(() => api.node.clear());

const ask = (method: string, path: string, body?: unknown): Promise<TestReply> =>
  api.ask(method, `/v1/agent/${path}`, body === undefined ? {} : { body });
const get = async (path: string): Promise<unknown> => (await api.ask('GET', `/v1/${path}`)).json;

test('a check of the node, and one of a service', async () => {
  expect((await ask('PUT', 'check/register', { Name: 'disk', TTL: '10s', Notes: 'n' })).text).toBe('');
  await ask('PUT', 'check/register', { Name: 'Web up', ID: 'web-up', ServiceID: 'web', TTL: '10s', Status: 'passing' });
  expect(await get('agent/checks')).toMatchObject({
    disk: { Name: 'disk', CheckID: 'disk', Status: 'critical', Notes: 'n', ServiceID: '', ServiceTags: [] },
    'web-up': { Name: 'Web up', Status: 'passing', ServiceID: 'web', ServiceName: 'web' },
  });
  expect(await get('health/checks/web')).toMatchObject([{ CheckID: 'service:web' }, { CheckID: 'web-up' }]);
});

test('the list has no serfHealth', async () => {
  expect(Object.keys((await get('agent/checks')) as object)).toEqual(['service:web']);
});

test.each([
  [{ TTL: '10s' }, 400, 'Missing check name'],
  [{ ID: 'x', TTL: '10s' }, 400, 'Missing check name'],
  [{ Name: 'x', ServiceID: 'none', TTL: '10s' }, 404, 'ServiceID "none" does not exist'],
  [{ Name: 'x', Status: 'fine', TTL: '10s' }, 400, 'Bad check status'],
  [{ Name: 'x' }, 400, 'Invalid check: '],
  [{ Name: 'x', TTL: 'soon' }, 400, 'invalid duration'],
  [{ Name: 'x', TCP: 'a:1', Interval: '10s', Timeout: 'x' }, 400, 'invalid duration'],
  [{ Name: 'x', Args: ['a'], Interval: '10s' }, 400, 'Scripts are disabled on this agent from remote calls'],
  [{ Name: 'x', DockerContainerID: 'a', Args: ['a'], Interval: '10s' }, 400, 'Scripts are disabled on this agent from'],
  [{ Name: 'x', DockerContainerID: 'a', Interval: '10s' }, 400, 'Invalid check: a check in a container needs "args"'],
  [{ Name: 'x', GRPC: 'a', Interval: '10s' }, 400, 'Invalid check: "a" is not host:port/service'],
  [{ Name: 'x', GRPC: 'a:1' }, 400, 'Invalid check: a check needs "interval"'],
  [{ Name: 'x', UDP: 'a:0', Interval: '10s' }, 400, 'Invalid check: "a:0" is not host:port'],
  [{ Name: 'x', H2PING: 'https://a', Interval: '10s' }, 400, 'Invalid check: "https://a" is not host:port'],
  [{ Name: 'x', H2PING: 'a:1', UDP: 'a:1', Interval: '10s' }, 400, 'this one has udp and h2ping'],
  [{ Name: 'x', OSService: '--now x', Interval: '10s' }, 400, 'is not the name of a systemd unit'],
  [{ Name: 'x', AliasService: 'web', TTL: '10s' }, 400, 'this one has ttl and alias_service'],
  [{ Name: 'x', GRPC: 'a:1', GRPCUseTLS: 'yes', Interval: '10s' }, 400, 'expected true or false'],
])('register refuses %j with %i', async (body, status, text) => {
  const answer = await ask('PUT', 'check/register', body);
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(text);
});

test.each([
  ['pass', 'passing'],
  ['warn', 'warning'],
  ['fail', 'critical'],
])('%s sets a TTL check to %s with the note as its output', async (verb, status) => {
  expect(await ask('PUT', `check/${verb}/service:web?note=it+is`)).toMatchObject({ status: 200, text: '' });
  expect(await get('health/checks/web')).toMatchObject([{ Status: status, Output: 'it is' }]);
});

test('update sets status and output', async () => {
  await ask('PUT', 'check/update/service:web', { Status: 'warning', Output: 'slow' });
  expect(await get('agent/checks')).toMatchObject({ 'service:web': { Status: 'warning', Output: 'slow' } });
});

test('a TTL check that is set again in time stays, and one that is not is critical', async () => {
  await ask('PUT', 'check/pass/service:web');
  await api.clock.advance(9_000);
  await ask('PUT', 'check/pass/service:web');
  await api.clock.advance(9_000);
  expect(await get('health/service/web?passing')).toHaveLength(1);
  await api.clock.advance(2_000);
  expect(await get('agent/checks')).toMatchObject({ 'service:web': { Status: 'critical' } });
  expect(((await get('agent/checks')) as Record<string, { Output: string }>)['service:web']?.Output).toMatch(
    /^TTL expired/,
  );
});

test('deregister takes a check out', async () => {
  expect(await ask('PUT', 'check/deregister/service:web')).toMatchObject({ status: 200, text: '' });
  expect([await get('agent/checks'), await get('health/checks/web')]).toEqual([{}, []]);
});

test.each([
  ['check/update/service:web', { Status: 'fine' }, 400, "Invalid check status: 'fine'"],
  ['check/update/service:web', {}, 400, "Invalid check status: ''"],
  ['check/update/none', { Status: 'passing' }, 404, 'Unknown check ID "none"'],
  ['check/pass/none', undefined, 404, 'Unknown check ID "none"'],
  ['check/deregister/none', undefined, 404, 'Unknown check ID "none"'],
  ['check/pass/', undefined, 400, 'Missing check ID'],
  ['check/update/', { Status: 'passing' }, 400, 'Missing check ID'],
  ['check/deregister/', undefined, 400, 'Missing check ID'],
])('PUT %s %j is %i', async (path, body, status, text) => {
  const answer = await ask('PUT', path, body);
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(text);
});

test('a check that is no TTL check is 500 with the text that clients know', async () => {
  await ask('PUT', 'check/register', { Name: 'tcp', TCP: '127.0.0.1:1', Interval: '1h' });
  const answer = await ask('PUT', 'check/pass/tcp');
  expect([answer.status, answer.text]).toEqual([500, 'CheckID "tcp" does not have associated TTL']);
});

test('in legacy mode an unknown check is answered as one without TTL, and GET does what PUT does', async () => {
  await using legacy = await startTestApi({ legacy: true });
  const answer = await legacy.ask('GET', '/v1/agent/check/pass/none');
  expect([answer.status, answer.text]).toEqual([500, 'CheckID "none" does not have associated TTL']);
});

test.each([
  ['pass', 200, 'passing'],
  ['warn', 429, 'warning'],
  ['fail', 503, 'critical'],
])('health of a service after %s is %i %s', async (verb, status, word) => {
  await ask('PUT', `check/${verb}/service:web`);
  expect(await ask('GET', 'health/service/id/web')).toMatchObject({
    status,
    json: { AggregatedStatus: word, Service: { ID: 'web' }, Checks: [{ CheckID: 'service:web' }] },
  });
  expect(await ask('GET', 'health/service/name/web')).toMatchObject({ status, json: [{ AggregatedStatus: word }] });
  expect(await ask('GET', 'health/service/id/web?format=text')).toMatchObject({ status, text: word });
  const headers = { accept: 'text/plain' };
  expect(await api.ask('GET', '/v1/agent/health/service/name/web', { headers })).toMatchObject({ status, text: word });
});

test("health counts the node's checks, maintenance first; without checks it is passing", async () => {
  await ask('PUT', 'service/register', { Name: 'web', ID: 'web2' });
  expect((await ask('GET', 'health/service/id/web2?format=text')).text).toBe('passing');
  expect((await ask('GET', 'health/service/name/web?format=text')).text).toBe('critical');
  await ask('PUT', 'maintenance?enable=true');
  expect(await ask('GET', 'health/service/id/web2?format=text')).toMatchObject({ status: 503, text: 'maintenance' });
});

test.each([
  ['id/none', 404, { AggregatedStatus: 'critical', Service: null, Checks: null }],
  ['name/none', 404, []],
])('health of %s is %i', async (path, status, json) => {
  expect(await ask('GET', `health/service/${path}`)).toMatchObject({ status, json });
  expect((await ask('GET', `health/service/${path}?format=text`)).text).toMatch(/^Service(Id|Name) none not found$/);
});
