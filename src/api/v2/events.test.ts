import { PassThrough } from 'node:stream';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { ChangeEvent } from '../../change/index.ts';
import { FakeClock } from '../../lib/index.ts';
import { writeEvents } from './event-writer.ts';
import type { ServerEvent } from './route.ts';
import { toServerEvents } from './routes/events.ts';
import { startTestApi, type TestApi } from './testing.ts';

const REGION = {
  nodes: [{ name: 'staging', consumers: ['environment'] as const, runs: ['app-www'] }],
  definitions: [{ id: 'app-www', requires: { DB: '{DATABASE_URL}' } }],
  datastores: { DATABASE_URL: 'one' },
};

interface Sent {
  readonly id: number;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** What a stream sent, up to the end of the agent. */
async function streamed(
  api: TestApi,
  url: string,
  act: () => Promise<void>,
  headers: Record<string, string> = {},
): Promise<Sent[]> {
  const answer = api.server.inject({ url, headers: { host: '127.0.0.1', ...headers } });
  await api.clock.advance(0);
  await act();
  await api.clock.advance(0);
  await api.changes[Symbol.asyncDispose]();
  const { payload, headers: sent } = await answer;
  expect(sent['content-type']).toBe('text/event-stream; charset=utf-8');
  return parse(payload);
}

function parse(payload: string): Sent[] {
  return payload
    .split('\n\n')
    .filter((block) => block.includes('data:'))
    .map((block) => {
      const [, id, event, data] = /^id: (\d+)\nevent: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      return { id: Number(id), event: event ?? '', data: JSON.parse(data ?? 'null') as Sent['data'] };
    });
}

const kinds = (events: readonly Sent[]): unknown[] => events.map((one) => [one.event, one.id]);

test('GET /v2/events tells of a change, its receipt and its arrival', async () => {
  await using api = await startTestApi(REGION);
  let revision = 0;
  const events = await streamed(api, '/v2/events', async () => {
    revision = await api.registry.setDatastore('default', '-', 'DATABASE_URL', 'two');
    api.receipt({ node: 'staging', kind: 'environment', revision, outcome: 'applied' });
  });
  expect(kinds(events)).toEqual([
    ['change', revision],
    ['receipt', revision],
    ['arrived', revision],
  ]);
  expect(events[0]?.data).toMatchObject({ type: 'change', revision, summary: ['datastore DATABASE_URL'], of: 1 });
  expect(events[1]?.data).toMatchObject({
    type: 'receipt',
    revision,
    receipt: { node: 'staging', kind: 'environment' },
  });
  expect(JSON.stringify(events)).not.toContain('two');
});

type Asked = (first: number) => readonly [url: string, headers: Record<string, string>];

test.each<[string, Asked]>([
  ['?after=', (first) => [`/v2/events?after=${first}`, {}]],
  ['Last-Event-ID', (first) => ['/v2/events', { 'last-event-id': `${first}` }]],
  ['Last-Event-ID before ?after=', (first) => ['/v2/events?after=0', { 'last-event-id': `${first}` }]],
])('GET /v2/events goes on after %s', async (_how, asked) => {
  await using api = await startTestApi(REGION);
  const first = await api.registry.setDatastore('default', '-', 'DATABASE_URL', 'two');
  const second = await api.registry.setDatastore('default', '-', 'DATABASE_URL', 'three');
  const [url, headers] = asked(first);
  expect(kinds(await streamed(api, url, () => Promise.resolve(), headers))).toEqual([['change', second]]);
});

test('GET /v2/events tells of a gap when what was asked for is forgotten', async () => {
  await using api = await startTestApi(REGION);
  const { revision } = api.changes;
  const events = await streamed(api, '/v2/events?after=0', () => Promise.resolve());
  expect(kinds(events)).toEqual([['gap', revision]]);
  expect(events[0]?.data).toMatchObject({ type: 'gap', after: 0, before: revision + 1, revision });
});

test('GET /v2/events ends, and lets go of everything, when the client leaves', async () => {
  await using api = await startTestApi(REGION);
  const leave = new AbortController();
  const asked = api.server.inject({ url: '/v2/events', headers: { host: '127.0.0.1' }, signal: leave.signal });
  await api.clock.advance(0);
  expect(api.clock.pending).toBe(1);
  leave.abort();
  await asked.catch(() => undefined);
  await api.clock.advance(0);
  expect([api.clock.pending, api.logged]).toEqual([0, []]);
});

test('GET /v2/events ends before what happens once the token of its reader has ended', async () => {
  await using api = await startTestApi({ ...REGION, acl: {} });
  await api.context.acl.writes.ensureManagement('root');
  const { token, secret } = (
    await api.context.acl.writes.createToken({
      description: '',
      policies: [{ name: 'global-management' }],
      roles: [],
      serviceIdentities: [],
      nodeIdentities: [],
      local: false,
    })
  ).value;
  const act = async (): Promise<void> => {
    await api.context.acl.writes.deleteToken(token.record.accessor);
    await api.registry.setDatastore('default', '-', 'DATABASE_URL', 'two');
  };
  expect(await streamed(api, '/v2/events', act, { 'x-consul-token': secret })).toEqual([]);
});

test('GET /v2/events and waits end at once when the agent stops', async () => {
  const api = await startTestApi(REGION);
  const revision = await api.registry.setDatastore('default', '-', 'DATABASE_URL', 'two');
  const streaming = api.server.inject({ url: '/v2/events?after=0', headers: { host: '127.0.0.1' } });
  const waiting = api.ask('GET', `/v2/converged/${revision}?wait=10m`);
  await api.clock.advance(0);
  await api[Symbol.asyncDispose]();
  expect((await streaming).payload).toContain('event: change');
  expect(await waiting).toMatchObject({ status: 503, body: { error: { code: 'API_STOPPING' } } });
});

test('toServerEvents() gives an id that never goes back, so that nobody is told twice', async () => {
  const receipt = { node: 'n', kind: 'listener', revision: 5, outcome: 'applied' } as const;
  const events: ChangeEvent[] = [
    { type: 'change', revision: 7, at: '', summary: [], of: 1 },
    { type: 'receipt', receipt, settled: [] },
    { type: 'arrived', revision: 5, of: 1, tookMs: 1 },
    { type: 'change', revision: 8, at: '', summary: [], of: 0 },
  ];
  const sent: ServerEvent[] = [];
  for await (const one of toServerEvents(from(events), 4)) sent.push(one);
  expect(sent.map((one) => one.id)).toEqual([7, 7, 7, 8]);
  expect(sent[1]?.data).toMatchObject({ type: 'receipt', revision: 5 });
});

/** A response whose reader takes only what it is asked to. */
class SlowResponse extends PassThrough {
  status = 0;

  constructor() {
    super({ highWaterMark: 1 });
  }

  writeHead(status: number): this {
    this.status = status;
    return this;
  }
}

function writing(events: AsyncIterable<ServerEvent>, clock = new FakeClock()) {
  const response = new SlowResponse();
  const leave = new AbortController();
  const done = writeEvents({ events, response: response as unknown as ServerResponse, signal: leave.signal, clock });
  return { response, leave, done, clock };
}

test('writeEvents() takes no further event while its reader takes none', async () => {
  let taken = 0;
  async function* counted(): AsyncGenerator<ServerEvent, void> {
    for (; taken < 100; taken++) yield { id: taken, event: 'change', data: {} };
  }
  const { response, done, clock } = writing(counted());
  await clock.advance(0);
  expect(taken).toBeLessThan(3);
  response.resume();
  await done;
  expect([taken, response.status]).toEqual([100, 200]);
});

test('writeEvents() ends while it waits for a reader that leaves', async () => {
  const { leave, done, clock } = writing(
    from(Array.from({ length: 9 }, (_, id) => ({ id, event: 'change', data: {} }))),
  );
  await clock.advance(0);
  leave.abort();
  await done;
  expect(clock.pending).toBe(0);
});

test('writeEvents() gives a sign of life every 15 s', async () => {
  const never = Promise.withResolvers<void>();
  async function* silent(): AsyncGenerator<ServerEvent, void> {
    await never.promise;
    yield* [];
  }
  const { response, done, clock } = writing(silent());
  let text = '';
  response.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await clock.advance(31_000);
  expect(text).toBe('retry: 1000\n\n: ping\n\n: ping\n\n');
  never.resolve();
  await done;
  expect(clock.pending).toBe(0);
});

test('writeEvents() ends the response when the events fail, so that the reader comes back', async () => {
  async function* failing(): AsyncGenerator<ServerEvent, void> {
    yield { id: 1, event: 'change', data: {} };
    throw new Error('too slow');
  }
  const { response, done } = writing(failing());
  response.resume();
  await expect(done).rejects.toThrow('too slow');
  expect(response.writableEnded).toBe(true);
});

async function* from<T>(values: readonly T[]): AsyncGenerator<T, void> {
  yield* values;
}
