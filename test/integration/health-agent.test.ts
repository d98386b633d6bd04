import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http2, { type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Agent, loadConfig } from '../../src/agent/index.ts';
import { testLog } from '../../src/agent/testing.ts';
import { requireDocker, startDockerEngine } from './docker-engine.ts';

const FILES = path.resolve(import.meta.dirname, '../fixtures/health');
const PAIR = { key: readFileSync(`${FILES}/self-signed.key`), cert: readFileSync(`${FILES}/self-signed.pem`) };
const EVERY = { interval: '1s', timeout: '500ms' };

let stack: AsyncDisposableStack;
let folder: string;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  folder = await mkdtemp(path.join(tmpdir(), 'drover-health-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
});
afterEach(() => stack.disposeAsync());

interface Region {
  get(path: string): Promise<unknown>;
  put(path: string, body?: unknown): Promise<{ status: number; text: string }>;
  /** Resolves when DNS has so many instances of each service. */
  inDns(counts: Record<string, number>): Promise<void>;
  /** What the catalog says of a service's only check of its own. */
  check(service: string): Promise<{ Type: string; Status: string; Output: string; Node: string }>;
}

async function startRegion(config: object): Promise<Region> {
  const file = path.join(folder, 'agent.json');
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  const flags = { httpPort: 0, dnsPort: 0, timing: 'local', store: 'memory:', dataDir: path.join(folder, 'data') };
  const read = await loadConfig({ server: true, configFile: [file], ...flags } as Parameters<typeof loadConfig>[0]);
  const agent = stack.use(await Agent.start({ config: read, version: '0.0.0', log: testLog() }));
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([agent.dnsAddress as string]);
  const get = async (at: string): Promise<unknown> => (await fetch(`${agent.httpAddress}${at}`)).json();
  const count = async (service: string): Promise<number> => {
    const found = await resolver.resolveSrv(`${service}.service.consul`).catch(() => []);
    return found.length;
  };
  return {
    get,
    async put(at, body) {
      const answer = await fetch(`${agent.httpAddress}${at}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body ?? {}),
      });
      return { status: answer.status, text: await answer.text() };
    },
    inDns: (counts) =>
      vi.waitFor(
        async () => {
          const found = await Promise.all(Object.keys(counts).map(async (name) => [name, await count(name)]));
          expect(Object.fromEntries(found)).toEqual(counts);
        },
        { timeout: 30_000, interval: 100 },
      ),
    async check(service) {
      const [found] = (await get(`/v1/health/checks/${service}`)) as Awaited<ReturnType<Region['check']>>[];
      return found as Awaited<ReturnType<Region['check']>>;
    },
  };
}

/** A server on a free port of 127.0.0.1, gone with its connections at the end of the test. */
async function listen(server: Http2Server | Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.defer(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A health server of gRPC whose status can be set: 1 is SERVING. */
async function serveHealth(): Promise<{ port: number; status: number }> {
  const state = { port: 0, status: 1 };
  const server = http2.createServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, state.status]));
  });
  state.port = await listen(server);
  return state;
}

async function serveUdp(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  stack.defer(() => new Promise<void>((resolve) => socket.close(resolve)));
  return socket.address().port;
}

test('every kind of check goes from its file through the agent into the catalog and DNS', async () => {
  const grpc = await serveHealth();
  const h2 = await listen(http2.createServer());
  const secure = await listen(tls.createServer(PAIR).on('tlsClientError', () => {}));
  const udp = await serveUdp();
  const at = (port: number): string => `127.0.0.1:${port}`;
  const services = [
    { name: 'talks', port: grpc.port, check: { grpc: `${at(grpc.port)}/talks`, ...EVERY } },
    { name: 'pings', port: h2, check: { h2ping: at(h2), h2ping_use_tls: false, ...EVERY } },
    { name: 'seals', port: secure, check: { tcp: at(secure), tcp_use_tls: true, tls_skip_verify: true, ...EVERY } },
    { name: 'hears', port: udp, check: { udp: at(udp), ...EVERY } },
    { name: 'scripted', port: 1, check: { args: ['/bin/sh', '-c', 'echo fine'], ...EVERY } },
    { name: 'follows', port: 1, check: { alias_service: 'talks' } },
    { name: 'ghost', port: 1, check: { os_service: 'no-such-unit.service', ...EVERY } },
  ];
  const far = [{ name: 'afar', port: 1, check: { AliasService: 'talks', AliasNode: 'a' } }];
  const region = await startRegion({
    nodes: [
      { name: 'a', services },
      { name: 'b', services: far },
    ],
  });
  const well = { talks: 1, pings: 1, seals: 1, hears: 1, scripted: 1, follows: 1, afar: 1 };
  await region.inDns({ ...well, ghost: 0 });
  const shown = Object.values((await region.get('/v1/agent/checks')) as Record<string, { Type: string }>);
  expect(shown.map(({ Type }) => Type).toSorted()).toEqual([
    'alias',
    'grpc',
    'h2ping',
    'os_service',
    'script',
    'tcp',
    'udp',
  ]);
  grpc.status = 2;
  await region.inDns({ ...well, ghost: 0, talks: 0, follows: 0, afar: 0 });
  const failing = `gRPC check ${at(grpc.port)}/talks: NOT_SERVING`;
  expect(await region.check('talks')).toMatchObject({ Type: 'grpc', Status: 'critical', Output: failing });
  for (const name of ['follows', 'afar']) {
    const output = `Aliased check "Service 'talks' check" failing: ${failing}`;
    expect(await region.check(name)).toMatchObject({ Type: 'alias', Status: 'critical', Output: output });
  }
  grpc.status = 1;
  await region.inDns({ ...well, ghost: 0 });
});

test('aliases follow maintenance, registration and deregistration, on their node and another', async () => {
  const region = await startRegion({
    nodes: [
      { name: 'a', services: [{ name: 'near', port: 1, check: { alias_service: 'db' } }] },
      { name: 'b', services: [{ name: 'far', port: 1, check: { alias_service: 'db', alias_node: 'a' } }] },
    ],
  });
  await region.inDns({ near: 0, far: 0 });
  expect(await region.check('far')).toMatchObject({ Output: 'Service db could not be found on node a' });
  await region.put('/v1/agent/service/register', { Name: 'db', Port: 5, Check: { TTL: '1m', Status: 'passing' } });
  await region.inDns({ db: 1, near: 1, far: 1 });
  await region.put('/v1/agent/check/fail/service:db?note=broken');
  await region.inDns({ db: 0, near: 0, far: 0 });
  await region.put('/v1/agent/check/pass/service:db');
  await region.inDns({ db: 1, near: 1, far: 1 });
  await region.put('/v1/agent/service/maintenance/db?enable=true');
  await region.inDns({ db: 0, near: 0, far: 0 });
  await region.put('/v1/agent/service/maintenance/db?enable=false');
  await region.inDns({ db: 1, near: 1, far: 1 });
  await region.put('/v1/agent/service/deregister/db');
  await region.inDns({ db: 0, near: 0, far: 0 });
});

test('a check of a definition reaches its instances with their address and port', async () => {
  const grpc = await serveHealth();
  const region = await startRegion({ node_name: 'a' });
  const checks = [{ grpc: '{HOST}:{PORT}/{ID}', interval: '1s' }];
  const definition = { id: 'talks', provides: { TALKS: '{HOST}:{PORT}' }, checks };
  expect(await region.put('/v2/definitions/talks', definition)).toMatchObject({ status: 200 });
  await region.put('/v1/agent/service/register', { ID: 't-1', Name: 'talks', Port: grpc.port });
  await region.inDns({ talks: 1 });
  const output = `gRPC check 127.0.0.1:${grpc.port}/t-1: success`;
  await vi.waitFor(async () => expect(await region.check('talks')).toMatchObject({ Type: 'grpc', Output: output }));
  grpc.status = 2;
  await region.inDns({ talks: 0 });
});

test('checks that run commands in containers come from files alone, unless told', async () => {
  const region = await startRegion({ node_name: 'a' });
  const body = { Name: 'c', DockerContainerID: 'c', Args: ['true'], Interval: '1s' };
  expect(await region.put('/v1/agent/check/register', body)).toMatchObject({
    status: 400,
    text: expect.stringContaining('Scripts are disabled on this agent from remote calls'),
  });
  expect(await region.get('/v1/agent/checks')).toEqual({});
});

requireDocker()('with a Docker engine', () => {
  test('a check in a container goes through the agent into DNS, and out with the container', async () => {
    const engine = stack.use(await startDockerEngine());
    const before = process.env['DOCKER_HOST'];
    process.env['DOCKER_HOST'] = engine.host;
    stack.defer(() => {
      if (before === undefined) delete process.env['DOCKER_HOST'];
      else process.env['DOCKER_HOST'] = before;
    });
    const container = await engine.startContainer('web');
    const check = { docker_container_id: container, args: ['/bin/true'], interval: '1s' };
    const region = await startRegion({
      node_name: 'a',
      enable_script_checks: true,
      services: [{ name: 'boxed', port: 1, check }],
    });
    await region.put('/v1/agent/service/register', {
      Name: 'remote',
      Port: 1,
      Check: { DockerContainerID: container, Args: ['/bin/true'], Interval: '1s' },
    });
    await region.inDns({ boxed: 1, remote: 1 });
    expect(await region.check('boxed')).toMatchObject({ Type: 'docker', Status: 'passing' });
    await engine.removeContainer(container);
    await region.inDns({ boxed: 0, remote: 0 });
  });
});
