import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import { describe, expect, it } from 'vitest';
import { describeHolder, findPortHolder } from './port-holder.ts';

const hasIpv6 = Object.values(os.networkInterfaces()).some((all) => all?.some((one) => one.address === '::1'));

async function listen(host: string): Promise<net.Server> {
  const server = net.createServer().listen(0, host);
  await once(server, 'listening');
  return server;
}

describe('findPortHolder()', () => {
  for (const [held, asked] of [
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.3'],
    ['::1', '::1'],
  ] as const) {
    it.skipIf(held === '::1' && !hasIpv6)(
      `names this process when it listens on ${held} and ${asked} is asked for`,
      async () => {
        await using server = await listen(held);
        const holder = await findPortHolder(asked, (server.address() as net.AddressInfo).port);
        expect(holder?.pid).toBe(process.pid);
        expect(holder?.command[0]).toMatch(/node/);
      },
    );
  }

  it('tells holders of UDP ports from those of TCP ports', async () => {
    const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    expect((await findPortHolder('127.0.0.1', port, 'UDP'))?.pid).toBe(process.pid);
    expect(await findPortHolder('127.0.0.2', port, 'UDP')).toBeNull();
    socket.close();
    await once(socket, 'close');
    expect(await findPortHolder('127.0.0.1', port, 'UDP')).toBeNull();
  });

  it('gives null when nobody listens, or on another address only', async () => {
    await using server = await listen('127.0.0.1');
    const { port } = server.address() as net.AddressInfo;
    expect(await findPortHolder('127.0.0.2', port)).toBeNull();
    server.close();
    await once(server, 'close');
    expect(await findPortHolder('127.0.0.1', port)).toBeNull();
  });
});

describe('describeHolder()', () => {
  for (const [command, text] of [
    [['/usr/sbin/nginx', '-g', 'x'], 'nginx (pid 7)'],
    [['/usr/bin/node', '--flag', '/srv/app.js', 'arg'], 'node app.js (pid 7)'],
    [['python3', '-m', 'http.server'], 'python3 http.server (pid 7)'],
    [[], 'a process (pid 7)'],
  ] as const) {
    it(`says ${text}`, () => expect(describeHolder({ pid: 7, command })).toBe(text));
  }

  it('says so when the process cannot be seen', () => {
    expect(describeHolder({ pid: 0, command: [] })).toBe('a process of another user');
  });
});
