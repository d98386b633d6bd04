import { expect, test } from 'vitest';
import { startTestApi, type TestApi, type TestReply } from '../testing.ts';

const SERVICE = { Service: 'redis' };
const NODES = [
  { name: 'a', services: ['redis'] },
  { name: 'b', services: ['redis'] },
];

interface Secured extends AsyncDisposable {
  readonly api: TestApi;
  readonly root: string;
  /** A token that has these rules. */
  readonly token: (rules: string) => Promise<string>;
  readonly ask: (token: string, method: string, path: string, body?: unknown) => Promise<TestReply>;
}

async function start(): Promise<Secured> {
  const api = await startTestApi({ nodes: NODES, acl: {} });
  const ask = (token: string, method: string, path: string, body?: unknown): Promise<TestReply> =>
    api.ask(method, `/v1/${path}`, { headers: { 'x-consul-token': token }, ...(body === undefined ? {} : { body }) });
  const root = ((await ask('', 'PUT', 'acl/bootstrap')).json as { SecretID: string }).SecretID;
  let made = 0;
  const token = async (rules: string): Promise<string> => {
    const name = `policy-${++made}`;
    await ask(root, 'PUT', 'acl/policy', { Name: name, Rules: rules });
    const answer = await ask(root, 'PUT', 'acl/token', { Policies: [{ Name: name }] });
    return (answer.json as { SecretID: string }).SecretID;
  };
  return { api, root, token, ask, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

const idOf = ({ json }: TestReply): string => (json as { ID: string }).ID;
const namesOf = ({ json }: TestReply): string[] => (json as { Name: string }[]).map(({ Name }) => Name);
const nodesOf = ({ json }: TestReply): string[] =>
  (json as { Nodes: { Node: { Node: string } }[] }).Nodes.map(({ Node }) => Node.Node).toSorted();

test('changing a query needs query:write of its name, and of the name it had', async () => {
  await using secured = await start();
  const { ask, root } = secured;
  const writer = await secured.token('query_prefix "app-" { policy = "write" }');
  expect(await ask(writer, 'POST', 'query', { Name: 'other', Service: SERVICE })).toMatchObject({
    status: 403,
    text: expect.stringMatching(/^Permission denied: .* lacks permission 'query:write' on "other"$/),
  });
  const id = idOf(await ask(writer, 'POST', 'query', { Name: 'app-1', Service: SERVICE }));
  const other = idOf(await ask(root, 'POST', 'query', { Name: 'other', Service: SERVICE }));
  expect((await ask(writer, 'PUT', `query/${id}`, { Name: 'mine', Service: SERVICE })).status).toBe(403);
  expect((await ask(writer, 'PUT', `query/${other}`, { Name: 'app-2', Service: SERVICE })).status).toBe(403);
  expect((await ask(writer, 'DELETE', `query/${other}`)).status).toBe(403);
  expect((await ask(writer, 'PUT', `query/${id}`, { Name: 'app-2', Service: SERVICE })).status).toBe(200);
  expect((await ask(writer, 'DELETE', `query/${id}`)).status).toBe(200);
  const template = { Name: '', Template: { Type: 'name_prefix_match' }, Service: SERVICE };
  expect((await ask(writer, 'POST', 'query', template)).status).toBe(403);
  expect((await ask(root, 'POST', 'query', template)).status).toBe(200);
});

test('changing a query without a name needs session:write of the node whose session it hangs on', async () => {
  await using secured = await start();
  const { ask, root } = secured;
  const session = idOf(await ask(root, 'PUT', 'session/create'));
  const query = { Session: session, Service: SERVICE };
  const holder = await secured.token('session_prefix "" { policy = "write" }');
  for (const nobody of ['', await secured.token('session_prefix "" { policy = "read" }')])
    expect((await ask(nobody, 'POST', 'query', query)).status).toBe(403);
  const id = idOf(await ask(holder, 'POST', 'query', query));
  expect((await ask('', 'PUT', `query/${id}`, query)).status).toBe(403);
  expect((await ask('', 'DELETE', `query/${id}`)).status).toBe(403);
  expect((await ask(holder, 'PUT', `query/${id}`, query)).status).toBe(200);
  expect((await ask(holder, 'DELETE', `query/${id}`)).status).toBe(200);
});

test('reading a query needs query:read of its name; one without a name is open to who knows its id', async () => {
  await using secured = await start();
  const { ask, root } = secured;
  const session = idOf(await ask(root, 'PUT', 'session/create'));
  const app = idOf(await ask(root, 'POST', 'query', { Name: 'app-1', Service: SERVICE }));
  const other = idOf(await ask(root, 'POST', 'query', { Name: 'other', Service: SERVICE }));
  const nameless = idOf(await ask(root, 'POST', 'query', { Session: session, Service: SERVICE }));
  const reader = await secured.token('query_prefix "app-" { policy = "read" }');
  expect(namesOf(await ask(root, 'GET', 'query')).toSorted()).toEqual(['', 'app-1', 'other']);
  const list = await ask(reader, 'GET', 'query');
  expect(namesOf(list)).toEqual(['app-1']);
  expect(list.headers['x-consul-results-filtered-by-acls']).toBe('true');
  expect(namesOf(await ask('', 'GET', 'query'))).toEqual([]);
  expect((await ask(reader, 'GET', `query/${app}`)).status).toBe(200);
  expect((await ask(reader, 'GET', `query/${other}`)).status).toBe(403);
  expect((await ask(reader, 'GET', `query/${nameless}`)).status).toBe(200);
  expect((await ask(reader, 'GET', 'query/app-1/explain')).status).toBe(200);
  expect((await ask(reader, 'GET', 'query/other/explain')).status).toBe(403);
  expect((await ask('wrong', 'GET', 'query')).text).toBe('ACL not found');
});

test('executing a query needs no query rule and shows what the token may see', async () => {
  await using secured = await start();
  const { ask, root } = secured;
  await ask(root, 'POST', 'query', { Name: 'q', Service: SERVICE });
  const some = await secured.token('service "redis" { policy = "read" } node "a" { policy = "read" }');
  expect(nodesOf(await ask(root, 'GET', 'query/q/execute'))).toEqual(['a', 'b']);
  const answer = await ask(some, 'GET', 'query/q/execute');
  expect(nodesOf(answer)).toEqual(['a']);
  expect(answer.headers['x-consul-results-filtered-by-acls']).toBe('true');
  expect(nodesOf(await ask('', 'GET', 'query/q/execute'))).toEqual([]);
});

test('a bound token counts for everyone, is never shown or stored, and ends with itself', async () => {
  await using secured = await start();
  const { ask, root, api } = secured;
  const bound = await secured.token('service "redis" { policy = "read" } node "b" { policy = "read" }');
  const query = { Name: 'q', Service: SERVICE, Token: bound };
  const id = idOf(await ask(root, 'POST', 'query', query));
  for (const token of ['', root]) expect(nodesOf(await ask(token, 'GET', 'query/q/execute'))).toEqual(['b']);
  const got = await ask(root, 'GET', `query/${id}`);
  expect(got.json).toMatchObject([{ Token: '<hidden>' }]);
  expect((await ask(root, 'GET', 'query/q/explain')).json).toMatchObject({ Query: { Token: '<hidden>' } });
  const { entries } = await api.context.store.read({ start: '', end: '\u{100}' });
  expect(entries.some(({ value }) => value.includes(bound))).toBe(false);
  // What was read can be sent back; but not by others, who would so borrow a token that they do not have.
  const [sent] = got.json as object[];
  expect((await ask(root, 'PUT', `query/${id}`, sent)).status).toBe(200);
  const writer = await secured.token('query_prefix "" { policy = "write" }');
  expect(await ask(writer, 'PUT', `query/${id}`, { ...sent, Service: { Service: 'other' } })).toMatchObject({
    status: 500,
    text: "Bad Token '<hidden>', it looks like a query definition with a redacted token was submitted",
  });
  expect(nodesOf(await ask('', 'GET', 'query/q/execute'))).toEqual(['b']);
  const { AccessorID } = (await ask(bound, 'GET', 'acl/token/self')).json as { AccessorID: string };
  await ask(root, 'DELETE', `acl/token/${AccessorID}`);
  expect(await ask(root, 'GET', 'query/q/execute')).toMatchObject({ status: 403, text: 'ACL not found' });
  expect((await ask(root, 'PUT', `query/${id}`, { ...query, Token: '' })).status).toBe(200);
  expect(nodesOf(await ask(root, 'GET', 'query/q/execute'))).toEqual(['a', 'b']);
  expect(await ask(root, 'PUT', `query/${id}`, query)).toMatchObject({ status: 403, text: 'ACL not found' });
  expect(await ask(root, 'PUT', `query/${id}`, { ...query, Token: '<hidden>' })).toMatchObject({ status: 500 });
});
