import { expect, test } from 'vitest';
import { v2Routes } from './routes.ts';
import { startTestApi, type TestApi } from './testing.ts';

/** Whether the agent is there, and what can be asked of it. */
const FREE: ReadonlySet<string> = new Set(['GET /v2/status', 'GET /v2/openapi.json']);

interface Sample {
  readonly url: string;
  readonly body?: unknown;
}

/** What a request needs so that it would be done, where that is more than its path. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  'GET /v2/trace/{revision}': { url: '/v2/trace/latest' },
  'GET /v2/converged/{revision}': { url: '/v2/converged/1' },
  'GET /v2/nodes/{name}': { url: '/v2/nodes/n1' },
  'GET /v2/nodes/{node}/checks/{check}/history': { url: '/v2/nodes/n1/checks/c/history' },
  'GET /v2/datastores/{name}': { url: '/v2/datastores/DB' },
  'PUT /v2/datastores/{name}': { url: '/v2/datastores/DB', body: { value: 'x' } },
  'DELETE /v2/datastores/{name}': { url: '/v2/datastores/DB' },
  'PUT /v2/definitions': { url: '/v2/definitions', body: [{ id: 'other' }] },
  'PUT /v2/definitions/{id}': { url: '/v2/definitions/other', body: { id: 'other' } },
  'GET /v2/nodes/{name}/provisions': { url: '/v2/nodes/n1/provisions' },
  'POST /v2/nodes/{name}/provisions': { url: '/v2/nodes/n1/provisions' },
  'PUT /v2/deployments/{id}': {
    url: '/v2/deployments/d1',
    body: { group: null, atOnce: 1, mostFailures: 0, nodes: {}, revision: 0 },
  },
  'PUT /v2/nodes/{name}/release': { url: '/v2/nodes/n1/release' },
  'PUT /v2/maintenance': { url: '/v2/maintenance?enable=true' },
  'GET /v2/access/why': { url: '/v2/access/why?token=other&resource=key&level=read' },
};

async function start(): Promise<TestApi> {
  const api = await startTestApi({
    acl: {},
    nodes: [{ name: 'n1', services: ['web'], checks: { c: 'passing' } }],
    definitions: [{ id: 'web' }],
    datastores: { DB: 'mysql://u:p@h/db' },
    listeners: ['n1'],
    balancers: { n1: {} },
  });
  await api.context.acl.writes.ensureManagement('root');
  return api;
}

/** Makes a change that can be undone. */
async function change(api: TestApi): Promise<number> {
  return (await api.context.kvWrites.put('k', Buffer.from('v'), { author: 'a test' })).revision;
}

function sampleOf(method: string, path: string, revision: number): Sample {
  if (path === '/v2/history/undo') return { url: path, body: { revision, kind: 'kv' } };
  return SAMPLES[`${method} ${path}`] ?? { url: path.replaceAll(/\{\w+\}/g, 'web') };
}

test('every route of /v2 is denied to whoever may nothing, or shows nothing', async () => {
  await using api = await start();
  const open: string[] = [];
  const revision = await change(api);
  for (const { method, path } of v2Routes()) {
    const name = `${method} ${path}`;
    if (FREE.has(name)) continue;
    const { url, body } = sampleOf(method, path, revision);
    const before = api.context.feed.revision;
    const answer = await api.ask(method, url, body === undefined ? {} : { body });
    const isEmpty = answer.status === 200 && Array.isArray(answer.body) && answer.body.length === 0;
    const isDenied = answer.status === 403 && answer.body.error.code === 'ACCESS_DENIED';
    // An undo is told that there was no such change.
    const isUnknown = answer.status === 404 && answer.body.error.code === 'CHANGE_UNKNOWN_CHANGE';
    if (!isEmpty && !isDenied && !isUnknown)
      open.push(`${name}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 80)}`);
    if (api.context.feed.revision !== before) open.push(`${name}: changed something`);
  }
  expect(open).toEqual([]);
});

test('whoever may everything is answered, and a token that nobody has is refused everywhere', async () => {
  await using api = await start();
  const revision = await change(api);
  for (const { method, path, streams } of v2Routes()) {
    const { url, body } = sampleOf(method, path, revision);
    const name = `${method} ${path}`;
    const ask = async (token: string): Promise<number> => {
      const headers = { 'x-consul-token': token };
      return (await api.ask(method, url, { headers, ...(body === undefined ? {} : { body }) })).status;
    };
    expect([name, await ask('nobody')]).toEqual([name, FREE.has(name) ? 200 : 403]);
    if (!streams) expect([name, (await ask('root')) === 403]).toEqual([name, false]);
  }
});

test.each([
  ['GET', '/v2/services', 'service "web" { policy = "read" }', 1],
  ['GET', '/v2/nodes', 'node "n1" { policy = "read" }', 1],
  ['GET', '/v2/definitions', 'service "web" { policy = "read" }', 1],
  ['GET', '/v2/services/web', 'service "web" { policy = "read" }', undefined],
  ['PUT', '/v2/definitions/other', 'service "other" { policy = "write" }', undefined],
  ['PUT', '/v2/definitions', 'service "other" { policy = "write" }', undefined],
  ['GET', '/v2/datastores', 'operator = "read"', 1],
  ['GET', '/v2/datastores?reveal', 'operator = "write"', 1],
  ['PUT', '/v2/datastores/DB', 'operator = "write"', undefined],
  ['GET', '/v2/listener', 'agent "n1" { policy = "read" }', undefined],
  ['POST', '/v2/provisions', 'agent "n1" { policy = "write" }', undefined],
  ['PUT', '/v2/nodes/n1/release', 'node "n1" { policy = "write" }', undefined],
  ['PUT', '/v2/maintenance?enable=true', 'node "n1" { policy = "write" }', undefined],
  ['PUT', '/v2/maintenance?enable=true&service=web', 'service "web" { policy = "write" }', undefined],
] as const)('%s %s is done by whoever has %s, and by nobody with less', async (method, url, rules, rows) => {
  await using api = await start();
  const { writes } = api.context.acl;
  const none = { description: '', roles: [], serviceIdentities: [], nodeIdentities: [], local: false };
  const { body } = SAMPLES[`${method} ${url.replace('/other', '/{id}').replace('/DB', '/{name}')}`] ?? {};
  const ask = async (name: string, text: string) => {
    await writes.putPolicy(undefined, { name, description: '', datacenters: [], rules: text });
    const { value } = await writes.createToken({ ...none, policies: [{ name }] });
    const headers = { 'x-consul-token': value.secret };
    return api.ask(method, url, { headers, ...(body === undefined ? {} : { body }) });
  };
  const less = await ask(
    'less',
    rules.includes('write') ? rules.replace('write', 'read') : rules.replace('read', 'deny'),
  );
  expect(less.status === 403 || less.body.length === 0).toBe(true);
  const enough = await ask('enough', rules);
  expect(enough.status).toBe(200);
  if (rows !== undefined) expect(enough.body).toHaveLength(rows);
});
