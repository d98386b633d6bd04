import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RCODE, TYPE, decodeMessage } from '../message/index.ts';
import type { RegionLiteral } from '../registry/testing.ts';
import { FakeClock } from '../lib/index.ts';
import { ForwardedResponder } from './forwarded-responder.ts';
import { parseDnsOptions } from './options.ts';
import { Recursion } from './recursion.ts';
import type { Via } from './responder.ts';
import { SharedAnswers } from './shared-answers.ts';
import { readShared, writeShared } from './shared-wire.ts';
import { TestZone, edns, queryOf } from './testing.ts';

const WEB = 'web.service.consul.';
const UDP: Via = { transport: 'udp' };

function fleet(count: number): RegionLiteral {
  const nodes = Array.from({ length: count }, (_one, index) => ({
    name: `node-${index}`,
    address: `10.1.0.${index}`,
    services: [{ service: 'web', port: 80 }],
  }));
  return { nodes };
}

/** An agent's DNS over a link to a zone that can be cut. */
function agentOf(zone: TestZone) {
  const clock = new FakeClock();
  const link = { isThere: true, asked: 0 };
  const answers = new SharedAnswers({
    clock,
    ask: async ({ packet, transport, maxBytes }) => {
      link.asked++;
      if (!link.isThere) throw new Error('cut off');
      const via = { transport, ...(maxBytes === null ? {} : { maxBytes }) };
      const { answer, rendered, dependsOn } = zone.responder.share(packet, via, zone.peer);
      const wire = JSON.parse(JSON.stringify(rendered.map(writeShared))) as unknown[];
      const read = wire.map((one) => readShared(one)).filter((one) => one !== undefined);
      return { packet: (await answer) as Uint8Array, rendered: read, topics: dependsOn };
    },
  });
  const random = (): number => 0;
  const recursion = new Recursion({ clock, random });
  const options = parseDnsOptions({ datacenter: 'aws' });
  const responder = new ForwardedResponder({ answers, options, clock, random, recursion });
  const bytes = async (query: Uint8Array, via: Via = UDP): Promise<Buffer> =>
    Buffer.from((await responder.answer(query, via, zone.peer)) as Uint8Array);
  const rcode = async (name: string, type: number = TYPE.A): Promise<number> =>
    decodeMessage(await bytes(queryOf(name, type))).rcode;
  return { clock, link, answers, responder, bytes, rcode };
}

const answersOf = (bytes: Uint8Array): unknown[] =>
  decodeMessage(bytes)
    .answers.map((one) => JSON.stringify(one))
    .toSorted();

test.each<[string, number, number, Via, number]>([
  [WEB, TYPE.A, 1, UDP, 0],
  [WEB, TYPE.SRV, 1, UDP, 1_232],
  ['wEb.SERVICE.consul.', TYPE.SRV, 1, UDP, 0],
  [WEB, TYPE.ANY, 1, { transport: 'tcp' }, 0],
  ['node-0.node.consul.', TYPE.A, 2, UDP, 4_096],
  ['nope.service.consul.', TYPE.A, 2, UDP, 0],
  ['consul.', TYPE.SOA, 2, UDP, 0],
  ['7f000002.addr.consul.', TYPE.A, 1, UDP, 0],
  ['example.com.', TYPE.A, 1, UDP, 0],
  [WEB, TYPE.AXFR, 1, UDP, 0],
])('ForwardedResponder answers %s as the server does, octet for octet', async (name, type, count, via, size) => {
  const zone = new TestZone(fleet(count));
  const agent = agentOf(zone);
  const query = queryOf(name, type, size === 0 ? {} : { edns: edns(size) });
  const there = Buffer.from(zone.bytes(query, via) as Uint8Array);
  expect(await agent.bytes(query, via)).toEqual(there);
  // What is kept gives the same, with another id.
  const again = Buffer.from(query);
  again.writeUInt16BE(0x7777, 0);
  there.writeUInt16BE(0x7777, 0);
  expect(await agent.bytes(again, via)).toEqual(there);
});

test('ForwardedResponder gives the records that the server gives, for any size and number', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 40 }),
    fc.constantFrom(0, 512, 600, 1_232, 4_096),
    fc.constantFrom(TYPE.A, TYPE.SRV),
    async (count, size, type) => {
      const zone = new TestZone(fleet(count), {}, { random: () => 0 });
      const agent = agentOf(zone);
      const query = queryOf(WEB, type, size === 0 ? {} : { edns: edns(size) });
      const there = zone.bytes(query) as Uint8Array;
      for (let time = 0; time < 2; time++) {
        const here = await agent.bytes(query);
        expect(here.length).toBe(there.length);
        expect(answersOf(here).length).toBe(answersOf(there).length);
        expect(decodeMessage(here).truncated).toBe(decodeMessage(there).truncated);
      }
    },
  );
  await fc.assert(property, { numRuns: 25 });
});

test('ForwardedResponder asks once for what is kept, and at once when it was told that it is stale', async () => {
  const zone = new TestZone(fleet(1));
  const { bytes, link, answers } = agentOf(zone);
  for (let time = 0; time < 5; time++) await bytes(queryOf(WEB, TYPE.A));
  expect(link.asked).toBe(1);
  zone.change(fleet(2), { services: ['web'] });
  answers.stale(['svc/web']);
  expect(link.asked).toBe(2);
  expect(answersOf(await bytes(queryOf(WEB, TYPE.A)))).toHaveLength(2);
  expect(link.asked).toBe(2);
});

test('ForwardedResponder asks for what is not there each time: nobody would tell when it is', async () => {
  const zone = new TestZone(fleet(1));
  const { rcode, link } = agentOf(zone);
  expect(await rcode('nope.service.consul.')).toBe(RCODE.NXDOMAIN);
  zone.change({ nodes: [{ name: 'n', services: ['nope'] }] }, { services: ['nope'] });
  expect(await rcode('nope.service.consul.')).toBe(RCODE.NOERROR);
  expect(link.asked).toBe(2);
});

test('ForwardedResponder goes on with what was asked for while it is cut off, and does not know the rest', async () => {
  const zone = new TestZone(fleet(1));
  const { rcode, link, answers, bytes } = agentOf(zone);
  const there = await bytes(queryOf(WEB, TYPE.A));
  expect(await rcode('nope.service.consul.')).toBe(RCODE.NXDOMAIN);
  link.isThere = false;
  answers.doubt();
  expect(await bytes(queryOf(WEB, TYPE.A))).toEqual(there);
  expect(await rcode('nope.service.consul.')).toBe(RCODE.NXDOMAIN);
  expect(await rcode('other.service.consul.')).toBe(RCODE.SERVFAIL);
});

test('ForwardedResponder gives nothing that is known to be stale, also when nobody can be asked by then', async () => {
  const zone = new TestZone(fleet(1));
  const { rcode, link, answers } = agentOf(zone);
  await rcode(WEB);
  link.isThere = false;
  answers.stale(['svc/web']);
  expect(await rcode(WEB)).toBe(RCODE.SERVFAIL);
});

test('ForwardedResponder asks again over another link, whatever is kept', async () => {
  const zone = new TestZone(fleet(1));
  const { bytes, link, answers } = agentOf(zone);
  await bytes(queryOf(WEB, TYPE.A));
  zone.change(fleet(3), { services: ['web'] });
  answers.doubt();
  expect(answersOf(await bytes(queryOf(WEB, TYPE.A)))).toHaveLength(3);
  expect(link.asked).toBe(2);
});

test.each([
  ['no object', 1],
  ['places beyond its end', { ...(writeShared(rendered()) as object), serials: [9_999] }],
])('readShared() takes nothing that has %s', (_what, value) => {
  expect(readShared(value)).toBeUndefined();
});

function rendered() {
  const { rendered: all } = new TestZone(fleet(1)).responder.share(queryOf(WEB, TYPE.A), UDP);
  return all[0] as (typeof all)[number];
}
