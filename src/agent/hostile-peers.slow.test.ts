import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { systemClock, TIMING } from '../lib/index.ts';
import { LinkPulse, NodeLink, openNodeChannel } from '../link/index.ts';
import { FuzzMessages, seededRandom } from '../link/testing.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf } from '../registry/testing.ts';
import { Agent } from './agent.ts';
import { loadConfig } from './config/load-config.ts';
import { testLog } from './testing.ts';

const SEED = Number(process.env['DROVER_SEED'] ?? 20_260_704);
const ROUNDS = Number(process.env['DROVER_ROUNDS'] ?? 1_200);
const MORE_BYTES = 200 * 1024 * 1024;

let folder: string;
let stack: AsyncDisposableStack;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'drover-hostile-'));
  stack = new AsyncDisposableStack();
});
afterEach(async () => {
  await stack.disposeAsync();
  await rm(folder, { recursive: true, force: true });
});

async function start(name: string, more: object): Promise<string> {
  const options = { node: name, httpPort: 0, dnsPort: -1, timing: 'local', dataDir: path.join(folder, name) } as const;
  const config = await loadConfig({ ...options, ...more });
  const agent = stack.use(await Agent.start({ config, version: '0', log: testLog() }));
  return agent.httpAddress ?? '';
}

async function get(url: string): Promise<number> {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  await response.arrayBuffer();
  return response.status;
}

const { external: _external, ...record } = nodeRecordOf({
  name: 'fuzzed',
  consumers: ['environment'],
  provisionGroup: 'g',
});
const instance = instanceRecordOf({ service: 'api', tags: ['a'], meta: { k: 'v' } });
const check = checkRecordOf({ id: 'up', serviceId: 'api' });
const digests = { instances: [['api', 'x']], checks: [['up', 'y']] };
const hello = {
  type: 'hello',
  protocol: 2,
  node: 'fuzzed',
  epoch: 1_800_000_000_000,
  agent: 'a',
  record,
  digests,
  choices: { A: { instance: 'i', value: 'v' } },
};
const give = { type: 'give', id: 0, instances: [instance], checks: [check] };
const OF_NODES = [
  give,
  {
    type: 'report',
    id: 1,
    transitions: [
      { type: 'check', check },
      { type: 'instance', instance, checks: [check] },
    ],
  },
  {
    type: 'report',
    id: 2,
    transitions: [
      { type: 'node', node: record },
      { type: 'instance-gone', id: 'api' },
    ],
  },
  { type: 'sync', id: 3, digest: 'abc' },
  { type: 'details', id: 4, record, digests },
  { type: 'receipt', receipt: { node: 'server', kind: 'dns', revision: 2 ** 40, outcome: 'applied' } },
  {
    type: 'ask',
    id: 5,
    kind: 'dns',
    ask: {
      packet: 'AAEBAAABAAAAAAAAA2FwaQdzZXJ2aWNlBmNvbnN1bAAAAQAB',
      transport: 'udp',
      maxBytes: 512,
      client: '1.1.1.1',
    },
  },
  { type: 'ask', id: 6, kind: 'access', ask: { secret: 's' } },
  { type: 'ask', id: 7, kind: 'slot', ask: { action: 'take', group: 'g', most: '10%', limitMs: 5 } },
  { type: 'answer', id: 1, answer: { found: ['accepts'] } },
  { type: 'answer-error', id: 1, code: 'X', status: 500, message: 'no' },
  { type: 'ping' },
];
const OF_PEERS = [
  { type: 'greeting', protocol: 1, server: 'server', incarnation: 'i', proof: 'AAAA', consumers: ['dns'] },
  { type: 'told' },
  { type: 'applied', revision: 5 },
  {
    type: 'standings',
    standings: [{ node: 'n', kind: 'dns', applied: 1, outcome: 'applied', took: [[1, 2]], trouble: null }],
  },
  { type: 'renewals', renewals: [['s', 1]] },
  { type: 'later' },
];

/** Says so many things over links of their own, as long as each is open. */
async function speak(url: string, rounds: number, say: (at: number) => string | Buffer): Promise<void> {
  for (let done = 0; done < rounds;) {
    const socket = new WebSocket(url.replace('http', 'ws'));
    socket.on('error', () => undefined);
    await Promise.race([once(socket, 'open'), once(socket, 'close')]);
    const closed = socket.readyState === WebSocket.OPEN ? once(socket, 'close') : Promise.resolve();
    for (let at = 0; at < 12 && socket.readyState === WebSocket.OPEN; at++, done++) {
      socket.send(say(at));
      if (at % 4 === 3) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.close();
    await closed;
  }
}

test(
  'whatever is said over links of nodes and of servers ends its own link at most',
  { timeout: 120_000 },
  async () => {
    const url = await start('server', { server: true, store: 'memory:' });
    const random = seededRandom(SEED);
    const before = process.memoryUsage().heapUsed;
    const greetings = new FuzzMessages(random, [hello]);
    const words = new FuzzMessages(random, OF_NODES);
    await speak(`${url}/v2/link`, ROUNDS, (at) => {
      if (at === 0) return random() < 0.6 ? JSON.stringify(hello) : greetings.text();
      if (at === 1 && random() < 0.7) return JSON.stringify(give);
      return random() < 0.03 ? Buffer.from(words.text()) : words.text();
    });
    const peers = new FuzzMessages(random, OF_PEERS);
    await speak(`${url}/v2/link/server`, ROUNDS / 4, () => peers.text());
    expect(await get(`${url}/v1/catalog/nodes`), `DROVER_SEED=${SEED}`).toBe(200);
    expect(await get(`${url}/v1/health/service/api`)).toBe(200);
    expect(await get(`${url}/v2/nodes`)).toBe(200);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(MORE_BYTES);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v2/link`);
    await once(socket, 'open');
    socket.send(JSON.stringify({ ...hello, node: 'well', record: { ...record, name: 'well' } }));
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(answer.toString())).toMatchObject({ type: 'want' });
    socket.terminate();
  },
);

test('whatever a server says to a node ends the link at most', { timeout: 60_000 }, async () => {
  const random = seededRandom(SEED + 1);
  const messages = new FuzzMessages(random, [
    { type: 'welcome', protocol: 2, server: 's', revision: 1, syncFactor: 1 },
    { type: 'want', id: 0, instances: ['api'], checks: ['up'] },
    { type: 'differs', id: 1 },
    { type: 'reply', id: 1, revision: 5 },
    { type: 'reply-error', id: 1, code: 'X', status: 500, message: 'no' },
    { type: 'order', fence: 1, order: { type: 'provision', skipSettle: true } },
    { type: 'servers', servers: [{ name: 's', url: 'http://10.0.0.1:8500' }] },
    { type: 'ask', id: 1, kind: 'probe', ask: { targets: [{ address: '127.0.0.1', port: 1 }], timeoutMs: 5 } },
    { type: 'answer', id: 1, answer: {} },
    { type: 'pong' },
  ]);
  const server = stack.adopt(new WebSocketServer({ port: 0, host: '127.0.0.1' }), (one) => one.close());
  await once(server, 'listening');
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.send(JSON.stringify({ type: 'welcome', protocol: 2, server: 's', revision: 1, syncFactor: 1 }));
    for (let at = 0; at < 12; at++) socket.send(messages.text());
    socket.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pulse = stack.use(new LinkPulse({ clock: systemClock, timing: TIMING.local }));
  const registration = { node: record, instances: [instance], checks: [check] };
  for (let round = 0; round < ROUNDS / 12; round++) {
    const channel = await openNodeChannel({ url, token: '', pulse });
    const options = { channel, node: 'fuzzed', epoch: 1, agent: 'a', registration, choices: {} };
    const link = await NodeLink.connect(options).catch(() => null);
    link?.sync(registration).catch(() => undefined);
    link?.onView(() => undefined);
    await link?.closed;
  }
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

const ROOT = 'a1a1a1a1-0000-4000-8000-000000000001';
const DENYING = { enabled: true, default_policy: 'deny' };

test('what a token may not see is not seen through an agent, however it is asked', { timeout: 60_000 }, async () => {
  // A server that shows a token of its own where none is shown must not show it for an agent's clients.
  const tokens = { initial_management: ROOT, default: ROOT };
  const server = await start('server', { server: true, store: 'memory:', settings: { acl: { ...DENYING, tokens } } });
  const acl = { ...DENYING, tokens: { agent: ROOT } };
  const agent = await start('joined', { server: false, settings: { retry_join: [server], acl } });
  const ask = (
    url: string,
    headers: Record<string, string> = {},
    method = 'GET',
  ): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(agent);
      const sent = request({ host: hostname, port, path: url, method, headers }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      sent.on('error', reject).end(method === 'PUT' ? 'top-secret' : undefined);
    });
  const put = async (): Promise<number> => (await ask('/v1/kv/hidden', { 'X-Consul-Token': ROOT }, 'PUT')).status;
  await expect.poll(put, { timeout: 20_000 }).toBe(200);
  expect(await ask(`/v1/kv/hidden?raw&tok%65n=${ROOT}`)).toEqual({ status: 200, text: 'top-secret' });
  const tricks: [url: string, headers?: Record<string, string>, method?: string][] = [
    ['/v1/kv/hidden?raw'],
    ['/v1/kv/hidden?raw', { 'X-Consul-Token': 'anonymous', Connection: 'close, x-consul-token' }],
    ['/v1/kv/hidden?raw', { Authorization: 'Bearer anonymous', Connection: 'authorization' }],
    ['/v1/kv/hidden?raw', { 'X-Drover-Node': 'server', 'X-Drover-For': '127.0.0.1' }],
    ['//v1/kv/hidden?raw'],
    ['/v1/kv/hidden', {}, 'PUT'],
    ['/v1/agent/maintenance?enable=true', {}, 'PUT'],
    ['/v1/%61gent/maintenance?enable=true', {}, 'PUT'],
    ['/v2/%6Daintenance?enabled=true', {}, 'PUT'],
    ['/v2/datastores?token=anonymous'],
    [
      '/v2/link',
      {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'Sec-WebSocket-Version': '13',
      },
    ],
    ['/v1/acl/tokens'],
    ['/v1/snapshot'],
  ];
  for (const [url, headers, method] of tricks) {
    const { status, text } = await ask(url, headers, method);
    expect(status, `${method ?? 'GET'} ${url}: ${text}`).toBeGreaterThanOrEqual(400);
    expect(text).not.toContain('top-secret');
  }
  // Lists show what may be seen: nothing.
  for (const url of [
    '/v2/history',
    '/v1/catalog/nodes',
    '/v1/internal/ui/services',
    '/v1/kv/?keys',
    '/v1/session/list',
  ])
    expect((await ask(url)).text.length, url).toBeLessThan(60);
  expect((await ask('/v1/catalog/services', { 'X-Consul-Token': ROOT })).text).toContain('consul');
  expect((await ask('/v1/catalog/services')).text).toBe('{}');
});

const LINES = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'get'];
const PATHS = [
  '/v1/kv/a',
  '/v1/kv/a?recurse&index=1&wait=5ms',
  '/v1/catalog/services',
  '//v1/agent/self',
  '/v1/%61gent/self',
  '/v2/%73tatus',
  '/v2/link',
  '/v2/link/server',
  '/v1/agent/self',
  '/v1/../v1/kv/a',
  '*',
  'http://other/v1/kv/a',
  '/v1/kv/%ff%00',
  '/v1/kv/a#?token=x',
  '/v2/services?token=%zz',
  `/v1/kv/${'x'.repeat(9_000)}`,
  '/v1/event/list?tok%65n=x',
  '/',
  '?',
  '/v1/health/service/web?near=_agent&index=0',
];
const HEADERS = [
  'Connection: close',
  'Connection: X-Consul-Token, Content-Length, Host',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked, identity',
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 5, 5',
  'X-Consul-Token: x',
  'X-Drover-Node: server',
  'X-Drover-For: \u00ff',
  'Origin: http://evil',
  'Expect: 100-continue',
  'Accept-Encoding: gzip',
  'TE: trailers',
  'Host: evil',
  ' folded: x',
  'A: \u0001',
];
const BODIES = [
  '',
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  '0\r\n\r\nGET /v1/kv/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n',
  '\u0000\u0000',
];

/** Sends bytes; resolves when the other end is done with them or has been silent for a while. */
function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let got = '';
    const end = (): void => {
      socket.destroy();
      resolve(got);
    };
    socket.setTimeout(400, end);
    socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1').slice(0, 2_000)));
    socket.on('error', end).on('close', end);
    socket.write(text, 'latin1');
    socket.end();
  });
}

test(
  'whatever is asked through an agent is answered or refused, by it and by its server',
  { timeout: 120_000 },
  async () => {
    const server = await start('server', { server: true, store: 'memory:' });
    const agent = await start('joined', { server: false, settings: { retry_join: [server] } });
    const put = async (): Promise<number> =>
      (await fetch(`${agent}/v1/kv/own`, { method: 'PUT', body: 'value' })).status;
    await expect.poll(put, { timeout: 20_000 }).toBe(200);
    const { pick } = bound(new FuzzMessages(seededRandom(SEED + 2), [{}]));
    const port = Number(new URL(agent).port);
    const odd: string[] = [];
    for (let done = 0; done < ROUNDS; done += 20) {
      const all = Array.from({ length: 20 }, () => {
        const headers = [pick(['Host: localhost', 'Host: 127.0.0.1']), pick(HEADERS), pick(HEADERS), pick(HEADERS)];
        return `${pick(LINES)} ${pick(PATHS)} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${pick(BODIES)}`;
      });
      const replies = await Promise.all(all.map((text) => sendRaw(port, text)));
      odd.push(...replies.filter((reply) => reply !== '' && !/^HTTP\/1\.1 [1-5]\d\d/.test(reply)));
    }
    expect(odd, `DROVER_SEED=${SEED}`).toEqual([]);
    expect(await get(`${agent}/v1/kv/own?raw`)).toBe(200);
    expect(await get(`${server}/v1/kv/own?raw`)).toBe(200);
    expect(await get(`${agent}/v2/status`)).toBe(200);
  },
);

function bound(messages: FuzzMessages): { pick: <T>(list: readonly T[]) => T } {
  return { pick: (list) => messages.pick(list) };
}
