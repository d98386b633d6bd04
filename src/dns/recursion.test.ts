import { afterEach, expect, test } from 'vitest';
import { FakeClock, systemClock } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import { RCODE, TYPE, decodeMessage, encodeMessage } from '../message/index.ts';
import type { DnsMessage } from '../message/index.ts';
import { seededRandom } from '../message/testing.ts';
import { parseDnsOptions } from './options.ts';
import type { DnsInput } from './options.ts';
import { readQuery } from './query.ts';
import type { Query } from './query.ts';
import { Recursion } from './recursion.ts';
import type { RecursionOptions } from './recursion.ts';
import { FakeRecursor, edns, queryOf } from './testing.ts';
import type { RecursorAnswer } from './testing.ts';
import { upstreamQuery } from './upstream.ts';

let left = new AsyncDisposableStack();
afterEach(async () => {
  const used = left;
  left = new AsyncDisposableStack();
  await used.disposeAsync();
});

const recursor = async (say: RecursorAnswer): Promise<FakeRecursor> => left.use(await FakeRecursor.start(say));

function recursion(
  recursors: readonly FakeRecursor[],
  more: { input?: Partial<DnsInput>; clock?: Clock } & Partial<Omit<RecursionOptions, 'clock'>> = {},
): Recursion {
  const { input, clock = systemClock, ...options } = more;
  const made = left.use(new Recursion({ clock, random: seededRandom(1), ...options }));
  made.configure(parseDnsOptions({ datacenter: 'aws', recursors: recursors.map((one) => one.name), ...input }));
  return made;
}

const A = (address: string): DnsMessage['answers'] => [{ name: 'a.example.', ttl: 5, data: { type: 'A', address } }];
const up: RecursorAnswer = () => ({ answers: A('192.0.2.1') });

function question(name = 'a.example.', parts: Partial<DnsMessage> = {}): Buffer {
  const bytes = Buffer.from(queryOf(name, TYPE.A, parts));
  return upstreamQuery(bytes, readQuery(bytes) as Query);
}

const UDP = { overTcp: false, mostOctets: 512 } as const;
const read = (answer: Buffer | null): DnsMessage | null => (answer === null ? null : decodeMessage(answer));

test('ask() takes the first answer, NXDOMAIN included, and goes on after any other response code', async () => {
  const bad = await Promise.all(
    [RCODE.SERVFAIL, RCODE.REFUSED, RCODE.NOTIMP].map((rcode) => recursor(() => ({ rcode }))),
  );
  const none = await recursor(() => ({ rcode: RCODE.NXDOMAIN }));
  const last = await recursor(up);
  expect(read(await recursion([...bad, none, last]).ask(question(), UDP))?.rcode).toBe(RCODE.NXDOMAIN);
  expect([...bad, none].map((one) => one.asked.length)).toEqual([1, 1, 1, 1]);
  expect(last.asked).toEqual([]);
  expect(await recursion(bad).ask(question(), UDP)).toBeNull();
});

test('ask() gives each recursor its time and then asks the next', async () => {
  const clock = new FakeClock();
  const silent = await recursor(() => null);
  const second = await recursor(up);
  const asked = recursion([silent, second], { clock, input: { recursorTimeoutMs: 300 } }).ask(question(), UDP);
  while (silent.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await clock.advance(299);
  expect(second.asked).toEqual([]);
  await clock.advance(1);
  expect(read(await asked)?.answers).toEqual(A('192.0.2.1').map((record) => ({ ...record, class: 1 })));
});

test('ask() goes on at once where nobody listens', async () => {
  const gone = await FakeRecursor.start(up);
  await gone[Symbol.asyncDispose]();
  const second = await recursor(up);
  const clock = new FakeClock();
  expect(await recursion([gone, second], { clock }).ask(question(), UDP)).not.toBeNull();
  expect(await recursion([gone], { clock }).ask(question(), { overTcp: true, mostOctets: 65_535 })).toBeNull();
});

test('ask() goes on at once where the system lets nothing be sent', async () => {
  const clock = new FakeClock();
  const second = await recursor(up);
  const recursors = ['255.255.255.255', '[2001:db8::1]:53', second.name];
  const asker = recursion([], { clock, input: { recursors } });
  expect(await asker.ask(question(), { overTcp: true, mostOctets: 65_535 })).not.toBeNull();
  expect(await recursion([], { clock, input: { recursors: ['255.255.255.255'] } }).ask(question(), UDP)).toBeNull();
});

test('ask() passes over what answers another question', async () => {
  let sent = 0;
  const forger = await recursor((query) => {
    sent++;
    const reply = { ...query, response: true, answers: A('192.0.2.66') };
    if (sent === 1) return encodeMessage({ ...reply, id: query.id ^ 1 });
    return encodeMessage({ ...reply, questions: [{ name: 'b.example.', type: TYPE.A, class: 1 }] });
  });
  const honest = await recursor(up);
  const asker = recursion([forger, honest], { input: { recursorTimeoutMs: 50 } });
  for (let round = 0; round < 2; round++)
    expect(read(await asker.ask(question(), UDP))?.answers[0]?.data).toEqual({ type: 'A', address: '192.0.2.1' });
  expect(forger.asked).toHaveLength(2);
});

test('ask() draws an id and a port for each question', async () => {
  const one = await recursor(up);
  const asker = recursion([one]);
  for (let round = 0; round < 40; round++) await asker.ask(question(), UDP);
  expect(new Set(one.sources.map((source) => source.id)).size).toBeGreaterThan(35);
  expect(new Set(one.sources.map((source) => source.port)).size).toBeGreaterThan(20);
});

test('ask() asks over TCP what came over TCP, and what was cut when the asker takes more', async () => {
  const many = Array.from({ length: 60 }, (_, index) => A(`192.0.2.${index}`)).flat();
  const one = await recursor((_query, over) => (over === 'tcp' ? { answers: many } : { truncated: true }));
  const asker = recursion([one]);
  const whole = { edns: edns(4_096) };
  expect(read(await asker.ask(question(), { overTcp: true, mostOctets: 65_535 }))?.answers).toHaveLength(60);
  expect(
    read(await asker.ask(question('a.example.', whole), { overTcp: false, mostOctets: 4_096 }))?.answers,
  ).toHaveLength(60);
  expect(read(await asker.ask(question(), UDP))).toMatchObject({ truncated: true, answers: [] });
  expect(one.asked.map((text) => text.slice(0, 3))).toEqual(['tcp', 'udp', 'tcp', 'udp']);
});

test('ask() with strategy random begins with any of them, with sequential always with the first', async () => {
  const some = await Promise.all([recursor(up), recursor(up), recursor(up)]);
  const random = recursion(some, { input: { recursorStrategy: 'random' } });
  for (let round = 0; round < 30; round++) await random.ask(question(), UDP);
  for (const one of some) expect(one.asked.length).toBeGreaterThan(3);
  const before = some.map((one) => one.asked.length);
  const sequential = recursion(some);
  for (let round = 0; round < 3; round++) await sequential.ask(question(), UDP);
  expect(some.map((one, index) => one.asked.length - (before[index] as number))).toEqual([3, 0, 0]);
});

test('ask() sends equal questions once, and no more than so many different ones', async () => {
  const silent = await recursor(() => null);
  const clock = new FakeClock();
  const asker = recursion([silent], { clock, mostInFlight: 2 });
  const waiting = [question(), question(), question('b.example.')].map((one) => asker.ask(one, UDP));
  expect(asker.inFlight).toBe(2);
  expect(await asker.ask(question('c.example.'), UDP)).toBeNull();
  while (silent.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(silent.asked.toSorted()).toEqual(['udp a.example. 1', 'udp b.example. 1']);
  await clock.advance(2_000);
  expect(await Promise.all(waiting)).toEqual([null, null, null]);
  expect(asker.inFlight).toBe(0);
});

test('ask() never asks the server itself', async () => {
  const one = await recursor(up);
  for (const address of ['127.0.0.1', '0.0.0.0']) {
    const asker = recursion([one], { own: () => [{ address, port: one.port }] });
    expect(await asker.ask(question(), UDP)).toBeNull();
  }
  const other = recursion([one], { own: () => [{ address: '127.0.0.2', port: one.port }] });
  expect(await other.ask(question(), UDP)).not.toBeNull();
  expect(one.asked).toHaveLength(1);
});

test('ask() ends when the recursion is closed', async () => {
  const silent = await recursor(() => null);
  const asker = recursion([silent], { clock: new FakeClock() });
  const asked = asker.ask(question(), UDP);
  asker[Symbol.dispose]();
  expect(await asked).toBeNull();
  expect(await asker.ask(question(), UDP)).toBeNull();
});
