import { expect, test } from 'vitest';
import { ALL_ALLOWED } from '../access/index.ts';
import { RCODE, TYPE } from '../message/index.ts';
import type { DnsMessage } from '../message/index.ts';
import { seededRandom } from '../message/testing.ts';
import type { RegionLiteral } from '../registry/testing.ts';
import { catalogOf } from '../registry/testing.ts';
import type { DnsInput } from './options.ts';
import type { ExecutedQuery } from './prepared-queries.ts';
import { TestZone, edns, lines } from './testing.ts';

const REGION: RegionLiteral = {
  nodes: Array.from({ length: 6 }, (_, index) => ({
    name: `n${index}`,
    address: `10.0.0.${index}`,
    services: [{ service: 'web', port: 8_000 + index, status: index === 5 ? 'critical' : 'passing' } as const],
  })),
};
const ALL = catalogOf(REGION).instances('web');
const INSTANCES = ALL.slice(0, 5);

interface Call {
  readonly name: string;
  readonly source: string;
}

function zone(executed: Partial<ExecutedQuery>, input: Partial<DnsInput> = {}): { zone: TestZone; calls: Call[] } {
  const calls: Call[] = [];
  const queries = {
    execute(name: string, { source }: { readonly source: string }): ExecutedQuery | undefined {
      calls.push({ name, source });
      if (name === 'template-id') throw new Error('asked for by its id');
      const all = { service: 'web', instances: INSTANCES, ttlSeconds: null, isOrdered: false, ...executed };
      return name === 'geo' || name === 'near.to.me' ? all : undefined;
    },
  };
  return { zone: new TestZone(REGION, input, { queries, random: seededRandom(6) }), calls };
}

const TCP = { transport: 'tcp' } as const;

test('a prepared query gives SRV and A of its instances', () => {
  const { zone: one } = zone({});
  const srv = one.ask('geo.query.consul.', TYPE.SRV, {}, TCP);
  expect(srv).toMatchObject({ rcode: 0, authoritative: true });
  expect(lines(srv.answers).toSorted()[0]).toBe('geo.query.consul. 0 SRV 1 1 8000 n0.node.aws.consul.');
  expect([srv.answers.length, srv.additionals.length]).toEqual([5, 5]);
  expect(one.ask('geo.query.aws.consul.', TYPE.A, {}, TCP).answers).toHaveLength(5);
  expect(one.ask('geo.query.consul.', TYPE.A).answers).toHaveLength(3);
  expect(one.ask('geo.query.consul.', TYPE.AAAA)).toMatchObject({ rcode: 0, answers: [], authorities: [{}] });
});

test('a prepared query decides itself which instances are well: it may leave checks out', () => {
  const { zone: one } = zone({ instances: ALL }, { onlyPassing: true });
  expect(lines(one.ask('geo.query.consul.', TYPE.A, {}, TCP).answers)).toHaveLength(6);
});

test('a prepared query shows what a token that is bound to it may see', () => {
  const authority = { ...ALL_ALLOWED, id: 'some', allows: (_: string, name: string) => name !== 'n0' && name !== 'n1' };
  const { zone: one } = zone({ authority });
  expect(lines(one.ask('geo.query.consul.', TYPE.A, {}, TCP).answers)).toHaveLength(3);
});

test.each([
  ['geo.query.consul.', 'geo'],
  ['GEO.Query.consul.', 'geo'],
  ['_geo._tcp.query.consul.', 'geo'],
  ['near.to.me.query.aws.dc.consul.', 'near.to.me'],
])('%s executes %s', (asked, name) => {
  const { zone: one, calls } = zone({});
  expect(one.ask(asked, TYPE.SRV).answers).toHaveLength(3);
  expect(calls.map((call) => call.name)).toEqual([name]);
});

test('a prepared query has its own TTL, else that of its service', () => {
  const ttls = (executed: Partial<ExecutedQuery>): unknown =>
    zone(executed, { serviceTtl: { web: 9 } })
      .zone.ask('geo.query.consul.', TYPE.A)
      .answers.map(({ ttl }) => ttl);
  expect(ttls({ ttlSeconds: 30 })).toEqual([30, 30, 30]);
  expect(ttls({ ttlSeconds: 0 })).toEqual([0, 0, 0]);
  expect(ttls({})).toEqual([9, 9, 9]);
});

test('a prepared query keeps an order that means something, and else has any', () => {
  const firsts = (isOrdered: boolean, type: number): Set<string> => {
    const { zone: one } = zone({ isOrdered, instances: INSTANCES.toReversed() });
    return new Set(Array.from({ length: 40 }, () => lines(one.ask('geo.query.consul.', type).answers)[0] as string));
  };
  for (const type of [TYPE.A, TYPE.SRV]) {
    expect(firsts(true, type).size).toBe(1);
    expect([...firsts(true, type)][0]).toMatch(/10\.0\.0\.4|8004/);
    expect(firsts(false, type).size).toBe(5);
  }
});

test('a prepared query is executed for each question, with who asks', () => {
  const { zone: one, calls } = zone({});
  const subnet = { code: 8, octets: Uint8Array.of(0, 1, 24, 0, 198, 51, 100) };
  const six = { code: 8, octets: Uint8Array.of(0, 2, 32, 0, 0x20, 1, 0xd, 0xb8) };
  const none = { code: 8, octets: Uint8Array.of(0, 1, 0, 0) };
  const asked = (option: object): DnsMessage['edns'] => ({ ...edns(1_232), options: [option] }) as DnsMessage['edns'];
  one.ask('geo.query.consul.', TYPE.A);
  for (const option of [subnet, six, none]) one.ask('geo.query.consul.', TYPE.A, { edns: asked(option) });
  expect(calls.map((call) => call.source)).toEqual(['192.0.2.77', '198.51.100.0', '2001:db8::', '']);
  const scopeOf = (name: string): unknown => one.ask(name, TYPE.A, { edns: asked(subnet) }).edns?.options[0]?.octets[3];
  expect([scopeOf('geo.query.consul.'), scopeOf('web.service.consul.')]).toEqual([24, 0]);
});

test('an unknown prepared query, and one without instances, is NXDOMAIN', () => {
  for (const one of [
    zone({}).zone.ask('other.query.consul.', TYPE.A),
    zone({}).zone.ask('template-id.query.consul.', TYPE.A),
    zone({ instances: [] }).zone.ask('geo.query.consul.', TYPE.SRV),
  ])
    expect(one).toMatchObject({ rcode: RCODE.NXDOMAIN, authoritative: true, authorities: [{}] });
  expect(new TestZone(REGION).ask('geo.query.consul.', TYPE.A).rcode).toBe(RCODE.NXDOMAIN);
});
