import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { queryOf } from '../../src/dns/testing.ts';
import { TYPE, decodeMessage } from '../../src/message/index.ts';
import { randomPacket, seededRandom } from '../../src/message/testing.ts';

const PACKETS = 1_000_000;
/** As many as a receive buffer of the default size holds for certain. */
const BURST = 200;
const TCP_CONNECTIONS = 2_000;
const MOST_GROWTH_OCTETS = 32 << 20;

const left: (() => void)[] = [];
afterEach(() => {
  for (const close of left.splice(0)) close();
});

interface Host {
  readonly child: ChildProcess;
  readonly port: number;
}

async function startHost(): Promise<Host> {
  const child = fork(path.join(import.meta.dirname, 'dns-host.ts'), [], {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
  });
  left.push(() => child.kill('SIGKILL'));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port };
}

async function memory({ child }: Host): Promise<{ heapOctets: number; residentOctets: number; errors: string[] }> {
  child.send('memory');
  const [said] = (await once(child, 'message')) as [{ heapOctets: number; errors: string[] }];
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return { ...said, residentOctets: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1_024 };
}

const SOUND = [
  queryOf('web.service.consul.', TYPE.SRV),
  queryOf('v1.web.service.aws.consul.', TYPE.A, {
    edns: { udpOctets: 1_232, version: 0, dnssecOk: true, options: [] },
  }),
  queryOf('node-7.node.consul.', TYPE.ANY),
  queryOf('7.0.0.10.in-addr.arpa.', TYPE.PTR),
];

/** Sends a sound query until it is answered: by then everything sent before was taken up. */
async function settle(socket: Socket, id: number): Promise<void> {
  const query = queryOf('web.service.consul.', TYPE.A, { id });
  for (let tries = 0; tries < 50; tries++) {
    socket.send(query);
    const answered = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => finish(false), 1_000);
      const listen = (bytes: Buffer): void => {
        if (bytes.readUInt16BE(0) === id && bytes.length > 40 && decodeMessage(bytes).answers.length === 3)
          finish(true);
      };
      const finish = (isAnswered: boolean): void => {
        clearTimeout(timer);
        socket.off('message', listen);
        resolve(isAnswered);
      };
      socket.on('message', listen);
    });
    if (answered) return;
  }
  throw new Error('the server no longer answers');
}

async function flood(host: Host, packets: number, seed: number): Promise<number> {
  const random = seededRandom(seed);
  const socket = createSocket('udp4');
  left.push(() => socket.close());
  let answers = 0;
  socket.on('message', () => answers++);
  socket.connect(host.port, '127.0.0.1');
  await once(socket, 'connect');
  for (let sent = 0; sent < packets; sent += BURST) {
    for (let index = 0; index < BURST; index++) socket.send(randomPacket(random, SOUND));
    await settle(socket, (sent / BURST) & 0xffff);
  }
  return answers;
}

test('a million random packets neither crash the server nor make it grow', { timeout: 300_000 }, async () => {
  const host = await startHost();
  await flood(host, PACKETS / 10, 1);
  const before = await memory(host);
  const answers = await flood(host, PACKETS, 2);
  const after = await memory(host);
  console.log(
    `${PACKETS} packets, ${answers} answers; heap ${mb(before.heapOctets)} → ${mb(after.heapOctets)} MB, ` +
      `resident ${mb(before.residentOctets)} → ${mb(after.residentOctets)} MB`,
  );
  expect(after.errors).toEqual([]);
  expect(after.heapOctets - before.heapOctets).toBeLessThan(MOST_GROWTH_OCTETS);
  expect(after.residentOctets - before.residentOctets).toBeLessThan(2 * MOST_GROWTH_OCTETS);
});

test(
  'thousands of connections that send noise neither crash the server nor make it grow',
  { timeout: 120_000 },
  async () => {
    const host = await startHost();
    const random = seededRandom(3);
    await noise(host, random, TCP_CONNECTIONS / 10);
    const before = await memory(host);
    await noise(host, random, TCP_CONNECTIONS);
    const after = await memory(host);
    expect(after.errors).toEqual([]);
    expect(after.heapOctets - before.heapOctets).toBeLessThan(MOST_GROWTH_OCTETS);
    const socket = createSocket('udp4');
    left.push(() => socket.close());
    socket.connect(host.port, '127.0.0.1');
    await once(socket, 'connect');
    await settle(socket, 7);
  },
);

/** Opens connections, half of which frame their noise as messages, and leaves every other one open to its fate. */
async function noise({ port }: Host, random: () => number, connections: number): Promise<void> {
  for (let index = 0; index < connections; index++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    const packet = randomPacket(random, SOUND);
    if (index % 2 === 0) socket.write(Buffer.of(packet.length >> 8, packet.length & 255));
    socket.write(packet);
    left.push(() => socket.destroy());
    if (index % 4 < 2) socket.end();
    if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
}

const mb = (octets: number): number => Math.round(octets / 1_048_576);
