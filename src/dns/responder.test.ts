import { describe, expect, test } from 'vitest';
import type { DnsMessage } from '../message/index.ts';
import { RCODE, TYPE, decodeMessage } from '../message/index.ts';
import { seededRandom } from '../message/testing.ts';
import type { InstanceLiteral, RegionLiteral } from '../registry/testing.ts';
import { catalogOf } from '../registry/testing.ts';
import { FakeClock } from '../lib/index.ts';
import { parseDnsOptions } from './options.ts';
import type { DnsInput } from './options.ts';
import { Responder } from './responder.ts';
import { TestZone, edns, lines, queryOf } from './testing.ts';

/** `count` nodes, each with an instance of `web`; `more` is what differs. */
function fleet(count: number, more: Partial<InstanceLiteral> = {}): RegionLiteral {
  const nodes = Array.from({ length: count }, (_, index) => ({
    name: `node-${index}`,
    address: `10.1.${index >> 8}.${index & 255}`,
    services: [{ service: 'web', port: 80, ...more }],
  }));
  return { nodes };
}

const WEB = 'web.service.consul.';
const TCP = { transport: 'tcp' } as const;

describe('sizes', () => {
  const counts = (
    count: number,
    type: number,
    parts: Partial<DnsMessage>,
    input: Partial<DnsInput> = {},
  ): [number, number, boolean] => {
    const { answers, additionals, truncated } = new TestZone(fleet(count), input).ask(WEB, type, parts);
    return [answers.length, additionals.length, truncated];
  };

  test('without EDNS there are at most udpAnswerLimit answers, and TC tells of more', () => {
    expect(counts(3, TYPE.A, {})).toEqual([3, 0, false]);
    expect(counts(4, TYPE.A, {})).toEqual([3, 0, true]);
    expect(counts(9, TYPE.SRV, {})).toEqual([3, 3, true]);
    expect(counts(20, TYPE.A, {}, { udpAnswerLimit: 5 })).toEqual([5, 0, true]);
    expect(counts(20, TYPE.A, {}, { udpAnswerLimit: 50 })).toEqual([8, 0, true]);
    expect(counts(20, TYPE.A, { edns: edns(512) })).toEqual([3, 0, true]);
  });

  test('legacy does not set TC, unless told to', () => {
    expect(counts(9, TYPE.A, {}, { legacy: true })).toEqual([3, 0, false]);
    expect(counts(9, TYPE.A, {}, { legacy: true, enableTruncate: true })).toEqual([3, 0, true]);
    expect(counts(9, TYPE.A, {}, { enableTruncate: false })).toEqual([3, 0, false]);
  });

  test('EDNS takes what fits into its size', () => {
    expect(counts(20, TYPE.A, { edns: edns(1_232) })).toEqual([20, 0, false]);
    const [answers, additionals, truncated] = counts(60, TYPE.SRV, { edns: edns(1_232) });
    expect(answers).toBeGreaterThan(15);
    expect(additionals).toBe(answers);
    expect(truncated).toBe(true);
  });

  test('aRecordLimit is no truncation', () => {
    expect(counts(9, TYPE.A, {}, { aRecordLimit: 2 })).toEqual([2, 0, false]);
    expect(counts(9, TYPE.SRV, { edns: edns(4_096) }, { aRecordLimit: 2 })).toEqual([9, 9, false]);
  });

  test('TCP takes 64 KiB', () => {
    const zone = new TestZone(fleet(3_000));
    const srv = zone.bytes(queryOf(WEB, TYPE.SRV), TCP) as Uint8Array;
    expect(srv.length).toBeLessThanOrEqual(65_535);
    expect(decodeMessage(srv).answers.length).toBeGreaterThan(700);
    expect(decodeMessage(srv).truncated).toBe(true);
    expect(zone.ask(WEB, TYPE.A, {}, TCP).answers).toHaveLength(3_000);
  });

  test('an answer is never longer than the query allows', () => {
    const name = 'w'.repeat(63);
    const nodes = Array.from({ length: 40 }, (_, index) => ({
      name: [`n${index}`, 'x'.repeat(60), 'y'.repeat(60), 'z'.repeat(40)].join('.'),
      address: `10.2.0.${index}`,
      meta: { note: 'm'.repeat(200) },
      services: [{ service: name, port: 1 }],
    }));
    const wide = [1, 40].map((count) => ({ nodes: nodes.slice(0, count) }));
    for (const region of wide)
      for (const input of [{}, { disableCompression: true }, { legacy: true }])
        for (const octets of [null, 512, 600, 1_232, 4_096, 65_535]) {
          const zone = new TestZone(region, input);
          const limit = octets ?? 512;
          const query = queryOf(`${name}.service.consul.`, TYPE.SRV, { edns: octets === null ? null : edns(octets) });
          for (const maxBytes of [limit, 512]) {
            const bytes = zone.bytes(query, { transport: 'udp', maxBytes }) as Uint8Array;
            expect(bytes.length).toBeLessThanOrEqual(Math.min(limit, maxBytes));
            expect(decodeMessage(bytes).rcode).toBe(RCODE.NOERROR);
          }
        }
  });

  test('a lone SRV answer too long for its address goes without it', () => {
    const long = ['a', 'b', 'c'].map((char) => char.repeat(60)).join('.');
    const service = 's'.repeat(63);
    const region = { nodes: [{ name: long, services: [{ service, port: 1 }] }] };
    const zone = new TestZone(region, { legacy: true, disableCompression: true });
    const message = zone.ask(`${service}.service.consul.`, TYPE.SRV);
    expect([message.answers.length, message.additionals.length, message.truncated]).toEqual([1, 0, false]);
  });

  test('an answer that does not fit at all is left out and told of, also under legacy', () => {
    const long = ['a', 'b', 'c'].map((char) => char.repeat(60)).join('.');
    const tag = ['t', 'u'].map((char) => char.repeat(55)).join('.');
    const service = 's'.repeat(63);
    const region = { nodes: [{ name: long, services: [{ service, port: 1, tags: [tag] }] }] };
    const zone = new TestZone(region, { legacy: true, disableCompression: true });
    const name = `${tag}.${service}.service.consul.`;
    expect(zone.ask(name, TYPE.SRV)).toMatchObject({ rcode: RCODE.NOERROR, answers: [], truncated: true });
    expect(zone.ask(name, TYPE.SRV, {}, TCP).answers).toHaveLength(1);
  });
});

describe('order', () => {
  test('A answers come first in proportion to their weights', () => {
    const zone = new TestZone(
      {
        nodes: [8, 1, 1].map((passing, index) => ({
          name: `n${index}`,
          address: `10.0.0.${index}`,
          services: [{ service: 'web', weights: { passing, warning: 1 } }],
        })),
      },
      {},
      { random: seededRandom(3) },
    );
    expect(firsts(zone).get('10.0.0.0')).toBeGreaterThan(0.72);
    expect(firsts(zone).get('10.0.0.0')).toBeLessThan(0.88);
  });

  test('legacy takes no notice of weights', () => {
    const zone = new TestZone(
      {
        nodes: [50, 1].map((passing, index) => ({
          name: `n${index}`,
          address: `10.0.0.${index}`,
          services: [{ service: 'web', weights: { passing, warning: 1 } }],
        })),
      },
      { legacy: true },
      { random: seededRandom(4) },
    );
    expect(Math.abs((firsts(zone).get('10.0.0.0') ?? 0) - 0.5)).toBeLessThan(0.08);
  });

  test('a plain resolver gets to see every instance', () => {
    const zone = new TestZone(fleet(30), {}, { random: seededRandom(5) });
    const seen = new Set<string>();
    for (let round = 0; round < 4_000; round++) for (const line of lines(zone.ask(WEB, TYPE.A).answers)) seen.add(line);
    expect(seen.size).toBe(30);
  });

  /** The share of each address of first places in A answers. */
  function firsts(zone: TestZone): Map<string, number> {
    const found = new Map<string, number>();
    const rounds = 3_000;
    for (let round = 0; round < rounds; round++) {
      const data = zone.ask(WEB, TYPE.A).answers[0]?.data;
      const address = data?.type === 'A' ? data.address : 'none';
      found.set(address, (found.get(address) ?? 0) + 1 / rounds);
    }
    return found;
  }
});

describe('prebuilt answers', () => {
  test('change with their service, in the turn in which the feed tells', () => {
    const zone = new TestZone(fleet(1));
    for (const type of [TYPE.A, TYPE.SRV, TYPE.AAAA]) zone.ask(WEB, type);
    zone.change(fleet(2), { services: ['web'] });
    expect(zone.ask(WEB, TYPE.A).answers).toHaveLength(2);
    expect(zone.ask(WEB, TYPE.SRV).answers).toHaveLength(2);
    expect(zone.ask(`_web._tcp.${WEB.slice(4)}`, TYPE.SRV).answers).toHaveLength(2);
    zone.change({ nodes: [] }, { services: ['web'], nodes: ['node-0'] });
    expect(zone.ask(WEB, TYPE.A).rcode).toBe(RCODE.NXDOMAIN);
  });

  test('change with their node', () => {
    const at = (address: string): RegionLiteral => ({ nodes: [{ name: 'Node', address }] });
    const zone = new TestZone(at('10.0.0.1'));
    expect(lines(zone.ask('node.node.consul.', TYPE.A).answers)).toEqual(['node.node.consul. 0 A 10.0.0.1']);
    expect(zone.ask('1.0.0.10.in-addr.arpa.', TYPE.PTR).answers).toHaveLength(1);
    zone.change(at('10.0.0.2'), { nodes: ['Node'] });
    expect(lines(zone.ask('node.node.consul.', TYPE.A).answers)).toEqual(['node.node.consul. 0 A 10.0.0.2']);
    expect(zone.ask('1.0.0.10.in-addr.arpa.', TYPE.PTR).rcode).toBe(RCODE.NXDOMAIN);
    expect(zone.ask('2.0.0.10.in-addr.arpa.', TYPE.PTR).answers).toHaveLength(1);
  });

  test('change with a service whose name has capitals, and with what a CNAME leads to', () => {
    const region = (address: string, services: string[]): RegionLiteral => ({
      nodes: [
        { name: 'a', address, services },
        { name: 'b', services: [{ service: 'alias', address: 'a.node.consul' }] },
      ],
    });
    const zone = new TestZone(region('10.0.0.1', []));
    expect(zone.ask('web.service.consul.', TYPE.A).rcode).toBe(RCODE.NXDOMAIN);
    expect(lines(zone.ask('alias.service.consul.', TYPE.A).answers)[1]).toContain('10.0.0.1');
    zone.change(region('10.0.0.2', ['Web']), { services: ['Web'], nodes: ['a'] });
    expect(zone.ask('web.service.consul.', TYPE.A).answers).toHaveLength(1);
    expect(lines(zone.ask('alias.service.consul.', TYPE.A).answers)[1]).toContain('10.0.0.2');
    zone.change(region('10.0.0.2', []), { services: ['Web'] });
    expect(zone.ask('web.service.consul.', TYPE.A).rcode).toBe(RCODE.NXDOMAIN);
  });

  test('are made anew when the catalog moved on without a word', () => {
    const zone = new TestZone(fleet(1));
    zone.ask(WEB, TYPE.A);
    zone.change(fleet(2), null);
    expect(zone.ask(WEB, TYPE.A).answers).toHaveLength(2);
  });

  test('are not kept for ever when there are too many', () => {
    const services = Array.from({ length: 300 }, (_, index) => ({ service: `s${index}`, port: 1 }));
    const zone = new TestZone({ nodes: [{ name: 'n', services }] }, {}, { cacheOctets: 10_000 });
    for (let round = 0; round < 2; round++)
      for (const { service } of services)
        expect(zone.ask(`${service}.service.consul.`, TYPE.SRV).answers).toHaveLength(1);
  });

  test('say the time in the serial of each SOA', async () => {
    const zone = new TestZone(fleet(1));
    const serial = (): number => {
      const data = zone.ask(WEB, TYPE.AAAA).authorities[0]?.data;
      return data?.type === 'SOA' ? data.serial : 0;
    };
    const before = serial();
    await zone.clock.advance(5_000);
    expect(serial()).toBe(before + 5);
  });

  test('close() ends listening', () => {
    const zone = new TestZone(fleet(1));
    expect(zone.listeners).toBe(1);
    zone.responder.close();
    expect(zone.listeners).toBe(0);
  });
});

describe('the question', () => {
  test.each([{}, { disableCompression: true }])('keeps its spelling in the owner names (%j)', (input) => {
    const zone = new TestZone(fleet(2), input);
    for (const spelled of ['wEb.SERVICE.cOnsul.', WEB, 'WEB.service.CONSUL.']) {
      const up = zone.ask(spelled, TYPE.A);
      expect([up.questions[0]?.name, ...up.answers.map((record) => record.name)]).toEqual([spelled, spelled, spelled]);
      const none = zone.ask(`x${spelled}`, TYPE.A);
      expect(none.authorities[0]?.name).toBe(spelled.split('.').slice(2).join('.'));
    }
  });

  test('keeps its id and RD, and sets nothing else', () => {
    const zone = new TestZone(fleet(1));
    const message = zone.ask(WEB, TYPE.A, {
      id: 0xbeef,
      recursionDesired: false,
      authenticData: true,
      checkingDisabled: true,
    });
    expect(message).toMatchObject({
      id: 0xbeef,
      recursionDesired: false,
      authenticData: false,
      checkingDisabled: false,
    });
  });

  test('with EDNS gets EDNS, its size and its subnet back', () => {
    const zone = new TestZone(fleet(1));
    expect(zone.ask(WEB, TYPE.A, { edns: edns(1_400) }).edns).toEqual({
      udpOctets: 1_400,
      version: 0,
      dnssecOk: false,
      options: [],
    });
    const subnet = { code: 8, octets: Uint8Array.of(0, 1, 24, 0, 10, 11, 12) };
    const asked = { ...edns(1_232), options: [{ code: 10, octets: new Uint8Array(8) }, subnet] } as DnsMessage['edns'];
    for (const name of [WEB, 'nope.service.consul.', 'example.com.']) {
      const answer = zone.ask(name, TYPE.A, { edns: asked });
      expect(answer.edns?.options).toEqual([subnet]);
    }
    expect(zone.ask(WEB, TYPE.A).edns).toBeNull();
  });

  test.each([
    ['AXFR', TYPE.AXFR, {}, RCODE.NOTIMP],
    ['IXFR', TYPE.IXFR, {}, RCODE.NOTIMP],
    [
      'another version of EDNS',
      TYPE.A,
      { edns: { udpOctets: 1_232, version: 1, dnssecOk: false, options: [] } },
      RCODE.BADVERS,
    ],
    ['class CH', TYPE.TXT, { questions: [{ name: WEB, type: TYPE.TXT, class: 3 }] }, RCODE.REFUSED],
    ['an update', TYPE.A, { opcode: 5 }, RCODE.NOTIMP],
    ['no question', TYPE.A, { questions: [] }, RCODE.FORMERR],
  ])('is refused when it is %s', (_what, type, parts, rcode) => {
    const message = new TestZone(fleet(1)).ask(WEB, type, parts);
    expect(message).toMatchObject({ id: 0x1234, response: true, rcode, answers: [] });
  });

  test('is refused with authority within the zone, and without elsewhere', () => {
    const zone = new TestZone(fleet(1));
    expect(zone.ask('consul.', TYPE.AXFR)).toMatchObject({ rcode: RCODE.NOTIMP, authoritative: true });
    expect(zone.ask('example.com.', TYPE.AXFR)).toMatchObject({ rcode: RCODE.NOTIMP, authoritative: false });
  });

  test('is answered SERVFAIL when the catalog fails', () => {
    const errors: unknown[] = [];
    const broken = catalogOf(fleet(1));
    broken.instances = () => {
      throw new Error('broken');
    };
    const options = parseDnsOptions({ datacenter: 'aws' });
    const onError = (error: unknown): void => void errors.push(error);
    const feed = { onApplied: () => () => undefined };
    const responder = new Responder({ catalog: broken, feed, options, clock: new FakeClock(), onError });
    const bytes = responder.answer(queryOf(WEB, TYPE.A), TCP) as Uint8Array;
    expect(decodeMessage(bytes).rcode).toBe(RCODE.SERVFAIL);
    expect(errors).toEqual([new Error('broken')]);
  });
});
