import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock, systemClock } from '../lib/index.ts';
import { packLines, RuntimeClient } from './runtime.ts';

let answer: (line: string, socket: net.Socket) => void = () => undefined;
let server: net.Server;
let path: string;

beforeEach(async () => {
  path = `\0drover-test/${process.pid}/${Math.floor(performance.now() * 1e6)}`;
  server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => answer(String(data), socket));
  });
  server.listen(path);
  await once(server, 'listening');
});
afterEach(() => server[Symbol.asyncDispose]());

const client = (): RuntimeClient => new RuntimeClient({ socket: path, clock: systemClock });

describe('RuntimeClient', () => {
  it('call() gives the whole answer to one line', async () => {
    answer = (line, socket) => {
      socket.write(`you said ${line}`);
      setImmediate(() => socket.end('that was all\n'));
    };
    expect(await client().call('show info')).toBe('you said show info\nthat was all\n');
  });

  it('call() gives up after 2 s', async () => {
    const clock = new FakeClock();
    const asked = new Promise<net.Socket>((resolve) => (answer = (_line, socket) => resolve(socket)));
    const call = new RuntimeClient({ socket: path, clock }).call('show info');
    const failure = expect(call).rejects.toMatchObject({ code: 'BALANCER_HAPROXY_SILENT' });
    const socket = await asked;
    await clock.advance(1_999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    await failure;
    expect(clock.pending).toBe(0);
    socket.destroy();
  });

  it('call() says so when nobody is there', async () => {
    const nobody = new RuntimeClient({ socket: `${path}/nobody`, clock: systemClock });
    await expect(nobody.call('show info')).rejects.toThrow('ECONNREFUSED');
  });

  it('servers() rejects an answer that is cut or something else', async () => {
    answer = (_line, socket) => socket.end('Permission denied\n');
    await expect(client().servers()).rejects.toMatchObject({ code: 'BALANCER_HAPROXY_SILENT' });
  });

  it('servers() runs the commands before it looks', async () => {
    const lines: string[] = [];
    answer = (line, socket) => {
      lines.push(line);
      const header = '# be_id be_name srv_name srv_addr srv_port srv_op_state srv_admin_state srv_uweight';
      socket.end(`Done.\n\n1\n${header}\n1 api x 10.0.0.1 80 2 0 100\n\n`);
    };
    expect(await client().servers(['del server api/y'])).toHaveLength(1);
    expect(lines).toEqual(['del server api/y;show servers state\n']);
  });

  it('pid() reads it from the information', async () => {
    answer = (_line, socket) => socket.end('Name: HAProxy\nPid: 77\n');
    expect(await client().pid()).toBe(77);
  });
});

describe('packLines()', () => {
  it('keeps the order and fits each line into HAProxy’s buffer', () => {
    const commands = Array.from({ length: 500 }, (_, at) => `add server api/member-${at} 10.0.0.1:${at} weight 100`);
    const lines = packLines(commands);
    expect(lines.join(';').split(';')).toEqual(commands);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(8_000);
  });

  it('gives none for none', () => expect(packLines([])).toEqual([]));
});
