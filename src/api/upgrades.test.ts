import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ClientConnections } from './client-connections.ts';
import { Upgrades, type UpgradeHandler } from './upgrades.ts';

const { createServer } = process.getBuiltinModule('node:http');

interface Started extends AsyncDisposable {
  readonly upgrades: Upgrades;
  /** Asks for an upgrade of a path; resolves with the socket and the first thing that comes. */
  ask(path: string): Promise<[socket: Socket, answer: string]>;
}

const GREET: UpgradeHandler = (_request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');

async function start(refusal: string | null, clients?: ClientConnections): Promise<Started> {
  const upgrades = new Upgrades(new Map([['/there', GREET]]), { refusalOfUpgrade: () => refusal }, 50);
  const server = createServer({ shouldUpgradeCallback: upgrades.wants }, (_request, response) => response.end('plain'));
  clients?.watch(server);
  upgrades.watch(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  const ask: Started['ask'] = async (path) => {
    const socket = net.connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    const [data] = (await once(socket, 'data')) as [Buffer];
    return [socket, data.toString()];
  };
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await upgrades[Symbol.asyncDispose]();
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { upgrades, ask, [Symbol.asyncDispose]: close };
}

describe('Upgrades', () => {
  test('Upgrades hands over the connection of a path that it knows, whatever its query', async () => {
    await using server = await start(null);
    for (const path of ['/there', '/there?x=1']) expect((await server.ask(path))[1]).toMatch(/^HTTP\/1\.1 101 /);
  });

  test('Upgrades answers any other path as if no upgrade had been asked for', async () => {
    await using server = await start(null);
    for (const path of ['/elsewhere', '/there/', '/%74here'])
      expect((await server.ask(path))[1]).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('Upgrades refuses what the door refuses, with its words, and ends the connection', async () => {
    await using server = await start('not from there');
    const [socket, answer] = await server.ask('/there');
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n[^]*not from there$/);
    if (!socket.closed) await once(socket, 'close');
  });

  test('Upgrades cuts what does not end by itself when it is disposed', async () => {
    await using server = await start(null);
    const [socket] = await server.ask('/there');
    const closed = once(socket, 'close');
    await server.upgrades[Symbol.asyncDispose]();
    await closed;
    await server.upgrades[Symbol.asyncDispose]();
  });

  test('ClientConnections does not count connections that were upgraded', async () => {
    await using server = await start(null, new ClientConnections(2));
    for (let count = 0; count < 5; count++) expect((await server.ask('/there'))[1]).toMatch(/ 101 /);
    const plain = await Promise.all([1, 2, 3].map(() => server.ask('/elsewhere')));
    expect(plain.map(([, answer]) => answer.slice(9, 12)).toSorted()).toEqual(['200', '200', '429']);
  });
});
