import { describe, expect, test } from 'vitest';
import { ApiError, DroverClient, NotDroverError, UnreachableError } from './index.ts';

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
}

/** A client of one canned answer, and what it sent. */
function clientOf(answer: () => Response | Promise<Response>, options: { token?: string; address?: string } = {}) {
  const sent: Sent[] = [];
  const fake = (async (url: URL, init: RequestInit) => {
    sent.push({ url: url.href, init });
    return answer();
  }) as unknown as typeof fetch;
  const client = new DroverClient({ address: 'http://127.0.0.1:8500', fetch: fake, ...options });
  return { client, sent };
}

function json(body: unknown, init: ResponseInit = {}): Response {
  return Response.json(body, init);
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const thrownBy = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

describe('DroverClient requests', () => {
  test.each<[string, (client: DroverClient) => Promise<unknown>, string, string | undefined]>([
    ['status()', (c) => c.status(), 'GET /v2/status', undefined],
    ['services()', (c) => c.services(), 'GET /v2/services', undefined],
    [
      'service()',
      (c) => c.service('a/ b', { federation: 'f&g' }),
      'GET /v2/services/a%2F%20b?federation=f%26g',
      undefined,
    ],
    ['nodes()', (c) => c.nodes(), 'GET /v2/nodes', undefined],
    ['node()', (c) => c.node('n'), 'GET /v2/nodes/n', undefined],
    ['applyDefinitions()', (c) => c.applyDefinitions([{ id: 'a' }]), 'PUT /v2/definitions', '[{"id":"a"}]'],
    [
      'applyDefinitions() dry',
      (c) => c.applyDefinitions([], { dryRun: true }),
      'PUT /v2/definitions?dryRun=true',
      '[]',
    ],
    ['definitions()', (c) => c.definitions(), 'GET /v2/definitions', undefined],
    ['removeDefinition()', (c) => c.removeDefinition('a'), 'DELETE /v2/definitions/a', undefined],
    ['datastores()', (c) => c.datastores({ reveal: false }), 'GET /v2/datastores', undefined],
    ['datastores() revealed', (c) => c.datastores({ reveal: true }), 'GET /v2/datastores?reveal=true', undefined],
    [
      'setDatastore()',
      (c) => c.setDatastore('A', 'é\n', { region: 'aws' }),
      'PUT /v2/datastores/A?region=aws',
      '{"value":"é\\n"}',
    ],
    ['removeDatastore()', (c) => c.removeDatastore('A'), 'DELETE /v2/datastores/A', undefined],
    ['environment()', (c) => c.environment('www', { node: 'n' }), 'GET /v2/environment/www?node=n', undefined],
    ['listener()', (c) => c.listener(), 'GET /v2/listener', undefined],
    ['switchListener()', (c) => c.switchListener('on', { node: 'n' }), 'POST /v2/listener/on?node=n', undefined],
    ['provisions()', (c) => c.provisions(), 'GET /v2/provisions', undefined],
    ['provision()', (c) => c.provision(), 'POST /v2/provisions', undefined],
    ['balancer()', (c) => c.balancer({ node: 'n' }), 'GET /v2/balancer?node=n', undefined],
    ['provisionNode()', (c) => c.provisionNode('a', { cause: 'x' }), 'POST /v2/nodes/a/provisions?cause=x', undefined],
    ['nodeProvisions()', (c) => c.nodeProvisions('a'), 'GET /v2/nodes/a/provisions', undefined],
    ['nodeMachine()', (c) => c.nodeMachine('a b'), 'GET /v2/nodes/a%20b/machine', undefined],
    ['deployment()', (c) => c.deployment('d'), 'GET /v2/deployments/d', undefined],
    ['releaseNode()', (c) => c.releaseNode('a b'), 'PUT /v2/nodes/a%20b/release', undefined],
    [
      'maintenance()',
      (c) => c.maintenance(false, { reason: 'a b' }),
      'PUT /v2/maintenance?reason=a+b&enable=false',
      undefined,
    ],
    ['trace()', (c) => c.trace('latest'), 'GET /v2/trace/latest', undefined],
    [
      'converged()',
      (c) => c.converged(7, { wait: '3s', provisions: true }),
      'GET /v2/converged/7?wait=3s&provisions=true',
      undefined,
    ],
    ['late()', (c) => c.late(), 'GET /v2/late', undefined],
  ])('%s', async (_name, call, line, body) => {
    const { client, sent } = clientOf(() => json({}));
    await call(client);
    const [{ url, init }] = sent as [Sent];
    expect(`${init.method} ${url.replace('http://127.0.0.1:8500', '')}`).toBe(line);
    expect(init.body).toBe(body);
    expect(init.headers).toEqual(body === undefined ? {} : { 'content-type': 'application/json' });
  });

  test('carry the token, and follow no redirection with it', async () => {
    const { client, sent } = clientOf(() => json({}), { token: 't' });
    await client.status();
    expect(sent[0]?.init).toMatchObject({ headers: { 'x-consul-token': 't' }, redirect: 'manual' });
  });

  test.each(['.', '..'])('refuse the name %j, which would lead to another resource', async (name) => {
    const { client, sent } = clientOf(() => json({}));
    await expect(client.removeDefinition(name)).rejects.toThrow(TypeError);
    expect(sent).toEqual([]);
  });
});

describe('DroverClient answers', () => {
  test('give the revision of a change', async () => {
    const { client } = clientOf(() => json({ value: '•••' }, { headers: { 'x-drover-revision': '57' } }));
    expect(await client.setDatastore('A', 'v')).toEqual({ revision: 57, body: { value: '•••' } });
  });

  test('of other paths are text when they are no JSON, or when text is asked for', async () => {
    expect((await clientOf(() => new Response('true')).client.request('/v1/kv/a')).body).toBe('true');
    expect((await clientOf(() => json([1])).client.request('/v1/kv/a')).body).toEqual([1]);
    expect((await clientOf(() => json([1])).client.request('/v1/kv/a', { as: 'text' })).body).toBe('[1]');
  });

  test('without success are what the server said', async () => {
    const error = { code: 'API_X', message: 'no', hint: 'do', place: { line: 3 } };
    const thrown = await thrownBy(clientOf(() => json({ error }, { status: 422 })).client.status());
    expect(thrown).toBeInstanceOf(ApiError);
    expect(thrown).toMatchObject({ status: 422, message: 'no', error });
  });

  test('of /v1 without success are their text', async () => {
    const { client } = clientOf(() => new Response('Missing key name\n', { status: 400 }));
    expect(await thrownBy(client.request('/v1/kv/'))).toMatchObject({
      status: 400,
      error: { code: 'HTTP_400', message: 'Missing key name' },
    });
  });

  test.each([
    [() => new Response('<html>')],
    [() => new Response('nothing here', { status: 404 })],
    [() => new Response('{', { headers: { 'content-type': 'application/json' } })],
    [() => json({ message: 'of another program' }, { status: 500 })],
    [() => new Response(null, { status: 302, headers: { location: 'http://elsewhere/' } })],
  ])('of another program are told from drover’s: %s', async (answer) => {
    expect(await thrownBy(clientOf(answer).client.services())).toBeInstanceOf(NotDroverError);
  });

  test('that never come, or break off, are told with the address', async () => {
    const refused = clientOf(() => Promise.reject(new TypeError('fetch failed')));
    expect(await thrownBy(refused.client.status())).toMatchObject({
      name: 'UnreachableError',
      address: 'http://127.0.0.1:8500',
    });
    const torn = new ReadableStream({ start: (controller) => controller.error(new TypeError('terminated')) });
    const broken = clientOf(() => new Response(torn, { headers: { 'content-type': 'application/json' } }));
    expect(await thrownBy(broken.client.status())).toMatchObject({ name: 'UnreachableError', message: /broke off/ });
  });

  test('that nobody waits for any more end with the reason of the signal', async () => {
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    const { client } = clientOf(() => Promise.reject(abort.signal.reason as Error));
    await expect(client.request('/v2/late', { signal: abort.signal })).rejects.toThrow('enough');
  });
});

describe('DroverClient.events()', () => {
  const stream = (text: string, end?: Error): Response =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(text));
        },
        pull(controller) {
          if (end === undefined) controller.close();
          else controller.error(end);
        },
      }),
    );

  test('gives events with the revision at which a reader goes on', async () => {
    const { client, sent } = clientOf(() => stream('id: 8\ndata: {"type":"receipt","revision":7}\n\n'));
    expect(await collect(client.events({ after: 6 }))).toEqual([{ type: 'receipt', revision: 7, id: 8 }]);
    expect(sent[0]?.url).toBe('http://127.0.0.1:8500/v2/events?after=6');
  });

  test('throws when the stream breaks off, and what the server said', async () => {
    const broken = clientOf(() => stream(': ping\n\n', new TypeError('terminated'))).client;
    await expect(collect(broken.events())).rejects.toThrow(UnreachableError);
    const denied = clientOf(() => json({ error: { code: 'API_FORBIDDEN', message: 'no' } }, { status: 403 })).client;
    await expect(collect(denied.events())).rejects.toThrow(ApiError);
  });

  test('ends without an error when the signal is aborted', async () => {
    const abort = new AbortController();
    const { client } = clientOf(() => stream('id: 1\ndata: {"type":"change","revision":1}\n\n', new Error('aborted')));
    const seen: number[] = [];
    for await (const event of client.events({}, abort.signal)) {
      seen.push(event.revision);
      abort.abort();
    }
    expect(seen).toEqual([1]);
  });
});
