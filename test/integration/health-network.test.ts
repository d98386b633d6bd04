import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import http2, {
  type Http2Server,
  type Http2Stream,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import https from 'node:https';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CheckDefinition } from '../../src/definition/index.ts';
import { checkRecordOf, HealthChecks } from '../../src/health/index.ts';
import { systemClock, TIMING } from '../../src/lib/index.ts';
import type { CheckRecord } from '../../src/registry/index.ts';

const FILES = path.resolve(import.meta.dirname, '../fixtures/health');
const PAIR = { key: readFileSync(`${FILES}/self-signed.key`), cert: readFileSync(`${FILES}/self-signed.pem`) };

let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  closing = [];
});

interface Running {
  readonly result: () => Promise<CheckRecord>;
  readonly becomes: (status: string) => Promise<CheckRecord>;
  /** What was told, in order. */
  readonly statuses: readonly string[];
}

async function startCheck(definition: CheckDefinition): Promise<Running> {
  const statuses: string[] = [];
  const checks = await HealthChecks.start({
    clock: systemClock,
    random: Math.random,
    timing: TIMING.local,
    scripts: 'refused',
    environment: {},
    onTransition: ({ status }) => statuses.push(status),
  });
  closing.push(async () => checks[Symbol.asyncDispose]());
  checks.add({ ...checkRecordOf(definition, { serviceId: 'web' }), definition });
  const until = (isDone: (record: CheckRecord) => void): Promise<CheckRecord> =>
    vi.waitFor(
      () => {
        const record = checks.record('service:web') as CheckRecord;
        isDone(record);
        return record;
      },
      { timeout: 20_000, interval: 10 },
    );
  return {
    statuses,
    result: () => until(({ status }) => expect(status).not.toBe('unknown')),
    becomes: (wanted) => until(({ status }) => expect(status).toBe(wanted)),
  };
}

/** Listens on a free port; its connections end with the test. */
async function listen(server: Server | Http2Server): Promise<number> {
  const sockets = new Set<Socket>();
  for (const event of ['connection', 'secureConnection']) {
    server.on(event, (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
    });
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const serveBytes = (speak: (socket: Socket) => void): Promise<number> => listen(createServer(speak));

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Buffer) => void;

/** A server of HTTP/2, plain or with TLS, that reads each request whole. */
function serveHttp2(answer: Answer, { secure = false } = {}): Promise<number> {
  const server = secure ? http2.createSecureServer(PAIR) : http2.createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => answer(stream, headers, Buffer.concat(chunks)));
  });
  server.on('sessionError', () => {});
  return listen(server);
}

const OK = { ':status': 200, 'content-type': 'application/grpc' };

/** Answers as a gRPC server does: headers, message, trailers. */
function answerGrpc(stream: ServerHttp2Stream, message: readonly number[], trailers: Record<string, string>): void {
  stream.respond(OK, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(Buffer.from([0, 0, 0, 0, message.length, ...message]));
}

/** A health server of gRPC, for the services it is told. */
function serveHealth(services: Record<string, number>, options?: { secure: boolean }): Promise<number> {
  return serveHttp2((stream, headers, body) => {
    if (headers[':path'] !== '/grpc.health.v1.Health/Check' || headers.te !== 'trailers')
      return stream.respond({ ...OK, 'grpc-status': '12' }, { endStream: true });
    const service = body.subarray(7).toString();
    const status = services[service];
    if (status !== undefined) answerGrpc(stream, [8, status], { 'grpc-status': '0' });
    else stream.respond({ ...OK, 'grpc-status': '5', 'grpc-message': 'unknown%20service' }, { endStream: true });
  }, options);
}

describe('gRPC checks', () => {
  test.each([
    ['', 'passing', 'success'],
    ['/', 'passing', 'success'],
    ['/web', 'passing', 'success'],
    ['/sick', 'critical', 'NOT_SERVING'],
    ['/none', 'critical', 'NOT_FOUND: unknown service'],
  ])('of %j is %s', async (service, status, text) => {
    const port = await serveHealth({ '': 1, web: 1, sick: 2 });
    const grpc = `127.0.0.1:${port}${service}`;
    const { result } = await startCheck({ grpc });
    expect(await result()).toMatchObject({ status, output: `gRPC check ${grpc}: ${text}` });
  });

  test('follows its service, on a connection of its own each time', async () => {
    const services = { web: 1 };
    const port = await serveHealth(services);
    const { becomes } = await startCheck({ grpc: `127.0.0.1:${port}/web`, intervalMs: 1_000 });
    await becomes('passing');
    services.web = 2;
    await becomes('critical');
    services.web = 1;
    await becomes('passing');
  });

  test('counts results as every kind does, before it is critical and before it is passing again', async () => {
    const services = { web: 1 };
    const port = await serveHealth(services);
    const counts = { failuresBeforeCritical: 3, failuresBeforeWarning: 2, successBeforePassing: 2 };
    const { becomes, statuses } = await startCheck({
      grpc: `127.0.0.1:${port}/web`,
      intervalMs: 1_000,
      initialStatus: 'passing',
      ...counts,
    });
    services.web = 2;
    await becomes('warning');
    await becomes('critical');
    services.web = 1;
    await becomes('passing');
    expect(statuses).toEqual(['warning', 'critical', 'passing']);
  });

  test('sends its deadline, and nothing that a server could mistake', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const port = await serveHttp2((stream, headers) => {
      seen.push(headers);
      answerGrpc(stream, [8, 1], { 'grpc-status': '0' });
    });
    const { becomes } = await startCheck({ grpc: `127.0.0.1:${port}`, timeoutMs: 2_500 });
    await becomes('passing');
    expect(seen[0]).toMatchObject({
      ':method': 'POST',
      ':scheme': 'http',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': '2500m',
    });
  });

  test.each<[string, Answer, RegExp]>([
    [
      'another status of HTTP',
      (stream) => stream.respond({ ':status': 404 }, { endStream: true }),
      /: HTTP status 404$/,
    ],
    ['no grpc-status', (stream) => stream.respond(OK, { endStream: true }), /: the answer has no grpc-status$/],
    [
      'no message',
      (stream) => stream.respond({ ...OK, 'grpc-status': '0' }, { endStream: true }),
      /no health response/,
    ],
    ['a status that is none', (stream) => answerGrpc(stream, [8, 1], { 'grpc-status': '77' }), /: status 77$/],
    [
      'a message that cannot be decoded',
      (stream) => answerGrpc(stream, [8, 1], { 'grpc-status': '14', 'grpc-message': '100%' }),
      /: UNAVAILABLE: 100%$/,
    ],
    ['a reset', (stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR), /NGHTTP2_INTERNAL_ERROR/],
    ['a flood', flood, /more than 4096 bytes/],
    ['nothing', () => undefined, /: no answer within 1s$/],
    ['headers and nothing more', (stream) => stream.respond(OK), /: no answer within 1s$/],
  ])('with %s is critical', async (_what, answer, output) => {
    const port = await serveHttp2(answer);
    const { result } = await startCheck({ grpc: `127.0.0.1:${port}/web`, timeoutMs: 1_000 });
    const record = await result();
    expect(record.status).toBe('critical');
    expect(record.output).toMatch(output);
  });

  test('over TLS takes a certificate that nobody vouches for only when told', async () => {
    const port = await serveHealth({ '': 1 }, { secure: true });
    const grpc = `127.0.0.1:${port}`;
    const trusting = await startCheck({ grpc, grpcUseTls: true, tlsSkipVerify: true });
    expect((await trusting.result()).status).toBe('passing');
    const verifying = await startCheck({ grpc, grpcUseTls: true });
    expect(await verifying.result()).toMatchObject({
      status: 'critical',
      output: expect.stringContaining('self-signed'),
    });
    const plain = await startCheck({ grpc, timeoutMs: 1_000 });
    expect((await plain.result()).status).toBe('critical');
  });
});

describe('H2PING checks', () => {
  test('pass when the PING is answered, with and without TLS', async () => {
    const plain = await startCheck({ h2ping: `127.0.0.1:${await serveHttp2(() => {})}`, h2pingUseTls: false });
    expect((await plain.result()).output).toMatch(/^HTTP2 ping 127\.0\.0\.1:\d+: Success$/);
    const secure = await serveHttp2(() => {}, { secure: true });
    const trusting = await startCheck({ h2ping: `127.0.0.1:${secure}`, tlsSkipVerify: true });
    expect((await trusting.result()).status).toBe('passing');
    const verifying = await startCheck({ h2ping: `127.0.0.1:${secure}` });
    expect((await verifying.result()).output).toContain('self-signed');
  });

  test.each([
    ['says nothing', () => {}, /no answer within 500ms/],
    ['hangs up', (socket: Socket) => socket.destroy(), /closed|ECONNRESET|cancell?ed/i],
    [
      'speaks HTTP/1',
      (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /protocol|closed|cancell?ed/i,
    ],
  ])('of a server that %s is critical in time', async (_what, speak: (socket: Socket) => void, output) => {
    const port = await serveBytes(speak);
    const { result } = await startCheck({ h2ping: `127.0.0.1:${port}`, h2pingUseTls: false, timeoutMs: 500 });
    const record = await result();
    expect(record.status).toBe('critical');
    expect(record.output).toMatch(output);
  });
});

describe('TCP checks with TLS', () => {
  test('pass after the handshake, with the name that was asked for', async () => {
    const names: (string | false | null)[] = [];
    const server = tls.createServer({ ...PAIR, SNICallback: (name, done) => (names.push(name), done(null)) });
    server.on('tlsClientError', () => {});
    const port = await listen(server);
    const tcp = `127.0.0.1:${port}`;
    const trusting = await startCheck({ tcp, tcpUseTls: true, tlsSkipVerify: true, tlsServerName: 'web.example' });
    expect(await trusting.result()).toMatchObject({ status: 'passing', output: `TCP connect ${tcp}: Success` });
    expect(names).toEqual(['web.example']);
    const verifying = await startCheck({ tcp, tcpUseTls: true });
    expect((await verifying.result()).output).toContain('self-signed');
  });

  test('are critical in time where nobody shakes hands', async () => {
    const port = await serveBytes(() => {});
    const { result } = await startCheck({ tcp: `127.0.0.1:${port}`, tcpUseTls: true, timeoutMs: 400 });
    expect(await result()).toMatchObject({ status: 'critical', output: expect.stringContaining('no answer within') });
  });
});

test('HTTP checks ask for the name that they are told', async () => {
  const names: string[] = [];
  const server = https.createServer(
    { ...PAIR, SNICallback: (name, done) => (names.push(name), done(null)) },
    (_request, response) => response.end('ok'),
  );
  const http = `https://127.0.0.1:${await listen(server)}/`;
  const { result } = await startCheck({ http, tlsServerName: 'web.example', tlsSkipVerify: true });
  expect((await result()).status).toBe('passing');
  expect(names).toEqual(['web.example']);
});

describe('UDP checks', () => {
  async function serveUdp(answers: boolean): Promise<{ port: number; sizes: number[]; close: () => Promise<void> }> {
    const socket = createSocket('udp4');
    const sizes: number[] = [];
    socket.on('message', (message, from) => {
      sizes.push(message.length);
      if (answers) socket.send('pong', from.port, from.address);
    });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    let isOpen = true;
    const close = async (): Promise<void> => {
      if (isOpen) await new Promise<void>((resolve) => socket.close(resolve));
      isOpen = false;
    };
    closing.push(close);
    return { port: socket.address().port, sizes, close };
  }

  test('pass when something answers, and are critical when the port is refused', async () => {
    const server = await serveUdp(true);
    const { becomes } = await startCheck({ udp: `127.0.0.1:${server.port}`, intervalMs: 1_000 });
    expect((await becomes('passing')).output).toBe(`UDP connect 127.0.0.1:${server.port}: Success`);
    expect(server.sizes[0]).toBe(0);
    await server.close();
    expect((await becomes('critical')).output).toContain('ECONNREFUSED');
  });

  test('pass when nobody says a word until the time is up, as in Consul', async () => {
    const server = await serveUdp(false);
    const startedAt = performance.now();
    const { becomes } = await startCheck({ udp: `127.0.0.1:${server.port}`, timeoutMs: 400 });
    await becomes('passing');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(390);
    expect(server.sizes).toEqual([0]);
  });

  test('are critical for a name that is not known', async () => {
    const { result } = await startCheck({ udp: 'nobody.invalid:53' });
    expect(await result()).toMatchObject({ status: 'critical', output: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) });
  });
});

function flood(stream: Http2Stream): void {
  (stream as ServerHttp2Stream).respond(OK);
  (stream as ServerHttp2Stream).write(Buffer.alloc(100_000));
}
