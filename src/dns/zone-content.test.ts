import { describe, expect, test } from 'vitest';
import { RCODE, TYPE } from '../message/index.ts';
import type { RegionLiteral } from '../registry/testing.ts';
import type { DnsInput } from './options.ts';
import { TestZone, lines } from './testing.ts';

const REGION: RegionLiteral = {
  nodes: [
    {
      name: 'api-1',
      address: '10.0.0.1',
      meta: { 'consul-version': '1', rack: 'r 1', 'rfc1035-note': 'a=b', ' k=`': 'v`' },
      services: [
        { service: 'api', port: 1100, tags: ['V1', 'eu.west'], weights: { passing: 7, warning: 2 }, status: 'warning' },
        { service: 'api', id: 'api-own', port: 1101, address: '192.0.2.10' },
        { service: 'Upper', port: 5 },
      ],
    },
    {
      name: 'Api-2',
      address: '10.0.0.2',
      services: [
        { service: 'api', port: 1100, tags: ['v2'], weights: { passing: 0, warning: 0 } },
        { service: 'api', id: 'api-copy', port: 1100, tags: ['v2'] },
        { service: 'api', id: 'sick', port: 1102, status: 'critical' },
        { service: 'api', id: 'off', port: 1103, maintenance: true },
        { service: 'api', id: 'leaving', port: 1104, draining: true },
        { service: 'api', id: 'new', port: 1105, status: 'unknown' },
      ],
    },
    {
      name: 'six',
      address: 'fd00::6',
      services: [
        { service: 'v6', port: 6 },
        { service: 'both', port: 6 },
      ],
    },
    { name: 'four.dots', address: '10.0.0.4', services: [{ service: 'both', port: 4 }] },
    { name: 'down', address: '10.0.0.9', alive: 'down', services: [{ service: 'lost', port: 1 }] },
    {
      name: 'cloud',
      address: 'lb.example.com',
      services: [
        { service: 'rds', port: 3306 },
        { service: 'alias', port: 1, address: 'api-1.node.consul' },
        { service: 'loop', port: 1, address: 'loop.service.consul' },
      ],
    },
    { name: 'x'.repeat(64), address: '10.0.0.7', services: [{ service: 'odd', port: 7 }] },
    { name: 'wall', address: '10.0.0.8', federation: 'staging', services: [{ service: 'hidden', port: 8 }] },
  ],
};

const answers = (name: string, type: number, input: Partial<DnsInput> = {}): string[] =>
  lines(new TestZone(REGION, input).ask(name, type, {}, { transport: 'tcp' }).answers).toSorted();
const additionals = (name: string, type: number, input: Partial<DnsInput> = {}): string[] =>
  lines(new TestZone(REGION, input).ask(name, type, {}, { transport: 'tcp' }).additionals).toSorted();
const brief = (name: string, type: number, input: Partial<DnsInput> = {}): [number, number, number, boolean] => {
  const { rcode, answers: found, authorities, authoritative } = new TestZone(REGION, input).ask(name, type);
  return [rcode, found.length, authorities.length, authoritative];
};

const NXDOMAIN = [RCODE.NXDOMAIN, 0, 1, true];
const NODATA = [RCODE.NOERROR, 0, 1, true];

describe('service names', () => {
  test('A has one record an address, of routable instances only', () => {
    expect(answers('api.service.consul.', TYPE.A)).toEqual([
      'api.service.consul. 0 A 10.0.0.1',
      'api.service.consul. 0 A 10.0.0.2',
      'api.service.consul. 0 A 192.0.2.10',
    ]);
  });

  test('SRV has one record a node, address and port, with weight 1 at least', () => {
    expect(answers('api.service.consul.', TYPE.SRV)).toEqual([
      'api.service.consul. 0 SRV 1 1 1100 Api-2.node.aws.consul.',
      'api.service.consul. 0 SRV 1 1 1101 c000020a.addr.aws.consul.',
      'api.service.consul. 0 SRV 1 2 1100 api-1.node.aws.consul.',
    ]);
    expect(additionals('api.service.consul.', TYPE.SRV, { nodeMetaTxt: false })).toEqual([
      'Api-2.node.aws.consul. 0 A 10.0.0.2',
      'api-1.node.aws.consul. 0 A 10.0.0.1',
      'c000020a.addr.aws.consul. 0 A 192.0.2.10',
    ]);
  });

  test('onlyPassing leaves out instances with a warning', () => {
    const found = answers('api.service.consul.', TYPE.A, { onlyPassing: true });
    expect(found).toEqual(['api.service.consul. 0 A 10.0.0.2', 'api.service.consul. 0 A 192.0.2.10']);
  });

  test.each([
    ['v1.api.service.consul.', ['10.0.0.1']],
    ['V2.api.service.consul.', ['10.0.0.2']],
    ['eu.west.api.service.consul.', ['10.0.0.1']],
    ['_api._v2.service.consul.', ['10.0.0.2']],
    ['upper.service.consul.', ['10.0.0.1']],
    ['upper.service.aws.dc.consul.', ['10.0.0.1']],
    ['both.service.consul.', ['10.0.0.4']],
  ])('%s is found', (name, addresses) => {
    expect(answers(name, TYPE.A)).toEqual(addresses.map((address) => `${name} 0 A ${address}`));
  });

  test.each([
    'nope.service.consul.',
    'v9.api.service.consul.',
    'lost.service.consul.',
    'api.service.gce.consul.',
    '_api._udp.service.consul.',
  ])('%s is NXDOMAIN with SOA', (name) => {
    expect(brief(name, TYPE.A)).toEqual(NXDOMAIN);
    expect(brief(name, TYPE.SRV)).toEqual(NXDOMAIN);
  });

  test.each([
    ['api.service.consul.', TYPE.AAAA],
    ['v6.service.consul.', TYPE.A],
    ['api.service.consul.', TYPE.TXT],
    ['api.service.consul.', 65],
  ])('%s has nothing of type %i: NODATA with SOA', (name, type) => {
    expect(brief(name, type)).toEqual(NODATA);
  });

  test('AAAA and ANY give what there is', () => {
    expect(answers('v6.service.consul.', TYPE.AAAA)).toEqual(['v6.service.consul. 0 AAAA fd00::6']);
    expect(answers('both.service.consul.', TYPE.ANY)).toHaveLength(2);
  });

  test('under legacy only services that are there, but not well, are an empty NOERROR', () => {
    expect(brief('lost.service.consul.', TYPE.A, { legacy: true })).toEqual([RCODE.NOERROR, 0, 0, true]);
    expect(brief('nope.service.consul.', TYPE.A, { legacy: true })).toEqual(NXDOMAIN);
    expect(brief('v9.api.service.consul.', TYPE.A, { legacy: true })).toEqual(NXDOMAIN);
  });

  test('TTLs are those of the service', () => {
    expect(answers('both.service.consul.', TYPE.A, { serviceTtl: { both: '30s' } })).toEqual([
      'both.service.consul. 30 A 10.0.0.4',
    ]);
    const [, second] = additionals('both.service.consul.', TYPE.SRV, { serviceTtl: { '*': 9 } });
    expect(second).toBe('six.node.aws.consul. 9 AAAA fd00::6');
  });

  test('a host name as address is a CNAME, followed within the zone', () => {
    expect(answers('rds.service.consul.', TYPE.A)).toEqual(['rds.service.consul. 0 CNAME lb.example.com.']);
    expect(answers('alias.service.consul.', TYPE.A)).toEqual([
      'alias.service.consul. 0 CNAME api-1.node.consul.',
      'api-1.node.consul. 0 A 10.0.0.1',
    ]);
    expect(answers('rds.service.consul.', TYPE.SRV)).toEqual([
      'rds.service.consul. 0 SRV 1 1 3306 cloud.node.aws.consul.',
    ]);
    expect(answers('alias.service.consul.', TYPE.SRV)).toEqual([
      'alias.service.consul. 0 SRV 1 1 1 api-1.node.consul.',
    ]);
    expect(additionals('alias.service.consul.', TYPE.SRV)).toEqual(['api-1.node.consul. 0 A 10.0.0.1']);
  });

  test('a host name that leads to itself ends', () => {
    const found = answers('loop.service.consul.', TYPE.A);
    expect(found.length).toBeLessThanOrEqual(4);
    expect(found[0]).toBe('loop.service.consul. 0 CNAME loop.service.consul.');
  });

  test('a node whose name is no label is reached by its address', () => {
    expect(answers('odd.service.consul.', TYPE.SRV)).toEqual([
      'odd.service.consul. 0 SRV 1 1 7 0a000007.addr.aws.consul.',
    ]);
  });

  test('another federation is not seen', () => {
    expect(brief('hidden.service.consul.', TYPE.A, { federation: 'default' })).toEqual(NXDOMAIN);
    expect(brief('wall.node.consul.', TYPE.A, { federation: 'default' })).toEqual(NXDOMAIN);
    expect(brief('8.0.0.10.in-addr.arpa.', TYPE.PTR, { federation: 'default' })).toEqual(NXDOMAIN);
    expect(answers('hidden.service.consul.', TYPE.A, { federation: 'staging' })).toHaveLength(1);
    expect(answers('hidden.service.consul.', TYPE.A)).toHaveLength(1);
  });
});

describe('node names', () => {
  test('A and AAAA give the address, whatever the health', () => {
    expect(answers('api-1.node.consul.', TYPE.A)).toEqual(['api-1.node.consul. 0 A 10.0.0.1']);
    expect(answers('api-2.node.aws.consul.', TYPE.A, { nodeTtl: 7 })).toEqual(['api-2.node.aws.consul. 7 A 10.0.0.2']);
    expect(answers('four.dots.node.consul.', TYPE.A)).toEqual(['four.dots.node.consul. 0 A 10.0.0.4']);
    expect(answers('six.node.consul.', TYPE.AAAA)).toEqual(['six.node.consul. 0 AAAA fd00::6']);
    expect(answers('down.node.consul.', TYPE.A)).toHaveLength(1);
    expect(answers('cloud.node.consul.', TYPE.A)).toEqual(['cloud.node.consul. 0 CNAME lb.example.com.']);
  });

  test('TXT gives the meta without what drover keeps there for itself', () => {
    const meta = [
      'api-1.node.consul. 0 TXT "` k`=``=v``"',
      'api-1.node.consul. 0 TXT "a=b"',
      'api-1.node.consul. 0 TXT "rack=r 1"',
    ];
    expect(answers('api-1.node.consul.', TYPE.TXT)).toEqual(meta);
    expect(answers('api-1.node.consul.', TYPE.ANY)).toEqual([...meta, 'api-1.node.consul. 0 A 10.0.0.1'].toSorted());
    expect(additionals('api-1.node.consul.', TYPE.A)).toEqual(meta);
    expect(additionals('api-1.node.consul.', TYPE.A, { nodeMetaTxt: false })).toEqual([]);
  });

  test('other types are NODATA, other names NXDOMAIN', () => {
    expect(brief('api-1.node.consul.', TYPE.SRV)).toEqual(NODATA);
    expect(brief('api-1.node.consul.', TYPE.AAAA)).toEqual(NODATA);
    expect(brief('six.node.consul.', TYPE.TXT)).toEqual(NODATA);
    expect(brief('nope.node.consul.', TYPE.A)).toEqual(NXDOMAIN);
    expect(brief('api-1.node.gce.consul.', TYPE.A)).toEqual(NXDOMAIN);
  });
});

describe('other names', () => {
  test('addr names give the address in them; other types along with nothing', () => {
    expect(answers('C000020A.addr.consul.', TYPE.A)).toEqual(['C000020A.addr.consul. 0 A 192.0.2.10']);
    expect(additionals('c000020a.addr.consul.', TYPE.AAAA)).toEqual(['c000020a.addr.consul. 0 A 192.0.2.10']);
    expect(brief('zz00020a.addr.consul.', TYPE.A)).toEqual(NXDOMAIN);
  });

  test('the apex has SOA and NS with the addresses of the servers', () => {
    const zone = new TestZone(REGION, { servers: ['api-1', 'gone'] });
    const soa = zone.ask('consul.', TYPE.SOA);
    expect(lines(soa.answers)[0]).toMatch(/^consul\. 0 SOA ns\.consul\. hostmaster\.consul\. \d+ 3600 600 86400 0$/);
    expect(lines(soa.authorities)).toEqual(['consul. 0 NS api-1.node.aws.consul.']);
    expect(lines(soa.additionals)).toEqual(['api-1.node.aws.consul. 0 A 10.0.0.1']);
    const ns = zone.ask('consul.', TYPE.NS);
    expect(lines(ns.answers)).toEqual(['consul. 0 NS api-1.node.aws.consul.']);
    expect(lines(ns.additionals)).toEqual(['api-1.node.aws.consul. 0 A 10.0.0.1']);
  });

  test('names that only have names below them are NODATA, under legacy NXDOMAIN', () => {
    for (const name of ['consul.', 'service.consul.', 'aws.consul.']) {
      expect(brief(name, TYPE.A)).toEqual(NODATA);
      expect(brief(name, TYPE.A, { legacy: true })).toEqual(NXDOMAIN);
    }
  });

  test('negative answers may be kept as long as minTtl says', () => {
    const soa = new TestZone(REGION, { soa: { minTtl: '5s' } }).ask('nope.service.consul.', TYPE.A).authorities;
    expect(lines(soa)[0]).toMatch(/^consul\. 5 SOA .* 5$/);
  });

  test('addresses lead to their node, else to their service', () => {
    expect(answers('1.0.0.10.in-addr.arpa.', TYPE.PTR)).toEqual([
      '1.0.0.10.in-addr.arpa. 0 PTR api-1.node.aws.consul.',
    ]);
    expect(answers('10.2.0.192.in-addr.arpa.', TYPE.PTR)).toEqual([
      '10.2.0.192.in-addr.arpa. 0 PTR api.service.aws.consul.',
    ]);
    const six = `${'6.' + '0.'.repeat(27)}0.0.d.f.ip6.arpa.`;
    expect(answers(six, TYPE.PTR)).toEqual([`${six} 0 PTR six.node.aws.consul.`]);
    expect(brief('1.0.0.10.in-addr.arpa.', TYPE.A)).toEqual(NODATA);
  });

  test('unknown addresses are NXDOMAIN in private ranges, refused elsewhere', () => {
    expect(brief('99.0.0.10.in-addr.arpa.', TYPE.PTR)).toEqual(NXDOMAIN);
    expect(brief('8.8.8.8.in-addr.arpa.', TYPE.PTR)).toEqual([RCODE.REFUSED, 0, 0, false]);
    expect(brief('example.com.', TYPE.A)).toEqual([RCODE.REFUSED, 0, 0, false]);
  });

  test('the second domain has the same content under its own name', () => {
    const input = { altDomain: 'corp.example' };
    expect(answers('v2.api.service.corp.example.', TYPE.SRV, input)).toEqual([
      'v2.api.service.corp.example. 0 SRV 1 1 1100 Api-2.node.aws.corp.example.',
    ]);
    const { authorities } = new TestZone(REGION, input).ask('nope.service.corp.example.', TYPE.A);
    expect(authorities[0]?.name).toBe('corp.example.');
    expect(answers('1.0.0.10.in-addr.arpa.', TYPE.PTR, input)[0]).toContain('api-1.node.aws.consul.');
  });
});
