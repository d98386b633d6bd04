import { expect, test } from 'vitest';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';
import { v1Routes } from './routes.ts';

/** Anybody may: whether the server is well, and how to come to a token. */
const FREE: ReadonlySet<string> = new Set([
  'GET status/leader',
  'GET status/peers',
  'GET catalog/datacenters',
  'GET coordinate/datacenters',
  'PUT acl/bootstrap',
  'POST acl/login',
  'POST acl/logout',
  'GET acl/replication',
  // One's own, and that whose secret one knows.
  'GET acl/token/self',
  'GET acl/info/',
  // No mesh: the same nothing for everybody.
  'GET connect/ca/roots',
  'GET agent/connect/ca/roots',
]);

interface Sample {
  /** `$session` and `$query` stand for the ids of those that there are. */
  readonly argument?: string;
  readonly query?: string;
  readonly body?: unknown;
}

/** What a request needs so that it would be done; an argument is `web` unless told. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  'GET kv/': { argument: 'app/a' },
  'PUT kv/': { argument: 'app/a', body: 'v' },
  'DELETE kv/': { argument: 'app/a' },
  'PUT session/create': { body: { Node: 'n1' } },
  'PUT session/destroy/': { argument: '$session' },
  'PUT session/renew/': { argument: '$session' },
  'GET session/info/': { argument: '$session' },
  'GET session/node/': { argument: 'n1' },
  'GET query/': { argument: '$query' },
  'PUT query/': { argument: '$query', body: { Name: 'q', Service: { Service: 'web' } } },
  'DELETE query/': { argument: '$query' },
  'PUT txn': { body: [{ KV: { Verb: 'set', Key: 'app/a', Value: '' } }] },
  'PUT catalog/register': { body: { Node: 'n9', Address: '10.0.0.9' } },
  'PUT catalog/deregister': { body: { Node: 'n2' } },
  'GET catalog/node/': { argument: 'n2' },
  'GET catalog/node-services/': { argument: 'n2' },
  'GET health/node/': { argument: 'n2' },
  'GET health/state/': { argument: 'any' },
  'GET coordinate/node/': { argument: 'n2' },
  'PUT coordinate/update': { body: { Node: 'n2' } },
  'PUT agent/service/register': { body: { Name: 'other' } },
  'PUT agent/service/maintenance/': { query: 'enable=true' },
  'PUT agent/check/register': { body: { Name: 'c', TTL: '10s' } },
  'PUT agent/check/update/': { body: { Status: 'passing' } },
  'PUT agent/maintenance': { query: 'enable=true' },
  'PUT agent/token/': { argument: 'default', body: { Token: 'x' } },
  'POST query': { body: { Name: 'q', Service: { Service: 'web' } } },
  'PUT acl/token/': { body: {} },
  'PUT acl/policy': { body: { Name: 'p' } },
  'PUT acl/role': { body: { Name: 'r' } },
};

const EMPTY: readonly string[] = ['[]', '{}', 'null', ''];

interface Closed extends AsyncDisposable {
  readonly api: TestApi;
  readonly ids: Readonly<Record<string, string>>;
}

/** A region with one of everything, closed to whoever shows no token. */
async function start(legacy: boolean): Promise<Closed> {
  const api = await startTestApi({ legacy, acl: {}, nodes: [{ name: 'n2', services: ['db', 'web'] }] });
  await api.context.acl.writes.ensureManagement('root');
  const ask = (method: string, path: string, body: unknown): Promise<TestReply> =>
    api.ask(method, `/v1/${path}`, { body, headers: { 'x-consul-token': 'root' } });
  const replies = [
    await ask('PUT', 'agent/service/register', { Name: 'web', Check: { CheckID: 'web', TTL: '10s' } }),
    await ask('PUT', 'kv/app/a', 'x'),
    await ask('PUT', 'session/create', { Node: 'n1' }),
    await ask('PUT', 'event/fire/e', ''),
    await ask('POST', 'query', { Name: 'q', Service: { Service: 'web' } }),
  ];
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  const [, , session, , query] = replies.map((reply) =>
    reply.text.includes('"ID"') ? (reply.json as { ID: string }).ID : '',
  );
  return {
    api,
    ids: { $session: session ?? '', $query: query ?? '' },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

test.each([false, true])(
  'every endpoint of /v1 is denied to whoever may nothing, or shows nothing (legacy %s)',
  async (legacy) => {
    await using closed = await start(legacy);
    const { api, ids } = closed;
    const open: string[] = [];
    for (const { path, methods } of v1Routes(api.context)) {
      for (const method of Object.keys(methods)) {
        const name = `${method} ${path}`;
        if (FREE.has(name)) continue;
        const { argument = 'web', query = '', body } = SAMPLES[name] ?? {};
        const url = `/v1/${path}${path.endsWith('/') ? encodeURI(ids[argument] ?? argument) : ''}?${query}`;
        const before = api.context.feed.revision;
        const { status, text } = await api.ask(method, url, body === undefined ? {} : { body });
        const isDenied = status === 403 || ([200, 404].includes(status) && EMPTY.includes(text.trim()));
        const isRolledBack = status === 409 && text.includes('Permission denied');
        // What is left out for everybody, or refused as 404 so that nobody learns what there is.
        const isNothing = status === 404 && /under legacy only|^Query not found/.test(text);
        if (!isDenied && !isRolledBack && !isNothing) open.push(`${name}: ${status} ${text.slice(0, 80)}`);
        if (api.context.feed.revision !== before) open.push(`${name}: changed something`);
      }
    }
    expect(open).toEqual([]);
  },
);

test('what anybody may is answered without a token', async () => {
  await using closed = await start(true);
  const { api } = closed;
  for (const name of FREE) {
    const [method = '', path = ''] = name.split(' ');
    const { status, text } = await api.ask(method, `/v1/${path}${path.endsWith('/') ? 'x' : ''}`);
    const isNamed = status === 200 || (status === 403 && text.includes('no longer allowed')) || status === 501;
    expect([name, isNamed]).toEqual([name, true]);
  }
});

test.each([
  ['GET', 'agent/self', undefined, 'agent "n1" { policy = "read" }'],
  ['PUT', 'agent/service/register', { Name: 'web' }, 'service "web" { policy = "write" }'],
  ['PUT', 'agent/service/deregister/web', undefined, 'service "web" { policy = "write" }'],
  ['PUT', 'agent/check/pass/web', undefined, 'service "web" { policy = "write" }'],
  ['PUT', 'agent/check/register', { Name: 'c', TTL: '10s' }, 'node "n1" { policy = "write" }'],
  ['PUT', 'agent/check/register', { Name: 'c', TTL: '10s', ServiceID: 'web' }, 'service "web" { policy = "write" }'],
  ['PUT', 'agent/maintenance?enable=true', undefined, 'node "n1" { policy = "write" }'],
  ['PUT', 'agent/service/maintenance/web?enable=true', undefined, 'service "web" { policy = "write" }'],
  ['PUT', 'agent/reload', undefined, 'agent "n1" { policy = "write" }'],
  ['PUT', 'catalog/register', { Node: 'n9', Address: '10.0.0.9' }, 'node "n9" { policy = "write" }'],
  [
    'PUT',
    'catalog/register',
    { Node: 'n2', Address: '127.0.0.1', SkipNodeUpdate: true, Service: { Service: 'db' } },
    'service "db" { policy = "write" }',
  ],
  ['PUT', 'catalog/deregister', { Node: 'n2', ServiceID: 'db' }, 'service "db" { policy = "write" }'],
  ['PUT', 'catalog/deregister', { Node: 'n2' }, 'node "n2" { policy = "write" }'],
  ['GET', 'agent/health/service/id/web', undefined, 'service "web" { policy = "read" }'],
  ['PUT', 'event/fire/e', '', 'event "e" { policy = "write" }'],
])('%s %s %j is done by whoever has %s, and by nobody with less', async (method, path, body, rules) => {
  await using closed = await start(false);
  const { api } = closed;
  const { writes } = api.context.acl;
  const none = { description: '', roles: [], serviceIdentities: [], nodeIdentities: [], local: false };
  const statusWith = async (name: string, text: string): Promise<number> => {
    await writes.putPolicy(undefined, { name, description: '', datacenters: [], rules: text });
    const { value } = await writes.createToken({ ...none, policies: [{ name }] });
    const headers = { 'x-consul-token': value.secret };
    return (await api.ask(method, `/v1/${path}`, { headers, ...(body === undefined ? {} : { body }) })).status;
  };
  const less = rules.includes('write') ? rules.replace('write', 'read') : rules.replace('read', 'deny');
  expect(await statusWith('less', less)).toBe(403);
  const status = await statusWith('enough', rules);
  // A TTL check that is just registered is critical, and says so.
  expect([200, 503]).toContain(status);
});
