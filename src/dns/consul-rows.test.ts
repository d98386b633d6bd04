import { describe, expect, test } from 'vitest';
import { RCODE, TYPE } from '../message/index.ts';
import type { DnsMessage } from '../message/index.ts';
import type { NodeLiteral, RegionLiteral } from '../registry/testing.ts';
import type { DnsInput } from './options.ts';
import type { Via } from './responder.ts';
import { TestZone, edns, lines } from './testing.ts';

// One test for each row of the names, records, sizes and keys that Consul documents, named after it.

const TCP: Via = { transport: 'tcp' };
const WEB: NodeLiteral['services'] = [
  { service: 'web', port: 80, tags: ['v1', 'eu.west'], weights: { passing: 5, warning: 2 } },
];
const REGION: RegionLiteral = {
  nodes: [
    {
      name: 'n.1',
      address: '10.0.0.1',
      meta: { rack: 'r1', 'consul-version': '1.22', 'rfc1035-x': 'bare' },
      services: WEB,
    },
    {
      name: 'n2',
      address: '10.0.0.2',
      services: [
        { service: 'web', port: 81, address: '192.0.2.10', status: 'warning', weights: { passing: 5, warning: 2 } },
      ],
    },
    {
      name: 'n3',
      address: '10.0.0.3',
      services: [
        { service: 'web', port: 82, status: 'critical' },
        { service: 'gone', port: 1, status: 'critical' },
      ],
    },
    {
      name: 'n4',
      address: '10.0.0.4',
      services: [
        { service: 'web', port: 83, maintenance: true },
        { service: 'lb', port: 9, address: 'lb.example.com' },
      ],
    },
    { name: 'n5', address: '10.0.0.5' },
  ],
};

const zone = (input: Partial<DnsInput> = {}, region = REGION): TestZone =>
  new TestZone(region, { servers: ['n.1'], ...input });
const ask = (
  name: string,
  type: number,
  input: Partial<DnsInput> = {},
  parts: Partial<DnsMessage> = {},
  via = TCP,
): DnsMessage => zone(input).ask(name, type, parts, via);
const answers = (name: string, type: number, input: Partial<DnsInput> = {}): string[] =>
  lines(ask(name, type, input).answers).toSorted();
const many = (count: number): RegionLiteral => ({
  nodes: Array.from({ length: count }, (_, index) => ({
    name: `n${index}`,
    address: `10.1.${index >> 8}.${index & 255}`,
    services: ['web'],
  })),
});

describe('names', () => {
  test('<node>.node[.<dc>].consul: the name may contain dots; TXT and ANY have the meta; other types are empty', () => {
    for (const name of ['n.1.node.consul.', 'n.1.node.aws.consul.', 'n.1.node.aws.dc.consul.'])
      expect(answers(name, TYPE.A)).toEqual([`${name} 0 A 10.0.0.1`]);
    expect(answers('n.1.node.consul.', TYPE.TXT)).toEqual([
      'n.1.node.consul. 0 TXT "bare"',
      'n.1.node.consul. 0 TXT "rack=r1"',
    ]);
    expect(answers('n.1.node.consul.', TYPE.ANY)).toHaveLength(3);
    expect(ask('n.1.node.consul.', TYPE.NS)).toMatchObject({ rcode: 0, answers: [] });
    expect(ask('nope.node.consul.', TYPE.A)).toMatchObject({
      rcode: RCODE.NXDOMAIN,
      authorities: [{ name: 'consul.' }],
    });
  });

  test('[<tag>.]<service>.service[.<dc>].consul: tags with dots, in any case', () => {
    expect(answers('web.service.aws.consul.', TYPE.A)).toHaveLength(2);
    for (const tag of ['v1', 'EU.West']) expect(answers(`${tag}.web.service.consul.`, TYPE.SRV)).toHaveLength(1);
    expect(ask('v9.web.service.consul.', TYPE.A).rcode).toBe(RCODE.NXDOMAIN);
  });

  test('_<service>._<tag>[.service][.<dc>].consul: RFC 2782; .service omitted for SRV only', () => {
    for (const name of [
      '_web._tcp.service.consul.',
      '_web._tcp.service.aws.consul.',
      '_web._tcp.consul.',
      '_web._tcp.aws.consul.',
    ])
      expect(answers(name, TYPE.SRV)).toHaveLength(2);
    expect(answers('_web._v1.service.consul.', TYPE.SRV)).toHaveLength(1);
    expect(ask('_web._udp.service.consul.', TYPE.SRV).rcode).toBe(RCODE.NXDOMAIN);
    expect(ask('_web._tcp.consul.', TYPE.A).rcode).toBe(RCODE.NXDOMAIN);
  });

  test('<hex>.addr[.<dc>].consul: 8 digits A, 32 AAAA; another type in ADDITIONAL; not hex is NXDOMAIN', () => {
    expect(answers('c000020a.addr.consul.', TYPE.A)).toEqual(['c000020a.addr.consul. 0 A 192.0.2.10']);
    expect(answers('20010db8000000000000000000000001.addr.aws.consul.', TYPE.AAAA)[0]).toContain('AAAA 2001:db8::1');
    expect(ask('c000020a.addr.consul.', TYPE.SRV)).toMatchObject({ rcode: 0, answers: [], additionals: [{}] });
    expect(ask('zz00020a.addr.consul.', TYPE.A).rcode).toBe(RCODE.NXDOMAIN);
  });

  test.each([
    'web.connect.consul.',
    'web.virtual.consul.',
    'web.ingress.consul.',
    'web.service.gce.consul.',
    'web.service.aws.x.consul.',
    'web.query.consul.',
  ])('%s is NXDOMAIN with authority', (name) => {
    expect(ask(name, TYPE.A)).toMatchObject({ rcode: RCODE.NXDOMAIN, authoritative: true, authorities: [{}] });
  });

  test('consul SOA and NS: SOA with NS and glue beside it', () => {
    const soa = ask('consul.', TYPE.SOA);
    expect(lines(soa.answers)[0]).toMatch(/^consul\. 0 SOA ns\.consul\. hostmaster\.consul\. \d+ 3600 600 86400 0$/);
    expect(lines(soa.authorities)).toEqual(['consul. 0 NS n.1.node.aws.consul.']);
    expect(lines(soa.additionals)).toEqual(['n.1.node.aws.consul. 0 A 10.0.0.1']);
    expect(lines(ask('consul.', TYPE.NS).additionals)).toHaveLength(1);
  });

  test('NS: up to three servers, any of them', () => {
    const servers = ['n.1', 'n2', 'n3', 'n4', 'n5'];
    const one = zone({ servers });
    const seen = new Set<string>();
    for (let round = 0; round < 60; round++) {
      const { answers: found, additionals } = one.ask('consul.', TYPE.NS, {}, TCP);
      expect([found.length, additionals.length]).toEqual([3, 3]);
      for (const line of lines(found)) seen.add(line);
    }
    expect(seen.size).toBe(5);
  });

  test('PTR: the node with that address, else the service, the first only', () => {
    expect(answers('1.0.0.10.in-addr.arpa.', TYPE.PTR)).toEqual(['1.0.0.10.in-addr.arpa. 0 PTR n.1.node.aws.consul.']);
    expect(answers('10.2.0.192.in-addr.arpa.', TYPE.PTR)).toEqual([
      '10.2.0.192.in-addr.arpa. 0 PTR web.service.aws.consul.',
    ]);
    expect(ask('77.0.0.10.in-addr.arpa.', TYPE.PTR).rcode).toBe(RCODE.NXDOMAIN);
    expect(ask('8.8.8.8.in-addr.arpa.', TYPE.PTR).rcode).toBe(RCODE.REFUSED);
  });

  test('domain and alt_domain in any case, owner names as they were asked', () => {
    const input = { domain: 'dom.example', altDomain: 'Alt.Example' };
    for (const name of ['Web.SERVICE.dom.example.', 'web.service.ALT.example.'])
      expect(ask(name, TYPE.A, input).answers.every((record) => record.name === name)).toBe(true);
    expect(ask('web.service.consul.', TYPE.A, input).rcode).toBe(RCODE.REFUSED);
    expect(ask('consul.', TYPE.AXFR)).toMatchObject({ rcode: RCODE.NOTIMP, authoritative: true });
  });
});

describe('records', () => {
  test('SRV: priority 1, weight of the health, node name or address in hex as target, addresses and meta in ADDITIONAL', () => {
    expect(answers('web.service.consul.', TYPE.SRV)).toEqual([
      'web.service.consul. 0 SRV 1 2 81 c000020a.addr.aws.consul.',
      'web.service.consul. 0 SRV 1 5 80 n.1.node.aws.consul.',
    ]);
    expect(lines(ask('web.service.consul.', TYPE.SRV).additionals).toSorted()).toEqual([
      'c000020a.addr.aws.consul. 0 A 192.0.2.10',
      'n.1.node.aws.consul. 0 A 10.0.0.1',
      'n.1.node.aws.consul. 0 TXT "bare"',
      'n.1.node.aws.consul. 0 TXT "rack=r1"',
    ]);
    expect(answers('lb.service.consul.', TYPE.SRV)).toEqual(['lb.service.consul. 0 SRV 1 1 9 lb.example.com.']);
  });

  test('CNAME only when there is no address of that type', () => {
    expect(answers('lb.service.consul.', TYPE.A)).toEqual(['lb.service.consul. 0 CNAME lb.example.com.']);
    const both = {
      nodes: [{ name: 'a', address: '10.0.0.1', services: ['x', { service: 'x', id: 'y', address: 'h.example' }] }],
    };
    expect(lines(zone({}, both).ask('x.service.consul.', TYPE.A).answers)).toEqual(['x.service.consul. 0 A 10.0.0.1']);
    expect(lines(zone({}, both).ask('x.service.consul.', TYPE.AAAA).answers)).toEqual([
      'x.service.consul. 0 CNAME h.example.',
    ]);
  });

  test('nothing is left: NXDOMAIN with SOA; under legacy an empty NOERROR', () => {
    expect(ask('gone.service.consul.', TYPE.A)).toMatchObject({ rcode: RCODE.NXDOMAIN, authorities: [{}] });
    expect(ask('gone.service.consul.', TYPE.A, { legacy: true })).toMatchObject({
      rcode: 0,
      answers: [],
      authorities: [],
    });
    expect(ask('web.service.consul.', TYPE.AAAA)).toMatchObject({ rcode: 0, answers: [], authorities: [{}] });
  });

  test("drover's own node meta never as TXT, but under legacy", () => {
    expect(answers('n.1.node.consul.', TYPE.TXT).join()).not.toContain('consul-version');
    expect(answers('n.1.node.consul.', TYPE.TXT, { legacy: true }).join()).toContain('consul-version=1.22');
  });
});

describe('sizes', () => {
  const plain: Via = { transport: 'udp' };
  test('UDP without EDNS: min(8, udp_answer_limit) answers and 512 octets', () => {
    const counts = (input: Partial<DnsInput>): number =>
      zone(input, many(20)).ask('web.service.consul.', TYPE.A, {}, plain).answers.length;
    expect([counts({}), counts({ udpAnswerLimit: 6 }), counts({ udpAnswerLimit: 50 })]).toEqual([3, 6, 8]);
  });

  test('TC only with enable_truncate under legacy, else whenever answers were left out', () => {
    const cut = (input: Partial<DnsInput>): boolean =>
      zone(input, many(20)).ask('web.service.consul.', TYPE.A, {}, plain).truncated;
    expect([cut({}), cut({ legacy: true }), cut({ legacy: true, enableTruncate: true })]).toEqual([true, false, true]);
  });

  test('EDNS: OPT with the same size, the subnet with scope 0', () => {
    const subnet = { code: 8, octets: Uint8Array.of(0, 1, 16, 0, 10, 1) };
    const given = { ...edns(1_400), options: [subnet] } as DnsMessage['edns'];
    expect(ask('web.service.consul.', TYPE.A, {}, { edns: given }, plain).edns).toEqual(given);
  });

  test('TCP: 4,096 answers at most, 1,024 SRV', () => {
    const one = zone({}, many(4_200));
    // What 64 KiB hold is a little less.
    expect(one.ask('web.service.consul.', TYPE.A, {}, TCP).answers).toHaveLength(4_089);
    const few = {
      nodes: [
        {
          name: 'n',
          services: Array.from({ length: 1_100 }, (_, index) => ({ service: 'web', id: `w${index}`, port: index })),
        },
      ],
    };
    expect(zone({}, few).ask('web.service.consul.', TYPE.SRV, {}, TCP).answers).toHaveLength(1_024);
  });
});

describe('configuration', () => {
  test('node_ttl: nodes, addresses, NS, PTR', () => {
    const input = { nodeTtl: 11 };
    for (const [name, type] of [
      ['n.1.node.consul.', TYPE.A],
      ['c000020a.addr.consul.', TYPE.A],
      ['consul.', TYPE.NS],
      ['1.0.0.10.in-addr.arpa.', TYPE.PTR],
    ] as const)
      expect(ask(name, type, input).answers[0]?.ttl).toBe(11);
  });

  test('service_ttl: exact, then the longest prefix*, then *', () => {
    const ttl = (serviceTtl: DnsInput['serviceTtl']): unknown =>
      ask('web.service.consul.', TYPE.SRV, { serviceTtl }).answers[0]?.ttl;
    expect([
      ttl({ web: 5, 'w*': 6, '*': 7 }),
      ttl({ 'w*': 6, 'we*': 8, '*': 7 }),
      ttl({ 'x*': 6, '*': 7 }),
      ttl({}),
    ]).toEqual([5, 8, 7, 0]);
    expect(
      ask('web.service.consul.', TYPE.SRV, { serviceTtl: { '*': 7 } }).additionals.every((record) => record.ttl === 7),
    ).toBe(true);
  });

  test('only_passing leaves out warning', () => {
    expect(answers('web.service.consul.', TYPE.SRV, { onlyPassing: true })).toHaveLength(1);
  });

  test('a_record_limit: A and AAAA, not SRV', () => {
    expect(
      [
        answers('web.service.consul.', TYPE.A, { aRecordLimit: 1 }),
        answers('web.service.consul.', TYPE.SRV, { aRecordLimit: 1 }),
      ].map((all) => all.length),
    ).toEqual([1, 2]);
  });

  test('soa: refresh, retry, expire, min_ttl', () => {
    const soa = { refresh: 1, retry: 2, expire: 3, minTtl: 4 };
    expect(lines(ask('nope.service.consul.', TYPE.A, { soa }).authorities)[0]).toMatch(
      /^consul\. 4 SOA .* \d+ 1 2 3 4$/,
    );
  });

  test('enable_additional_node_meta_txt: TXT beside addresses', () => {
    const types = (nodeMetaTxt: boolean): string[] =>
      ask('web.service.consul.', TYPE.SRV, { nodeMetaTxt }).additionals.map(({ data }) => data.type);
    expect([types(true).includes('TXT'), types(false).includes('TXT')]).toEqual([true, false]);
  });
});
