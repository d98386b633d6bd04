import { readFileSync, readdirSync } from 'node:fs';
import { type IncomingMessage, type ServerResponse, createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CheckDefinition } from '../../src/definition/index.ts';
import { HealthChecks, type HealthChecksOptions, checkRecordOf } from '../../src/health/index.ts';
import { TIMING, systemClock } from '../../src/lib/index.ts';
import type { CheckRecord } from '../../src/registry/index.ts';
import { requireComponent } from '../require-component.ts';

/** Every process of this run's checks has it in its environment. */
const MARK = `drover-test-${process.pid}-${Date.now()}`;

let closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  closing = [];
  try {
    // Killed processes need a moment to be gone.
    await vi.waitFor(() => expect(marked()).toEqual([]), 5_000);
  } finally {
    for (const pid of marked()) process.kill(pid, 'SIGKILL');
  }
});

interface Running {
  readonly checks: HealthChecks;
  readonly told: CheckRecord[];
  readonly add: (definition: CheckDefinition, id?: string) => void;
  /** The record once its status is known. */
  readonly result: (id?: string) => Promise<CheckRecord>;
  readonly becomes: (status: string, withinMs: number, id?: string) => Promise<CheckRecord>;
}

async function startChecks(part: Partial<HealthChecksOptions> = {}): Promise<Running> {
  const told: CheckRecord[] = [];
  const checks = await HealthChecks.start({
    clock: systemClock,
    random: Math.random,
    timing: TIMING.local,
    scripts: 'allowed',
    environment: { ...process.env, TZ: MARK },
    onTransition: (check) => told.push(check),
    ...part,
  });
  closing.push(async () => checks[Symbol.asyncDispose]());
  const becomes = (status: string, withinMs: number, id = 'web'): Promise<CheckRecord> =>
    vi.waitFor(
      () => {
        const record = checks.record(`service:${id}`) as CheckRecord;
        expect(record.status).toBe(status);
        return record;
      },
      { timeout: withinMs, interval: 10 },
    );
  const result = (id = 'web'): Promise<CheckRecord> =>
    vi.waitFor(
      () => {
        const record = checks.record(`service:${id}`) as CheckRecord;
        expect(record.status).not.toBe('unknown');
        return record;
      },
      { timeout: 20_000, interval: 10 },
    );
  const add = (definition: CheckDefinition, id = 'web'): void =>
    void checks.add({ ...checkRecordOf(definition, { serviceId: id }), definition });
  return { checks, told, add, result, becomes };
}

/** Living processes that were started by a check, wherever they went. */
function marked(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => read(`/proc/${pid}/environ`).includes(`TZ=${MARK}`))
    .map(Number);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const serveHttp = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> =>
  `http://127.0.0.1:${await listen(createHttpServer(answer))}`;

/** A server that speaks bytes. */
const serveBytes = async (speak: (socket: Socket) => void): Promise<string> =>
  `http://127.0.0.1:${await listen(createServer(speak))}`;

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await closing.pop()?.();
  return port;
}

describe('script checks', () => {
  test.each([
    [['sh', '-c', 'echo "DISK OK - free space: / 3326 MB (56%);|/=2643MB"'], 'passing', /^DISK OK/],
    [['sh', '-c', 'echo WARNING; exit 1'], 'warning', /^WARNING\n$/],
    [['sh', '-c', 'echo CRITICAL >&2; exit 2'], 'critical', /^CRITICAL\n$/],
    [['sh', '-c', 'exit 3'], 'critical', /^$/],
    [['sh', '-c', 'kill -SEGV $$'], 'critical', /^/],
    [['/nonexistent/check_disk', '-w', '5'], 'critical', /ENOENT/],
  ] as const)('%j is %s', async (args, status, output) => {
    const { add, result } = await startChecks();
    add({ args });
    const record = await result();
    expect(record.status).toBe(status);
    expect(record.output).toMatch(output);
  });

  requireComponent('curl')('with curl', () => {
    test("the document's check follows its service down and up", async () => {
      let server = createHttpServer((_request, response) => response.end('{"cluster_name": "es"}'));
      const port = await listen(server);
      const { add, becomes, told } = await startChecks();
      add({ script: `curl -s http://127.0.0.1:${port}`, intervalMs: 1_000 });
      expect((await becomes('passing', 5_000)).output).toBe('{"cluster_name": "es"}');
      server.close();
      server.closeAllConnections();
      await becomes('critical', 5_000);
      server = createHttpServer((_request, response) => response.end('again'));
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      closing.push(async () => server.close());
      await becomes('passing', 5_000);
      expect(told.map(({ status }) => status)).toEqual(['passing', 'critical', 'passing']);
    });
  });

  test('a flood of output stays within 4 KB, and the check within its time', async () => {
    const { add, result } = await startChecks();
    add({ script: 'yes a flood; echo never', timeoutMs: 500 });
    const { status, output } = await result();
    expect(status).toBe('critical');
    expect(output).toContain('Timed out (500ms) running check');
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(4_096);
  });

  test('a flood of output that ends keeps its exit status', async () => {
    const { add, result } = await startChecks();
    add({ script: 'head -c 1000000 /dev/zero | tr "\\0" x; echo; echo the end; exit 1' });
    const { status, output } = await result();
    expect(status).toBe('warning');
    expect(output).toMatch(/^Captured 4096 of 1000009 bytes\n\.\.\.\nx+\nthe end\n$/);
  });

  test('one that never ends is critical in time, and gone with all its children', async () => {
    const { add, result } = await startChecks();
    add({ script: 'sleep 1000 & sleep 1000 | cat', timeoutMs: 300 });
    expect((await result()).output).toBe('Timed out (300ms) running check');
    await vi.waitFor(() => expect(marked()).toEqual([]), 5_000);
  });

  test('one that ignores TERM is killed', async () => {
    const { add, result } = await startChecks();
    add({ script: 'trap "" TERM; while :; do sleep 0.1; done', timeoutMs: 300 });
    expect((await result()).status).toBe('critical');
    await vi.waitFor(() => expect(marked()).toEqual([]), 5_000);
  });

  test('one that leaves a daemon holding its output has its result at once', async () => {
    const { add, result } = await startChecks();
    const start = performance.now();
    add({ script: 'setsid sleep 20 & sleep 0.2; echo fine' });
    expect(await result()).toMatchObject({ status: 'passing', output: 'fine\n' });
    expect(performance.now() - start).toBeLessThan(10_000);
    // It has left the check's group: the script's own business, and this test's.
    for (const pid of marked()) process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(marked()).toEqual([]), 5_000);
  });

  test('nothing runs on when the checks are disposed or removed', async () => {
    const { add, checks } = await startChecks();
    add({ script: 'trap "" TERM; while :; do sleep 0.1; done' }, 'stubborn');
    add({ args: ['sleep', '1000'] }, 'sleeping');
    add({ args: ['sleep', '1000'] }, 'removed');
    await vi.waitFor(() => expect(marked().length).toBeGreaterThanOrEqual(3), 10_000);
    checks.remove('service:removed');
    await checks[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(marked()).toEqual([]), 5_000);
  });

  test('a check sees none of the secrets of the agent', async () => {
    const { add, result } = await startChecks({ environment: { PATH: process.env['PATH'], DROVER_TOKEN: 'secret' } });
    add({ args: ['env'] });
    expect((await result()).output).not.toContain('secret');
  });
});

describe('HTTP checks', () => {
  test.each([
    [200, 'passing', '200 OK Output: hello'],
    [204, 'passing', '204 No Content Output: '],
    [429, 'warning', '429 Too Many Requests Output: hello'],
    [404, 'critical', '404 Not Found Output: hello'],
    [503, 'critical', '503 Service Unavailable Output: hello'],
    [302, 'critical', '302 Found Output: hello'],
  ])('status %i is %s', async (code, status, output) => {
    const url = await serveHttp((_request, response) => response.writeHead(code).end('hello'));
    const { add, result } = await startChecks();
    add({ http: url });
    expect(await result()).toMatchObject({ status, output: `HTTP GET ${url}: ${output}` });
  });

  test('a check with an interval of 10 ms passes within a second', async () => {
    const url = await serveHttp((_request, response) => response.end('ok'));
    const { add, becomes } = await startChecks();
    add({ http: url, intervalMs: 10 });
    await becomes('passing', 1_000);
  });

  test('sends method, headers and body, on a connection that is closed', async () => {
    const seen: string[] = [];
    const url = await serveHttp((request, response) => {
      seen.push(`${request.method} ${request.url} ${String(request.headers['x-probe'])} ${request.headers.connection}`);
      request.on('data', (chunk: Buffer) => seen.push(String(chunk))).on('end', () => response.end());
    });
    const { add, result } = await startChecks();
    add({ http: `${url}/status?deep=1`, method: 'POST', header: { 'X-Probe': ['a', 'b'] }, body: '{"é": 1}' });
    expect((await result()).status).toBe('passing');
    expect(seen).toEqual(['POST /status?deep=1 a, b close', '{"é": 1}']);
  });

  test('follows redirects, but not when told, and not for ever', async () => {
    const url = await serveHttp((request, response) => {
      if (request.url === '/end') response.end('there');
      else response.writeHead(302, { location: request.url === '/loop' ? '/loop' : '/end' }).end();
    });
    const { add, result } = await startChecks();
    add({ http: `${url}/` }, 'followed');
    add({ http: `${url}/`, disableRedirects: true }, 'stayed');
    add({ http: `${url}/loop` }, 'loop');
    expect(await result('followed')).toMatchObject({
      status: 'passing',
      output: `HTTP GET ${url}/: 200 OK Output: there`,
    });
    expect((await result('stayed')).output).toContain('302 Found');
    expect(await result('loop')).toMatchObject({ status: 'critical', output: expect.stringContaining('10 redirects') });
  });

  test('a huge body is not read, and its beginning is shown', async () => {
    let sent = 0;
    const url = await serveHttp((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    });
    const { add, result } = await startChecks();
    add({ http: url });
    const { status, output } = await result();
    expect(status).toBe('passing');
    expect(output).toMatch(/^HTTP GET \S+: 200 OK Output: x+$/);
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(4_096);
    expect(sent).toBeLessThan(20_000_000);
  });

  test('a body that never ends does not hold up its status', async () => {
    const url = await serveHttp((_request, response) => response.write('data: tick\n\n'));
    const { add, becomes } = await startChecks();
    add({ http: url });
    expect((await becomes('passing', 5_000)).output).toContain('data: tick');
  });

  test.each([
    ['says nothing', () => {}, 'no answer within 400ms'],
    ['sends headers for ever, slowly', drip, 'no answer within 400ms'],
    ['sends headers for ever, fast', flood, /overflow|no answer/i],
    ['hangs up', (socket: Socket) => socket.destroy(), /hang up|ECONNRESET/],
    [
      'speaks another protocol',
      (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
      /parse error|expected http/i,
    ],
  ])('a server that %s is critical in time', async (_what, speak: (socket: Socket) => void, output) => {
    const url = await serveBytes(speak);
    const { add, result } = await startChecks();
    add({ http: url, timeoutMs: 400 });
    const record = await result();
    expect(record.status).toBe('critical');
    expect(record.output).toMatch(output);
  });

  test('a certificate that nobody vouches for is critical unless it is not to be verified', async () => {
    const files = path.resolve(import.meta.dirname, '../fixtures/health');
    const pair = { key: readFileSync(`${files}/self-signed.key`), cert: readFileSync(`${files}/self-signed.pem`) };
    const port = await listen(createHttpsServer(pair, (_request, response) => response.end('sealed')));
    const { add, result } = await startChecks();
    add({ http: `https://127.0.0.1:${port}/` }, 'verified');
    add({ http: `https://127.0.0.1:${port}/`, tlsSkipVerify: true }, 'trusting');
    expect(await result('verified')).toMatchObject({
      status: 'critical',
      output: expect.stringContaining('self-signed'),
    });
    expect(await result('trusting')).toMatchObject({ status: 'passing', output: expect.stringContaining('sealed') });
  });

  test('nobody there is critical, without the password', async () => {
    const port = await closedPort();
    const { add, result } = await startChecks();
    add({ http: `http://user:secret@127.0.0.1:${port}/` });
    const { status, output } = await result();
    expect(status).toBe('critical');
    expect(output).toContain('ECONNREFUSED');
    expect(output).not.toContain('secret');
  });
});

describe('TCP checks', () => {
  test('a port that takes connections passes, and fails when it is closed', async () => {
    const server = createServer((socket) => socket.resume());
    const port = await listen(server);
    const { add, becomes } = await startChecks();
    add({ tcp: `127.0.0.1:${port}`, intervalMs: 1_000 });
    expect((await becomes('passing', 5_000)).output).toBe(`TCP connect 127.0.0.1:${port}: Success`);
    server.close();
    expect((await becomes('critical', 5_000)).output).toContain('ECONNREFUSED');
  });

  test('a host that does not answer is critical in time', async () => {
    // TEST-NET-1 (RFC 5737): either a black hole or unreachable at once.
    const { add, result } = await startChecks();
    const start = performance.now();
    add({ tcp: '192.0.2.1:81', timeoutMs: 300 });
    expect((await result()).status).toBe('critical');
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  test('a name that does not exist is critical', async () => {
    const { add, result } = await startChecks();
    add({ tcp: 'no-such-host.invalid:80', timeoutMs: 3_000 });
    expect((await result()).status).toBe('critical');
  });
});

test('HealthChecks starts a thousand checks without starving, and tells each once', async () => {
  const url = await serveHttp((_request, response) => response.end('ok'));
  const { add, told, checks } = await startChecks();
  const before = process.cpuUsage();
  for (let i = 0; i < 900; i++) add({ http: url, intervalMs: 60_000 }, `http-${i}`);
  for (let i = 0; i < 100; i++) add({ args: ['true'], intervalMs: 60_000 }, `script-${i}`);
  await vi.waitFor(() => expect(told).toHaveLength(1_000), { timeout: 40_000, interval: 50 });
  const used = process.cpuUsage(before);
  console.log(`1000 first runs: ${Math.round((used.user + used.system) / 1_000)} ms of processor`);
  expect(checks.records().every(({ status }) => status === 'passing')).toBe(true);
});

function drip(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\n');
  const timer = setInterval(() => socket.write('X-More: 1\r\n'), 50);
  socket.on('close', () => clearInterval(timer));
}

function flood(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\n');
  const more = (): void => {
    while (!socket.destroyed && socket.write('X-More: 1\r\n'.repeat(1_000)));
  };
  socket.on('drain', more);
  more();
}
