import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { BatchedUdpTransport } from './batched-udp-transport.ts';
import { loadSystemCalls } from './system-calls.ts';
import type { AnswerQuery, Transport, TransportOptions } from './transport.ts';
import { UdpTransport } from './udp-transport.ts';

const left: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of left.splice(0).toReversed()) await close();
});

type Start = (options: TransportOptions) => Promise<Transport | null>;

const TRANSPORTS: readonly (readonly [string, Start])[] = [
  ['UdpTransport', (options) => UdpTransport.start(options)],
  ['BatchedUdpTransport', (options) => BatchedUdpTransport.start(options)],
];
const canBatch = (await loadSystemCalls()) !== null;

/** The query's octets again, as often as its first octet says; silence for 0. */
const repeat: AnswerQuery = (query) =>
  query[0] === 0 ? null : Buffer.concat(Array.from({ length: query[0] as number }, () => query));

describe.each(TRANSPORTS)('%s', (name, start) => {
  const run = name === 'UdpTransport' || canBatch ? test : test.skip;

  async function open(options: Partial<TransportOptions> = {}): Promise<Transport> {
    const transport = (await start({ answer: repeat, address: '127.0.0.1', port: 0, ...options })) as Transport;
    left.push(() => transport[Symbol.asyncDispose]());
    return transport;
  }

  async function client(port: number): Promise<Socket> {
    const socket = createSocket('udp4');
    left.push(() => socket.close());
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  async function received(socket: Socket, count: number): Promise<Buffer[]> {
    const found: Buffer[] = [];
    await new Promise<void>((resolve) => {
      socket.on('message', (bytes) => {
        found.push(bytes);
        if (found.length === count) resolve();
      });
    });
    return found;
  }

  run('answers each of many datagrams to its own sender', async () => {
    const { port } = await open();
    const clients = await Promise.all(Array.from({ length: 4 }, () => client(port)));
    const answers = clients.map((socket) => received(socket, 50));
    for (let id = 0; id < 50; id++)
      for (const [index, socket] of clients.entries()) socket.send(Uint8Array.of(1, index, id));
    for (const [index, some] of (await Promise.all(answers)).entries()) {
      const ids = some.map((bytes) => [...bytes]).toSorted((a, b) => (a[2] as number) - (b[2] as number));
      expect(ids).toEqual(Array.from({ length: 50 }, (_, id) => [1, index, id]));
    }
  });

  run('leaves out what is to be left out', async () => {
    const { port } = await open();
    const socket = await client(port);
    const answers = received(socket, 20);
    for (let id = 0; id < 40; id++) socket.send(Uint8Array.of(id % 2, id));
    expect((await answers).map((bytes) => bytes[1]).toSorted((a = 0, b = 0) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, index) => 2 * index + 1),
    );
  });

  run('sends long answers among short ones', async () => {
    const { port } = await open();
    const socket = await client(port);
    const answers = received(socket, 12);
    for (let id = 0; id < 12; id++)
      socket.send(Buffer.concat([Buffer.of(id % 3 === 0 ? 60 : 2, id), Buffer.alloc(300)]));
    const lengths = (await answers).map((bytes) => [bytes[1], bytes.length]).toSorted(([a = 0], [b = 0]) => a - b);
    expect(lengths).toEqual(Array.from({ length: 12 }, (_, id) => [id, (id % 3 === 0 ? 60 : 2) * 302]));
  });

  run('goes on after an asker that is gone', async () => {
    const { port } = await open();
    for (let round = 0; round < 20; round++) {
      const gone = createSocket('udp4');
      await new Promise<void>((resolve) => gone.send(Uint8Array.of(1), port, '127.0.0.1', () => resolve()));
      gone.close();
    }
    const socket = await client(port);
    const answers = received(socket, 1);
    socket.send(Uint8Array.of(1, 9));
    expect((await answers)[0]).toEqual(Buffer.of(1, 9));
  });

  run('does not share its port, and frees it', async () => {
    const transport = await open();
    const second = createSocket({ type: 'udp4', reuseAddr: true });
    left.push(() => second.close());
    second.bind(transport.port, '127.0.0.1');
    const [error] = (await once(second, 'error')) as [{ code: string }];
    expect(error.code).toBe('EADDRINUSE');
    await expect(UdpTransport.start({ answer: repeat, address: '127.0.0.1', port: transport.port })).rejects.toThrow(
      'EADDRINUSE',
    );
    await transport[Symbol.asyncDispose]();
    expect((await open({ port: transport.port })).port).toBe(transport.port);
  });
});

test('BatchedUdpTransport.start() is null where it cannot bind', async () => {
  const taken = await UdpTransport.start({ answer: repeat, address: '127.0.0.1', port: 0 });
  left.push(() => taken[Symbol.asyncDispose]());
  expect(await BatchedUdpTransport.start({ answer: repeat, address: '127.0.0.1', port: taken.port })).toBeNull();
  expect(await BatchedUdpTransport.start({ answer: repeat, address: '::1', port: 0 })).toBeNull();
});
