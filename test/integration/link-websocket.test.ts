import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Agent } from '../../src/agent/agent.ts';
import { loadConfig } from '../../src/agent/config/load-config.ts';
import { testLog } from '../../src/agent/testing.ts';
import { systemClock, TIMING } from '../../src/lib/index.ts';
import { LinkPulse, NodeLink, openNodeChannel, type NodeChannel } from '../../src/link/index.ts';
import type { NodeRegistration } from '../../src/registry/index.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf } from '../../src/registry/testing.ts';
import { until } from '../until.ts';

let folder: string;
let stack: AsyncDisposableStack;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'drover-link-ws-'));
  stack = new AsyncDisposableStack();
});

afterEach(async () => {
  await stack.disposeAsync();
  await rm(folder, { recursive: true, force: true });
});

interface Started {
  readonly agent: Agent;
  readonly url: string;
  readonly log: ReturnType<typeof testLog>;
}

/** A server with a store in memory, in this process. */
async function startServer(settings: object = {}): Promise<Started> {
  const config = await loadConfig({
    server: true,
    store: 'memory:',
    node: 'server',
    httpPort: 0,
    dnsPort: -1,
    timing: 'local',
    dataDir: path.join(folder, 'server'),
    settings,
  });
  const log = testLog();
  const agent = stack.use(await Agent.start({ config, version: '0', log }));
  return { agent, url: agent.httpAddress ?? '', log };
}

function registrationOf(name: string, services = 1): NodeRegistration {
  const instances = Array.from({ length: services }, (_one, n) =>
    instanceRecordOf({ id: `s${n}`, service: `svc-${n}` }),
  );
  const checks = instances.map(({ id }) => checkRecordOf({ id: `c:${id}`, serviceId: id, status: 'passing' }));
  const { external: _external, ...node } = nodeRecordOf({ name, address: '127.0.0.9', consumers: [] });
  return { node, instances, checks };
}

function pulseOf(): LinkPulse {
  return stack.use(new LinkPulse({ clock: systemClock, timing: TIMING.local }));
}

interface Greeting {
  readonly agent?: string;
  readonly epoch?: number;
  readonly token?: string;
  readonly pulse?: LinkPulse;
}

async function connect(url: string, registration: NodeRegistration, said: Greeting = {}): Promise<NodeLink> {
  const { agent = 'a', epoch = Date.now(), pulse = pulseOf(), token = '' } = said;
  const channel = await openNodeChannel({ url, token, pulse });
  return stack.use(
    await NodeLink.connect({ channel, node: registration.node.name, epoch, agent, registration, choices: {} }),
  );
}

interface Answered {
  readonly status: number;
  readonly body: unknown;
}

async function get(url: string, pathname: string, headers: Record<string, string> = {}): Promise<Answered> {
  const response = await fetch(new URL(pathname, url), { headers });
  const text = await response.text();
  return { status: response.status, body: response.ok ? JSON.parse(text) : text };
}

async function nodesOf(url: string): Promise<string[]> {
  const { body } = await get(url, '/v1/catalog/nodes');
  return (body as { Node: string }[]).map((one) => one.Node);
}

describe('a node of another process', () => {
  test('greets, reports and gets its view over a WebSocket', async () => {
    const { url } = await startServer();
    const link = await connect(url, registrationOf('n1', 3));
    expect(link.server).toBe('server');
    const views: unknown[] = [];
    link.onView((view) => views.push(view));
    await until('a view', () => views.length > 0);
    const revision = await link.report([
      { type: 'check', check: checkRecordOf({ id: 'c:s1', serviceId: 's1', status: 'critical' }) },
    ]);
    expect(revision).toBeGreaterThan(link.revision);
    const { body } = await get(url, '/v1/health/service/svc-1?passing');
    expect(body).toEqual([]);
  });

  test('sends on the next link only what the region does not hold, and what it no longer has is gone', async () => {
    const { url } = await startServer();
    const pulse = pulseOf();
    const first = await connect(url, registrationOf('n1', 100), { pulse });
    first.close();
    const given: string[][] = [];
    const registration = registrationOf('n1', 99);
    const changed = {
      ...registration,
      instances: registration.instances.with(7, instanceRecordOf({ id: 's7', service: 'svc-7', port: 7 })),
    };
    const channel = await openNodeChannel({ url, token: '', pulse });
    const recorded = recording(channel, given);
    const link = stack.use(
      await NodeLink.connect({
        channel: recorded,
        node: 'n1',
        epoch: Date.now(),
        agent: 'a',
        registration: changed,
        choices: {},
      }),
    );
    expect(given).toEqual([['s7']]);
    const { body } = await get(url, '/v1/catalog/node/n1');
    expect(Object.keys((body as { Services: object }).Services)).toHaveLength(99);
    expect(await link.sync(changed)).toBeGreaterThanOrEqual(link.revision);
    expect(given).toHaveLength(1);
  });

  test(
    'is noticed to be half-open when it is stopped, and links again when it goes on',
    { timeout: 60_000 },
    async () => {
      const { url } = await startServer();
      const child = await startChild(url, ['stopped']);
      await until('the node is linked', async () => (await nodesOf(url)).includes('stopped'));
      child.kill('SIGSTOP');
      const serf = async (): Promise<string> => {
        const { body } = await get(url, '/v1/health/node/stopped');
        return (
          (body as { CheckID: string; Status: string }[]).find((one) => one.CheckID === 'serfHealth')?.Status ?? ''
        );
      };
      await until('it is down', async () => (await serf()) === 'critical');
      child.kill('SIGCONT');
      await until('it is up again', async () => (await serf()) === 'passing');
    },
  );

  test(
    'is one of a hundred that another process holds, and another agent has its name when they are gone',
    { timeout: 60_000 },
    async () => {
      const { url } = await startServer();
      const names = Array.from({ length: 100 }, (_one, n) => `n${n}`);
      const child = await startChild(url, names);
      await until('all are linked', async () => (await nodesOf(url)).length === 101);
      child.kill('SIGKILL');
      // Agents without a data directory: they have the names of their nodes as soon as those are missed, and nobody has to help.
      const pulse = pulseOf();
      for (const name of ['n0', 'n50', 'n99']) {
        const greet = (): Promise<NodeLink> => connect(url, registrationOf(name), { agent: 'another', pulse });
        await until(`${name} is taken up again`, async () => (await greet().catch(() => null)) !== null);
      }
    },
  );
});

describe('a server', () => {
  test('refuses a link of another protocol with both versions', async () => {
    const { url } = await startServer();
    const channel = await openNodeChannel({ url, token: '', pulse: pulseOf() });
    const other: NodeChannel = {
      send: (message) => channel.send({ ...message, protocol: 99 } as never),
      onMessage: (handle) => channel.onMessage(handle),
      onClose: (handle) => channel.onClose(handle),
      close: (reason) => channel.close(reason),
    };
    const registration = registrationOf('n1');
    await expect(NodeLink.connect({ channel: other, node: 'n1', epoch: 1, registration, choices: {} })).rejects.toThrow(
      'the node speaks link protocol 99, this server speaks 2',
    );
    expect(await nodesOf(url)).toEqual(['server']);
  });

  test(
    'lets the first of two agents of one name keep it, and says so to the other with both addresses',
    { timeout: 60_000 },
    async () => {
      const { url } = await startServer();
      const first = await connect(url, registrationOf('n1'), { agent: 'a' });
      const other = registrationOf('n1');
      const newcomer = { ...other, node: { ...other.node, id: 'other', address: '127.0.0.10' } };
      await expect(connect(url, newcomer, { agent: 'b' })).rejects.toThrow(
        /node name "n1" is held by the agent at 127\.0\.0\.9 .* the one at 127\.0\.0\.10 .*REGISTRY_NODE_NAME_HELD/,
      );
      expect(first.isOpen).toBe(true);
      first.close();
      await until(
        'the first one is down',
        async () => {
          await new Promise((resolve) => setTimeout(resolve, 250));
          const link = await connect(url, newcomer, { agent: 'b' }).catch(() => null);
          return link !== null;
        },
        40_000,
      );
      const { body } = await get(url, '/v1/catalog/node/n1');
      expect(body).toMatchObject({ Node: { Address: '127.0.0.10' } });
    },
  );

  test('takes the same agent at another address at once', async () => {
    const { url } = await startServer();
    const first = await connect(url, registrationOf('n1'), { epoch: 5 });
    const moved = registrationOf('n1');
    await connect(url, { ...moved, node: { ...moved.node, address: '127.0.0.11' } }, { epoch: 6 });
    expect(await first.closed).toBe('the node has connected again');
    const { body } = await get(url, '/v1/catalog/node/n1');
    expect(body).toMatchObject({ Node: { Address: '127.0.0.11' } });
  });

  test('asks for a token that may write the node, with access control on', async () => {
    const { url } = await startServer({
      acl: {
        enabled: true,
        default_policy: 'deny',
        tokens: { initial_management: '11111111-1111-4111-8111-111111111111' },
      },
    });
    const secret = '11111111-1111-4111-8111-111111111111';
    await expect(connect(url, registrationOf('n1'))).rejects.toMatchObject({
      message: expect.stringMatching(/denied|node:write/i),
    });
    await expect(connect(url, registrationOf('n1'), { token: 'no-such-token' })).rejects.toThrow('ACL not found');
    const link = await connect(url, registrationOf('n1'), { token: secret });
    expect(link.isOpen).toBe(true);
  });

  test('ends its links with the reason when it stops', async () => {
    const { url, agent } = await startServer();
    const link = await connect(url, registrationOf('n1'));
    await agent[Symbol.asyncDispose]();
    expect(await link.closed).toBe('the server stops');
  });

  test.each<[string, (socket: WebSocket) => void, RegExp]>([
    ['no JSON', (socket) => socket.send('{'), /not a message of a link/],
    ['no object', (socket) => socket.send('null'), /it is no object/],
    ['binary', (socket) => socket.send(Buffer.from('{}')), /not text/],
    ['an unknown type', (socket) => socket.send('{"type":"attack"}'), /not a message of a link/],
    ['no greeting', (socket) => socket.send('{"type":"ping"}'), /not a greeting/],
    [
      'a greeting without its parts',
      (socket) => socket.send('{"type":"hello","protocol":2}'),
      /not a message of a link: node/,
    ],
    ['a hostile node name', (socket) => socket.send(hello({ node: 'a\u0000b' })), /control character/],
    ['deep nesting', (socket) => socket.send('['.repeat(100_000)), /nests too deep/],
    ['17 MiB', (socket) => socket.send(`"${'x'.repeat(17 * 1024 * 1024)}"`), /1009|Max payload/],
  ])('closes the link of a peer that sends %s, with the reason, and goes on', async (_what, send, reason) => {
    const { url, log } = await startServer();
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v2/link`);
    socket.on('error', () => {});
    await once(socket, 'open');
    const words: string[] = [];
    socket.on('message', (data) => words.push((data as Buffer).toString()));
    send(socket);
    const [code, why] = (await once(socket, 'close')) as [number, Buffer];
    expect(`${code} ${String(why)} ${words.join(' ')}`).toMatch(reason);
    expect(await nodesOf(url)).toEqual(['server']);
    expect(log.lines.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  test('answers an upgrade elsewhere as it does any request, and refuses that of a foreign page', async () => {
    const { url } = await startServer();
    const elsewhere = new WebSocket(`${url.replace('http', 'ws')}/v1/agent/self`);
    await expect(once(elsewhere, 'open')).rejects.toThrow('Unexpected server response: 200');
    const foreign = new WebSocket(`${url.replace('http', 'ws')}/v2/link`, {
      headers: { Origin: 'http://evil.example' },
    });
    await expect(once(foreign, 'open')).rejects.toThrow('Unexpected server response: 403');
    const rebound = new WebSocket(`${url.replace('http', 'ws')}/v2/link`, { headers: { Host: 'evil.example' } });
    await expect(once(rebound, 'open')).rejects.toThrow('Unexpected server response: 403');
  });

  test('cuts a peer that does not read, before much waits for it', { timeout: 60_000 }, async () => {
    const { url } = await startServer();
    const { port } = new URL(url);
    const socket = net.connect(Number(port), '127.0.0.1');
    stack.defer(() => void socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(
      'GET /v2/link HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await once(socket, 'data');
    socket.pause();
    let isClosed = false;
    socket.on('close', () => (isClosed = true));
    // Each question that nobody knows is answered with its own kind: more comes back than goes out, and is never read.
    const question = masked(JSON.stringify({ type: 'ask', id: 1, kind: 'x'.repeat(60), ask: 1 }));
    const node = registrationOf('slow');
    const greeting = hello({ node: 'slow', record: node.node });
    socket.write(masked(greeting));
    const many = Buffer.concat(Array.from({ length: 5_000 }, () => question));
    for (let round = 0; round < 300 && !isClosed; round++) {
      socket.write(many);
      await until('it is written', () => isClosed || socket.writableLength < 10_000_000);
    }
    expect(isClosed).toBe(true);
  });
});

/** Notes the instances that are given over a channel. */
function recording(channel: NodeChannel, given: string[][]): NodeChannel {
  return {
    send(message) {
      if (message.type === 'give') given.push(message.instances.map(({ id }) => id));
      channel.send(message);
    },
    onMessage: (handle) => channel.onMessage(handle),
    onClose: (handle) => channel.onClose(handle),
    close: (reason) => channel.close(reason),
  };
}

function hello(more: object): string {
  const { node: record } = registrationOf('n1');
  const digests = { instances: [], checks: [] };
  return JSON.stringify({
    type: 'hello',
    protocol: 2,
    node: 'n1',
    epoch: 1,
    agent: 'a',
    record,
    digests,
    choices: {},
    ...more,
  });
}

/** A text frame as a client sends it (RFC 6455, 5.2), with a mask of zeros. */
function masked(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const header = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([0x81, ...header, 0, 0, 0, 0]), payload]);
}

/** A process that keeps links for nodes, and makes them again. */
async function startChild(url: string, names: readonly string[]): Promise<ChildProcess> {
  const program = path.join(import.meta.dirname, 'link-websocket-nodes.ts');
  const child = spawn(process.execPath, [program, path.join(folder, 'nodes'), url, ...names], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stack.defer(async () => {
    const ended = once(child, 'exit');
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await ended;
  });
  await once(child.stdout, 'data');
  return child;
}
