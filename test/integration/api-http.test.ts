import { execFile } from 'node:child_process';
import { Agent, get as httpGet, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HttpApi } from '../../src/api/http-api.ts';
import { startTestApi, type TestApi } from '../../src/api/testing.ts';
import { requireComponent } from '../require-component.ts';

let api: TestApi;
let http: HttpApi;
const sockets: Socket[] = [];

beforeEach(async () => {
  api = await startTestApi({ nodes: [{ name: 'n2', services: [{ service: 'web', status: 'passing' }] }] });
  const limits = { headersMs: 500, requestMs: 1_000, checkMs: 100, closeMs: 200 };
  http = await HttpApi.start({ context: api.context, addresses: ['127.0.0.1'], port: 0, limits });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await http[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

/** A connection that keeps what it is sent. */
class Wire {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  text = '';

  constructor() {
    this.socket = connect(http.port, '127.0.0.1');
    sockets.push(this.socket);
    this.socket.setEncoding('latin1').on('data', (chunk) => (this.text += String(chunk)));
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Resolves once what came matches. */
  async until(pattern: RegExp | string): Promise<string> {
    await vi.waitFor(() => expect(this.text).toMatch(pattern), { timeout: 10_000, interval: 10 });
    return this.text;
  }
}

const HOST = 'Host: 127.0.0.1\r\n';
const waiters = (count: number): Promise<void> =>
  vi.waitFor(() => expect(api.context.queries.waiters).toBe(count), { timeout: 5_000, interval: 5 });

describe('connections', () => {
  test('are kept: two requests go over one', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let n = 0; n < 3; n++)
      await new Promise<void>((resolve, reject) => {
        httpGet({ agent, port: http.port, host: '127.0.0.1', path: '/v1/catalog/services' }, (response) => {
          ports.add(response.socket.localPort);
          response.resume().on('end', resolve);
        }).on('error', reject);
      });
    agent.destroy();
    expect(ports.size).toBe(1);
  });

  test('answer pipelined requests in order, also when the first one has to wait', async () => {
    const wire = new Wire();
    const get = (path: string): string => `GET /v1/${path} HTTP/1.1\r\n${HOST}\r\n`;
    wire.send(`PUT /v1/kv/a HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\none${get('kv/a?raw')}${get('status/peers')}`);
    const text = await wire.until(/8300/);
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
    expect(text.indexOf('true')).toBeLessThan(text.indexOf('8300'));
  });

  test('of HTTP/1.0 are closed after the answer, and need no Host', async () => {
    const wire = new Wire().send('GET /v1/status/peers HTTP/1.0\r\n\r\n');
    await wire.closed;
    expect(wire.text).toMatch(/200 OK[^]*Connection: close[^]*8300/);
  });

  test('take the whole URL, as clients of a proxy send it', async () => {
    const wire = new Wire().send(`GET http://127.0.0.1/v1/catalog/services HTTP/1.1\r\n${HOST}\r\n`);
    expect(await wire.until('web')).toContain('{"web":[]}');
  });

  test('take dots in keys as they are, not as directories', async () => {
    const wire = new Wire().send(`PUT /v1/kv/a/../b HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`);
    expect(await wire.until('400 Bad')).toContain('".." segment');
    wire.send(`PUT /v1/kv/a//./b HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`);
    await wire.until('true');
    expect(api.context.kv.keys('')).toEqual(['a//./b']);
  });

  test('take a key of 8 KiB with every byte escaped', async () => {
    const wire = new Wire().send(`PUT /v1/kv/${'%ff'.repeat(8_192)} HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`);
    await wire.until('true');
    expect(api.context.kv.keys('')[0]).toHaveLength(8_192);
  });
});

describe('what comes too large, too slowly or broken', () => {
  test('headers over the limit are 431', async () => {
    const wire = new Wire().send(`GET /v1/status/peers HTTP/1.1\r\n${HOST}X: ${'x'.repeat(70_000)}\r\n\r\n`);
    await wire.closed;
    expect(wire.text).toMatch(/^HTTP\/1\.1 431 /);
  });

  test.each([
    '\0\x01\x02',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /v1/kv/a\x01b HTTP/1.1\r\n${HOST}\r\n`,
    'GET /v1/x HTTP/1.1\r\n\r\n',
  ])('what is no HTTP is 400 in plain text: %j', async (text) => {
    const wire = new Wire().send(text);
    await wire.closed;
    expect(wire.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(wire.text).not.toContain('{');
  });

  test('headers that never end are 408, and the connection goes', async () => {
    const wire = new Wire().send(`GET /v1/status/peers HTTP/1.1\r\n${HOST}`);
    const drip = setInterval(() => wire.socket.write('X: y\r\n'), 50);
    await wire.closed;
    clearInterval(drip);
    expect(wire.text).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('a body that never ends costs its connection, and nothing is written', async () => {
    const wire = new Wire().send(`PUT /v1/kv/slow HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\n`);
    const drip = setInterval(() => wire.socket.write('x'), 50);
    await wire.closed;
    clearInterval(drip);
    expect(api.context.kv.keys('')).toEqual([]);
  });

  test('a body whose length is over the limit is 413 before it comes', async () => {
    const wire = new Wire().send(`PUT /v1/kv/big HTTP/1.1\r\n${HOST}Content-Length: 10000000\r\n\r\n`);
    expect(await wire.until('too large')).toMatch(
      /413 [^]*Request body\(10000000 bytes\) too large, max size: 524288 bytes/,
    );
  });

  test('a body in chunks is 413 as soon as it is over the limit, and no more of it is kept', async () => {
    const wire = new Wire().send(`PUT /v1/kv/big HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    for (let n = 0; n < 9; n++) wire.send(chunk);
    expect(await wire.until('too large')).toMatch(/413 [^]*Connection: close[^]*max size: 524288 bytes/);
    wire.send(`${chunk}0\r\n\r\n`);
    await wire.closed;
    expect(api.context.kv.keys('')).toEqual([]);
  });

  test('a body in chunks within the limit is taken', async () => {
    const wire = new Wire().send(`PUT /v1/kv/c HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`);
    wire.send('2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n');
    await wire.until('true');
    expect(api.context.kv.get('c')?.value.toString()).toBe('abcde');
  });

  test('a client that goes in the middle of its body writes nothing', async () => {
    const wire = new Wire().send(`PUT /v1/kv/half HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nabc`);
    await sleep(50);
    wire.socket.destroy();
    await sleep(50);
    expect([api.context.kv.keys(''), api.logged]).toEqual([[], []]);
  });
});

describe('blocking queries', () => {
  const blocked = (): Wire =>
    new Wire().send(`GET /v1/health/service/web?index=${api.context.catalog.index('svc/web')} HTTP/1.1\r\n${HOST}\r\n`);

  test('are freed when their clients go', async () => {
    const wires = Array.from({ length: 20 }, blocked);
    await waiters(20);
    for (const wire of wires.slice(0, 10)) wire.socket.destroy();
    await waiters(10);
    for (const wire of wires.slice(10)) wire.socket.end();
    for (const wire of wires.slice(10)) wire.socket.destroy();
    await waiters(0);
    expect(api.logged).toEqual([]);
  });

  test('outlive the time that a request may take to come', async () => {
    const wire = blocked();
    await waiters(1);
    await sleep(1_500);
    await api.region.registry.deregister({ node: 'n2', serviceId: 'web' });
    expect(await wire.until('HTTP')).toMatch(/200 OK[^]*\r\n\r\n\[\]$/);
  });

  test('do not hold the end of the API', async () => {
    const wire = blocked();
    await waiters(1);
    const started = performance.now();
    await http[Symbol.asyncDispose]();
    await wire.closed;
    expect(performance.now() - started).toBeLessThan(3_000);
    await waiters(0);
  });
});

describe('requests from pages of others', () => {
  const ask = (method: string, headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const done = (response: IncomingMessage): void =>
        void response.resume().on('end', () => resolve(response.statusCode));
      httpRequest({ port: http.port, host: '127.0.0.1', path: '/v1/kv/a', method, headers }, done)
        .on('error', reject)
        .end(method === 'PUT' ? 'x' : undefined);
    });

  test('a foreign Host is 403 for reads and writes', async () => {
    expect(await ask('PUT', { host: 'evil.example' })).toBe(403);
    expect(await ask('GET', { host: `evil.example:${http.port}` })).toBe(403);
  });

  test('a foreign Origin is 403 for writes', async () => {
    expect(await ask('PUT', { origin: 'http://evil.example' })).toBe(403);
    expect(await ask('DELETE', { origin: 'null' })).toBe(403);
    expect(api.context.kv.keys('')).toEqual([]);
    expect(await ask('PUT', { origin: `http://127.0.0.1:${http.port}` })).toBe(200);
  });
});

requireComponent('curl')('curl', () => {
  const run = promisify(execFile);
  const curl = async (...args: string[]): Promise<string> =>
    (await run('curl', ['-sS', '--max-time', '10', ...args], { maxBuffer: 1 << 24 })).stdout;
  const url = (path: string): string => `http://127.0.0.1:${http.port}/v1/${path}`;

  test('puts with its own content type, gets, compresses and deletes', async () => {
    expect(await curl('-X', 'PUT', '-d', 'a=1&b=2', url('kv/x'))).toBe('true');
    expect(await curl(url('kv/x?raw'))).toBe('a=1&b=2');
    expect(await curl('--compressed', '-i', url('catalog/services'))).toMatch(
      /Content-Encoding: gzip[^]*\{"web":\[\]\}$/,
    );
    expect(await curl('-X', 'DELETE', url('kv/x'))).toBe('true');
    expect(await curl('-o', '/dev/null', '-w', '%{http_code}', url('kv/x'))).toBe('404');
  });

  test('sends a megabyte too much, and reads why it is refused', async () => {
    const big = ['-X', 'PUT', '--data-binary', '@-', url('kv/big')];
    const child = run('curl', ['-sS', '--max-time', '10', '-H', 'Expect:', ...big]);
    child.child.stdin?.on('error', () => undefined).end(Buffer.alloc(8 << 20));
    expect((await child).stdout).toMatch(/^Request body\(8388608 bytes\) too large/);
  });

  test('HEAD is 405', async () => {
    expect(await curl('-I', url('kv/x'))).toMatch(/^HTTP\/1\.1 405 [^]*Allow: OPTIONS,GET,PUT,DELETE/);
  });
});
