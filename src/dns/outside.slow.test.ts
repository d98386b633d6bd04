import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../lib/index.ts';
import { RCODE, TYPE, encodeMessage } from '../message/index.ts';
import type { DnsMessage } from '../message/index.ts';
import { seededRandom } from '../message/testing.ts';
import type { RegionLiteral } from '../registry/testing.ts';
import type { DnsInput } from './options.ts';
import { parseDnsOptions } from './options.ts';
import { Recursion } from './recursion.ts';
import type { ResponderOptions } from './responder.ts';
import { FakeRecursor, TestZone, edns, lines, queryOf } from './testing.ts';
import type { RecursorAnswer } from './testing.ts';

let left = new AsyncDisposableStack();
afterEach(async () => {
  const used = left;
  left = new AsyncDisposableStack();
  await used.disposeAsync();
});

const REGION: RegionLiteral = {
  nodes: [
    { name: 'n1', address: '10.0.0.1', services: [{ service: 'web', port: 80 }] },
    {
      name: 'cloud',
      address: 'lb.example.com',
      services: [
        { service: 'rds', port: 3306 },
        { service: 'alias', port: 1, address: 'rds.service.consul' },
        { service: 'a1', port: 1, address: 'a2.service.consul' },
        { service: 'a2', port: 1, address: 'a3.service.consul' },
        { service: 'a3', port: 1, address: 'a4.service.consul' },
        { service: 'a4', port: 1, address: 'far.example.com' },
      ],
    },
  ],
};

async function zone(
  say: RecursorAnswer,
  input: Partial<DnsInput> = {},
  more: Partial<ResponderOptions> = {},
): Promise<{ asked: FakeRecursor['asked']; zone: TestZone }> {
  const recursor = left.use(await FakeRecursor.start(say));
  const all: Partial<DnsInput> = { recursors: [recursor.name], serviceTtl: { '*': 7 }, ...input };
  const recursion = left.use(new Recursion({ clock: systemClock, random: seededRandom(2) }));
  recursion.configure(parseDnsOptions({ datacenter: 'aws', ...all }));
  return { asked: recursor.asked, zone: new TestZone(REGION, all, { recursion, ...more }) };
}

/** Two host names, then `count` addresses. */
const chain =
  (count: number): RecursorAnswer =>
  ({ questions: [question] }) => ({
    answers: [
      { name: question?.name ?? '.', ttl: 60, data: { type: 'CNAME', target: 'real.example.com.' } },
      ...Array.from({ length: count }, (_, index): DnsMessage['answers'][number] => ({
        name: 'real.example.com.',
        ttl: 60,
        data: { type: 'A', address: `192.0.2.${index}` },
      })),
    ],
  });

describe('names outside the zone', () => {
  test('are answered as the recursor does, with RA', async () => {
    const { zone: one, asked } = await zone(() => ({ rcode: RCODE.NXDOMAIN, checkingDisabled: false }));
    const message = await one.later('nope.example.', TYPE.TXT, { edns: edns(1_232) });
    expect(message).toMatchObject({ id: 0x1234, rcode: RCODE.NXDOMAIN, recursionAvailable: true });
    expect(asked).toEqual(['udp nope.example. 16']);
  });

  test('are SERVFAIL with RA when no recursor has an answer', async () => {
    const { zone: one } = await zone(() => ({ rcode: RCODE.REFUSED }));
    expect(await one.later('example.com.', TYPE.A)).toMatchObject({
      rcode: RCODE.SERVFAIL,
      recursionAvailable: true,
      authoritative: false,
    });
  });

  test('are asked over TCP when they came over TCP', async () => {
    const { zone: one, asked } = await zone(() => ({}));
    await one.later('example.com.', TYPE.A, {}, { transport: 'tcp' });
    expect(asked).toEqual(['tcp example.com. 1']);
  });

  test('are REFUSED without recursors, without RA', () => {
    const one = new TestZone(REGION);
    expect(one.ask('example.com.', TYPE.A)).toMatchObject({ rcode: RCODE.REFUSED, recursionAvailable: false });
  });

  test('say nothing of RA in the zone but that there are recursors', async () => {
    const { zone: one, asked } = await zone(() => ({}));
    for (const name of ['web.service.consul.', 'nope.service.consul.', 'consul.', '1.0.0.10.in-addr.arpa.'])
      expect(one.ask(name, TYPE.A)).toMatchObject({ recursionAvailable: true, authoritative: true });
    expect(one.ask('consul.', TYPE.AXFR)).toMatchObject({ rcode: RCODE.NOTIMP, recursionAvailable: true });
    expect(asked).toEqual([]);
    expect(new TestZone(REGION).ask('web.service.consul.', TYPE.A).recursionAvailable).toBe(false);
  });
});

describe('reverse names', () => {
  const PTR = { name: '9.9.0.10.in-addr.arpa.', ttl: 9, data: { type: 'PTR', target: 'x.example.' } } as const;

  test('that a node here has are answered here', async () => {
    const { zone: one, asked } = await zone(() => ({}));
    expect(lines(one.ask('1.0.0.10.in-addr.arpa.', TYPE.PTR).answers)[0]).toContain('n1.node.aws.consul.');
    expect(asked).toEqual([]);
  });

  test('that nobody here has are for the recursors, private ones too', async () => {
    const { zone: one, asked } = await zone(() => ({ answers: [PTR] }));
    expect(lines((await one.later(PTR.name, TYPE.PTR)).answers)).toEqual([`${PTR.name} 9 PTR x.example.`]);
    await one.later('8.8.8.8.in-addr.arpa.', TYPE.PTR);
    expect(asked).toEqual([`udp ${PTR.name} 12`, 'udp 8.8.8.8.in-addr.arpa. 12']);
  });
});

describe('services with host names outside', () => {
  test('have the CNAME and what it leads to, with the TTL of the service', async () => {
    const { zone: one, asked } = await zone(chain(1));
    const message = await one.later('RDS.service.consul.', TYPE.A);
    expect(message).toMatchObject({ authoritative: true, recursionAvailable: true, rcode: 0 });
    expect(lines(message.answers)).toEqual([
      'RDS.service.consul. 7 CNAME lb.example.com.',
      'lb.example.com. 7 CNAME real.example.com.',
      'real.example.com. 7 A 192.0.2.0',
    ]);
    await one.later('rds.service.consul.', TYPE.AAAA);
    await one.later('rds.service.consul.', TYPE.ANY);
    expect(asked).toEqual(['udp lb.example.com. 1', 'udp lb.example.com. 28', 'udp lb.example.com. 1']);
  });

  test('have five more records at most without EDNS', async () => {
    const { zone: one } = await zone(chain(9), { udpAnswerLimit: 8 });
    expect((await one.later('rds.service.consul.', TYPE.A)).answers).toHaveLength(6);
    expect((await one.later('rds.service.consul.', TYPE.A, { edns: edns(4_096) })).answers).toHaveLength(11);
  });

  test('are followed through the zone first, three deep', async () => {
    const { zone: one, asked } = await zone(chain(1));
    const tcp = { transport: 'tcp' } as const;
    const names = lines((await one.later('alias.service.consul.', TYPE.A, {}, tcp)).answers).map(
      (line) => line.split(' ')[0],
    );
    expect(names).toEqual(['alias.service.consul.', 'rds.service.consul.', 'lb.example.com.', 'real.example.com.']);
    expect(asked).toHaveLength(1);
    expect(one.ask('a1.service.consul.', TYPE.A, {}, tcp).answers).toHaveLength(4);
    expect((await one.later('a2.service.consul.', TYPE.A, {}, tcp)).answers).toHaveLength(5);
  });

  test('have the CNAME alone when the recursors know nothing, or talk nonsense', async () => {
    for (const say of [
      () => ({ rcode: RCODE.SERVFAIL }),
      () => ({ rcode: RCODE.NXDOMAIN }),
      ({ id, questions }: DnsMessage) => {
        const name = (questions[0]?.name ?? '').split('.').slice(0, -1);
        const labels = name.flatMap((label) => [label.length, ...Buffer.from(label)]);
        return Uint8Array.of(id >> 8, id & 255, 0x80, 0, 0, 1, 0, 9, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1, 9);
      },
    ]) {
      const { zone: one } = await zone(say);
      const message = await one.later('rds.service.consul.', TYPE.A);
      expect([message.rcode, lines(message.answers)]).toEqual([0, ['rds.service.consul. 7 CNAME lb.example.com.']]);
    }
  });

  test('are answered at once with the CNAME alone without recursors, and as SRV', async () => {
    expect(new TestZone(REGION).ask('rds.service.consul.', TYPE.A).answers).toHaveLength(1);
    const { zone: one, asked } = await zone(chain(1));
    expect(lines(one.ask('rds.service.consul.', TYPE.SRV).answers)).toEqual([
      'rds.service.consul. 7 SRV 1 1 3306 cloud.node.aws.consul.',
    ]);
    expect(asked).toEqual([]);
  });
});

describe('a recursor that talks nonsense', () => {
  test('is survived, and its answers are no longer than the asker takes', async () => {
    const random = seededRandom(12);
    const below = (most: number): number => Math.floor(random() * most);
    const errors: unknown[] = [];
    const { zone: one } = await zone(
      (query) => {
        const reply = Buffer.from(
          encodeMessage({ ...query, response: true, ...(chain(below(40))(query, 'udp') as Partial<DnsMessage>) }),
        );
        for (let changes = below(6); changes > 0; changes--)
          reply[below(4) === 0 ? below(12) : below(reply.length)] = below(256);
        return below(5) === 0 ? reply.subarray(0, below(reply.length)) : reply;
      },
      { recursorTimeoutMs: 20 },
      { onError: (error) => errors.push(error) },
    );
    for (let round = 0; round < 60; round++) {
      const asked = Array.from({ length: 10 }, async (_, index) => {
        const given = below(2) === 0 ? null : edns(600);
        const name = index % 2 === 0 ? `n${round}-${index}.example.` : 'rds.service.consul.';
        const bytes = await one.responder.answer(queryOf(name, TYPE.A, { edns: given, id: index }), {
          transport: 'udp',
        });
        expect(bytes?.[1]).toBe(index);
        expect(bytes?.length).toBeLessThanOrEqual(given?.udpOctets ?? 512);
      });
      await Promise.all(asked);
    }
    expect(errors).toEqual([]);
  });
});
