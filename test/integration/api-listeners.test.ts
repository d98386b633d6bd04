import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HttpApi } from '../../src/api/http-api.ts';
import { startTestApi, type TestApi } from '../../src/api/testing.ts';

let api: TestApi;
let folder: string;
beforeEach(async () => {
  api = await startTestApi();
  folder = await mkdtemp(path.join(tmpdir(), 'drover-listeners-'));
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string): string => path.join(folder, name);
const socketAt = (file: string, mode = 0o600) => ({ path: file, mode, owner: null });
const start = (
  addresses: readonly string[],
  port: number,
  ...sockets: ReturnType<typeof socketAt>[]
): Promise<HttpApi> => HttpApi.start({ context: api.context, addresses, port, sockets });

/** The status of an answer over a Unix socket. */
function ask(socketPath: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/v1/status/leader', headers: { host: 'localhost' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end();
  });
}

describe('HttpApi.start()', () => {
  test('HttpApi.start() answers at several addresses, on one free port', async () => {
    await using http = await start(['127.21.0.1', '127.21.0.2'], 0);
    for (const address of ['127.21.0.1', '127.21.0.2'])
      expect((await fetch(`http://${address}:${http.port}/v1/status/leader`)).status).toBe(200);
    await expect(fetch(`http://127.21.0.3:${http.port}/v1/status/leader`)).rejects.toThrow('fetch failed');
  });

  test('HttpApi.start() answers at a Unix socket of the mode it is told, and takes it away again', async () => {
    const http = await start([], 0, socketAt(at('a.sock')), socketAt(at('b.sock'), 0o660));
    expect(http.port).toBe(0);
    expect(await ask(at('a.sock'))).toBe(200);
    const modes = await Promise.all(['a.sock', 'b.sock'].map(async (name) => (await stat(at(name))).mode & 0o777));
    expect(modes).toEqual([0o600, 0o660]);
    await http[Symbol.asyncDispose]();
    await expect(stat(at('a.sock'))).rejects.toThrow('ENOENT');
  });

  test('HttpApi.start() refuses a path where something else is, and leaves it there', async () => {
    await writeFile(at('file'), 'mine');
    await expect(start([], 0, socketAt(at('file')))).rejects.toMatchObject({ code: 'API_SOCKET_TAKEN' });
    expect((await stat(at('file'))).size).toBe(4);
    const other: Server = createServer().listen(at('live.sock'));
    await new Promise((resolve) => other.once('listening', resolve));
    await expect(start([], 0, socketAt(at('live.sock')))).rejects.toThrow('another program answers there');
    await new Promise((resolve) => other.close(resolve));
  });

  test('HttpApi.start() stops what it started when a later place is taken', async () => {
    const other = createServer().listen(0, '127.21.0.5');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    await expect(start(['127.21.0.4', '127.21.0.5'], port)).rejects.toMatchObject({ code: 'API_PORT_TAKEN' });
    await expect(fetch(`http://127.21.0.4:${port}/`)).rejects.toThrow('fetch failed');
    await new Promise((resolve) => other.close(resolve));
  });
});
