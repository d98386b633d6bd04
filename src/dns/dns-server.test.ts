import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Clock } from '../lib/index.ts';
import { FakeClock, systemClock } from '../lib/index.ts';
import { RCODE, TYPE, decodeMessage } from '../message/index.ts';
import type { DnsMessage } from '../message/index.ts';
import { instanceKey } from '../registry/index.ts';
import type { RegionLiteral } from '../registry/testing.ts';
import { instanceRecordOf, startTestRegistry } from '../registry/testing.ts';
import { DnsServer } from './dns-server.ts';
import { parseDnsOptions } from './options.ts';
import type { TcpLimits } from './tcp-transport.ts';
import { FakeRecursor, edns, queryOf } from './testing.ts';
import type { DnsInput } from './options.ts';

const ADDRESS = '127.0.0.1';
const NODE = { name: 'api-1', address: '10.0.0.1', services: [{ service: 'api', port: 1100 }] };
let left = new AsyncDisposableStack();

afterEach(async () => {
  const used = left;
  left = new AsyncDisposableStack();
  await used.disposeAsync();
});

interface Options {
  readonly nodes?: RegionLiteral['nodes'];
  readonly address?: string;
  readonly port?: number;
  readonly clock?: Clock;
  readonly tcpLimits?: Partial<TcpLimits>;
  readonly batchUdp?: boolean;
  readonly input?: Partial<DnsInput>;
}

async function start({ nodes = [NODE], input, ...options }: Options = {}): Promise<{
  dns: DnsServer;
  region: Awaited<ReturnType<typeof startTestRegistry>>;
}> {
  const region = left.use(await startTestRegistry({ nodes }));
  const { catalog, feed } = region;
  const clock = options.clock ?? new FakeClock();
  const parsed = parseDnsOptions({ datacenter: 'aws', ...input });
  const dns = left.use(
    await DnsServer.start({ catalog, feed, options: parsed, address: ADDRESS, port: 0, ...options, clock }),
  );
  return { dns, region };
}

async function askUdp(port: number, query: Uint8Array): Promise<DnsMessage> {
  const socket = createSocket('udp4');
  try {
    socket.send(query, port, ADDRESS);
    const [answer] = (await once(socket, 'message')) as [Buffer];
    return decodeMessage(answer);
  } finally {
    socket.close();
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: ADDRESS });
  left.defer(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const framed = (query: Uint8Array): Buffer => Buffer.concat([Buffer.of(query.length >> 8, query.length & 255), query]);

/** The next `count` answers of a connection. */
async function readBytes(socket: Socket, count: number): Promise<Buffer[]> {
  const found: Buffer[] = [];
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      found.push(pending.subarray(2, end));
      pending = pending.subarray(end);
    }
    if (found.length >= count) break;
  }
  return found;
}

const read = async (socket: Socket, count: number): Promise<DnsMessage[]> =>
  (await readBytes(socket, count)).map((bytes) => decodeMessage(bytes));

const API = 'api.service.consul.';

test('DnsServer answers over UDP and TCP on one port', async () => {
  const { dns } = await start();
  expect(dns.port).toBeGreaterThan(0);
  expect((await askUdp(dns.port, queryOf(API, TYPE.SRV))).answers).toHaveLength(1);
  const socket = await open(dns.port);
  socket.write(framed(queryOf(API, TYPE.A)));
  expect((await read(socket, 1))[0]?.answers).toHaveLength(1);
});

test('DnsServer sends no long datagram where the asker may be forged, and what is left out over TCP', async () => {
  const services = Array.from({ length: 400 }, (_, i) => ({
    service: 'api',
    id: `api-${i}`,
    address: `10.1.${i >> 8}.${i & 255}`,
    port: 1,
  }));
  const query = queryOf(API, TYPE.A, { edns: edns(65_000) });
  for (const [address, isCut] of [
    ['127.0.0.1', false],
    ['0.0.0.0', true],
  ] as const) {
    const { dns } = await start({ nodes: [{ ...NODE, services }], address });
    const message = await askUdp(dns.port, query);
    expect([address, message.truncated, message.answers.length < 300]).toEqual([address, isCut, isCut]);
    expect(message.answers.length).toBeGreaterThan(200);
  }
});

test('DnsServer answers queries sent one after another over TCP in their order', async () => {
  const { dns } = await start();
  const socket = await open(dns.port);
  const ids = Array.from({ length: 300 }, (_, index) => index);
  const stream = Buffer.concat(ids.map((id) => framed(queryOf(API, TYPE.A, { id }))));
  for (let at = 0; at < stream.length; at += 101) socket.write(stream.subarray(at, at + 101));
  expect((await read(socket, ids.length)).map((message) => message.id)).toEqual(ids);
});

test('DnsServer answers a registration once it is committed', async () => {
  const { dns, region } = await start();
  expect((await askUdp(dns.port, queryOf('new.service.consul.', TYPE.A))).rcode).toBe(RCODE.NXDOMAIN);
  const value = JSON.stringify(instanceRecordOf({ service: 'new', port: 1 }));
  const key = instanceKey('api-1', 'new');
  const done = await region.feed.commit({ compares: [], writes: [{ type: 'put', key, value }] });
  expect((await askUdp(dns.port, queryOf('new.service.consul.', TYPE.A))).answers).toHaveLength(1);
  expect(done.ok && dns.revision).toBe(done.revision);
});

test('DnsServer closes a connection that idles, also one that trickles', async () => {
  const clock = new FakeClock();
  const { dns } = await start({ clock });
  const socket = await open(dns.port);
  socket.write(framed(queryOf(API, TYPE.A)));
  await read(socket, 1);
  const closed = once(socket, 'close');
  await clock.advance(6_000);
  socket.write(Buffer.of(0));
  await clock.advance(6_000);
  await closed;
});

test.each([
  ['a length of 0', Buffer.of(0, 0)],
  ['a length over the limit', Buffer.of(0xff, 0xff)],
  ['an answer', framed(Uint8Array.of(0, 0, 0x80, ...Array.from({ length: 20 }, () => 0)))],
])('DnsServer closes a connection that sends %s', async (_what, bytes) => {
  const { dns } = await start();
  const socket = await open(dns.port);
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.resume();
  socket.write(bytes);
  await closed;
});

test('DnsServer closes the connection that idled longest when there are too many', async () => {
  const { dns } = await start({ tcpLimits: { connections: 2 } });
  const [first, second] = [await open(dns.port), await open(dns.port)];
  for (const socket of [second, first]) {
    socket.write(framed(queryOf(API, TYPE.A)));
    await read(socket, 1);
  }
  const closed = once(second, 'close');
  second.resume();
  const third = await open(dns.port);
  await closed;
  for (const socket of [first, third]) {
    socket.write(framed(queryOf(API, TYPE.A)));
    expect(await read(socket, 1)).toHaveLength(1);
  }
});

test('DnsServer answers all queries of a client that reads late', async () => {
  const nodes = Array.from({ length: 250 }, (_, index) => ({ ...NODE, name: `n${index}`, address: `10.0.1.${index}` }));
  const { dns } = await start({ nodes });
  const socket = await open(dns.port);
  socket.pause();
  const ids = Array.from({ length: 800 }, (_, id) => id);
  socket.write(Buffer.concat(ids.map((id) => framed(queryOf(API, TYPE.A, { id })))));
  // The kernel's buffers take a part of the 3 MB; the rest must wait without being lost.
  await askUdp(dns.port, queryOf(API, TYPE.A));
  expect((await readBytes(socket, ids.length)).map((bytes) => bytes.readUInt16BE(0))).toEqual(ids);
});

test('DnsServer.start() says that a port is taken, by UDP or by TCP', async () => {
  const { dns } = await start();
  await expect(start({ port: dns.port })).rejects.toMatchObject({
    code: 'DNS_PORT_TAKEN',
    exitCode: 6,
    message: expect.stringMatching(new RegExp(`UDP port taken, it is held by .*pid ${process.pid}\\)`)),
  });
  const other = createServer();
  left.defer(() => void other.close());
  await once(other.listen(0, ADDRESS), 'listening');
  const { port } = other.address() as AddressInfo;
  await expect(start({ port })).rejects.toThrow('TCP port taken');
  await once(other.close(), 'close');
  await using again = (await start({ port })).dns;
  expect(again.port).toBe(port);
});

test('DnsServer.start() says that an address is none of this machine', async () => {
  const region = left.use(await startTestRegistry());
  const options = parseDnsOptions({ datacenter: 'aws' });
  const { catalog, feed, clock } = region;
  await expect(
    DnsServer.start({ catalog, feed, options, address: '203.0.113.1', port: 0, clock }),
  ).rejects.toMatchObject({
    code: 'DNS_CANNOT_LISTEN',
  });
});

test('DnsServer frees its port and its connections when disposed of', async () => {
  const { dns } = await start();
  const socket = await open(dns.port);
  const closed = once(socket, 'close');
  socket.resume();
  await dns[Symbol.asyncDispose]();
  await closed;
  await using again = (await start({ port: dns.port })).dns;
  expect(again.port).toBe(dns.port);
});

const recursor = async (late = false): Promise<FakeRecursor> =>
  left.use(
    await FakeRecursor.start((query) =>
      late
        ? null
        : { answers: [{ name: query.questions[0]?.name ?? '.', ttl: 1, data: { type: 'A', address: '192.0.2.9' } }] },
    ),
  );

test.each([true, false])(
  'DnsServer gives each asker the answer of a recursor, among its own (batches: %s)',
  async (batchUdp) => {
    const other = await recursor();
    const { dns } = await start({ input: { recursors: [other.name] }, batchUdp });
    const names = Array.from({ length: 120 }, (_, index) => (index % 3 === 0 ? API : `n${index}.example.`));
    const answers = await Promise.all(names.map((name, id) => askUdp(dns.port, queryOf(name, TYPE.A, { id }))));
    expect(answers.map(({ id, questions }) => [id, questions[0]?.name])).toEqual(names.map((name, id) => [id, name]));
    expect(
      answers.every(
        ({ rcode, answers: found, recursionAvailable }) => rcode === 0 && found.length === 1 && recursionAvailable,
      ),
    ).toBe(true);
    expect(other.asked).toHaveLength(80);
  },
);

test('DnsServer answers over TCP what recursors say, and meanwhile what it knows itself', async () => {
  const other = await recursor();
  const { dns } = await start({ input: { recursors: [other.name] } });
  const socket = await open(dns.port);
  const ids = Array.from({ length: 200 }, (_, id) => id);
  const name = (id: number): string => (id % 2 === 0 ? API : `n${id}.example.`);
  socket.write(Buffer.concat(ids.map((id) => framed(queryOf(name(id), TYPE.A, { id })))));
  const answers = await read(socket, ids.length);
  expect(answers.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(ids);
  expect(answers.every(({ id, questions }) => questions[0]?.name === name(id))).toBe(true);
  expect(new Set(other.asked.map((text) => text.slice(0, 3)))).toEqual(new Set(['tcp']));
});

test('DnsServer does not let an idle connection end while a recursor is asked, and ends with those that wait', async () => {
  const other = await recursor(true);
  const clock = new FakeClock();
  const { dns } = await start({ input: { recursors: [other.name], recursorTimeoutMs: 60_000 }, clock });
  const socket = await open(dns.port);
  socket.write(framed(queryOf('n.example.', TYPE.A)));
  while (other.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await clock.advance(30_000);
  socket.write(framed(queryOf(API, TYPE.A)));
  expect(await read(socket, 1)).toHaveLength(1);
  await dns[Symbol.asyncDispose]();
});

test('DnsServer.reconfigure() answers by the new options from the next question on, with the same receipt', async () => {
  const other = await recursor();
  const { dns, region } = await start();
  const { revision } = dns;
  expect((await askUdp(dns.port, queryOf('n.example.', TYPE.A))).rcode).toBe(RCODE.REFUSED);
  dns.reconfigure(
    parseDnsOptions({ datacenter: 'aws', domain: 'corp.example', recursors: [other.name], serviceTtl: { api: 5 } }),
  );
  expect((await askUdp(dns.port, queryOf('n.example.', TYPE.A))).answers).toHaveLength(1);
  expect((await askUdp(dns.port, queryOf('api.service.corp.example.', TYPE.A))).answers[0]?.ttl).toBe(5);
  expect((await askUdp(dns.port, queryOf(API, TYPE.A))).authoritative).toBe(false);
  expect(dns.revision).toBe(revision);
  const value = JSON.stringify(instanceRecordOf({ service: 'new', port: 1 }));
  const done = await region.feed.commit({
    compares: [],
    writes: [{ type: 'put', key: instanceKey('api-1', 'new'), value }],
  });
  expect(done.ok && dns.revision).toBe(done.revision);
  expect((await askUdp(dns.port, queryOf('new.service.corp.example.', TYPE.A))).answers).toHaveLength(1);
  dns.reconfigure(parseDnsOptions({ datacenter: 'aws' }));
  expect((await askUdp(dns.port, queryOf('n.example.', TYPE.A))).rcode).toBe(RCODE.REFUSED);
});

test('DnsServer does not ask itself, and two that forward to each other end with SERVFAIL', async () => {
  const { dns: first } = await start();
  const { dns: second } = await start();
  const to = (dns: DnsServer): ReturnType<typeof parseDnsOptions> =>
    parseDnsOptions({ datacenter: 'aws', recursors: [`${ADDRESS}:${dns.port}`], recursorTimeoutMs: 100 });
  first.reconfigure(to(first));
  expect((await askUdp(first.port, queryOf('n.example.', TYPE.A))).rcode).toBe(RCODE.SERVFAIL);
  const { dns: third } = await start({ clock: systemClock });
  third.reconfigure(to(second));
  second.reconfigure(to(third));
  expect((await askUdp(third.port, queryOf('n.example.', TYPE.A))).rcode).toBe(RCODE.SERVFAIL);
});
