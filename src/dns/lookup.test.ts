import { expect, test } from 'vitest';
import { parseName } from '../message/index.ts';
import { hexLabel, parseLookup, zonesOf } from './lookup.ts';
import type { Lookup } from './lookup.ts';
import { parseDnsOptions } from './options.ts';

const zones = zonesOf(parseDnsOptions({ datacenter: 'aws', altDomain: 'corp.example' }));

/** The lookup with its zone as a name. */
function look(name: string, srv = false): Record<string, unknown> {
  const found: Lookup = parseLookup(parseName(name), srv, zones, 'aws');
  return 'zone' in found ? { ...found, zone: found.zone?.name ?? null } : found;
}

const zone = 'consul.';

test.each([
  ['web.service.consul.', { kind: 'service', zone, service: 'web', tag: '' }],
  ['web.service.aws.consul.', { kind: 'service', zone, service: 'web', tag: '' }],
  ['web.service.aws.dc.consul.', { kind: 'service', zone, service: 'web', tag: '' }],
  ['v1.web.service.consul.', { kind: 'service', zone, service: 'web', tag: 'v1' }],
  ['v1.2.3.web.service.consul.', { kind: 'service', zone, service: 'web', tag: 'v1.2.3' }],
  ['_web._tcp.service.consul.', { kind: 'service', zone, service: 'web', tag: '' }],
  ['_web._udp.service.consul.', { kind: 'service', zone, service: 'web', tag: 'udp' }],
  ['_web._v1.service.aws.consul.', { kind: 'service', zone, service: 'web', tag: 'v1' }],
  ['node.service.consul.', { kind: 'service', zone, service: 'node', tag: '' }],
  ['web.service.corp.example.', { kind: 'service', zone: 'corp.example.', service: 'web', tag: '' }],
  ['caf\\195\\169.service.consul.', { kind: 'service', zone, service: 'café', tag: '' }],
  ['api-1.node.consul.', { kind: 'node', zone, node: 'api-1' }],
  ['api.1.node.aws.consul.', { kind: 'node', zone, node: 'api.1' }],
  ['service.node.consul.', { kind: 'node', zone, node: 'service' }],
  ['c000020a.addr.consul.', { kind: 'address', zone, address: '192.0.2.10' }],
  ['fd000000000000000000000000000006.addr.aws.consul.', { kind: 'address', zone, address: 'fd00::6' }],
  ['nearest.query.consul.', { kind: 'query', zone, query: 'nearest' }],
  ['near.to.me.query.aws.consul.', { kind: 'query', zone, query: 'near.to.me' }],
  ['_nearest._tcp.query.consul.', { kind: 'query', zone, query: 'nearest' }],
  ['_nearest._udp.query.aws.dc.consul.', { kind: 'query', zone, query: 'nearest' }],
  ['a._b.query.consul.', { kind: 'query', zone, query: 'a._b' }],
  ['consul.', { kind: 'apex', zone }],
  ['service.consul.', { kind: 'parent', zone }],
  ['aws.consul.', { kind: 'parent', zone }],
  ['node.aws.consul.', { kind: 'parent', zone }],
  ['query.consul.', { kind: 'parent', zone }],
])('parseLookup() reads %s', (name, expected) => {
  expect(look(name)).toEqual(expected);
});

test.each([
  'web.service.gce.consul.',
  'web.service.aws.gce.consul.',
  'web.service.aws.dc.dc.consul.',
  'web.service.dc.consul.',
  'web.consul.',
  '_web._tcp.consul.',
  'c000020.addr.consul.',
  'c000020g.addr.consul.',
  'x.c000020a.addr.consul.',
  'nearest.query.gce.consul.',
  'web.connect.consul.',
  'web.virtual.consul.',
  'web.ingress.consul.',
  'gce.consul.',
])('parseLookup() finds nothing for %s', (name) => {
  expect(look(name)).toEqual({ kind: 'nothing', zone });
});

test('parseLookup() lets SRV questions leave out the service label', () => {
  const expected = { kind: 'service', zone, service: 'web', tag: '' };
  expect(look('_web._tcp.consul.', true)).toEqual(expected);
  expect(look('_web._tcp.aws.consul.', true)).toEqual(expected);
  expect(look('_web._primary.consul.', true)).toEqual({ ...expected, tag: 'primary' });
  expect(look('_web._tcp.gce.consul.', true)).toEqual({ kind: 'nothing', zone });
});

test.each([
  ['9.0.31.172.in-addr.arpa.', '31.172.in-addr.arpa.', '172.31.0.9'],
  ['1.0.0.127.in-addr.arpa.', '127.in-addr.arpa.', '127.0.0.1'],
  ['10.in-addr.arpa.', '10.in-addr.arpa.', null],
  ['1.1.168.192.in-addr.arpa.', '168.192.in-addr.arpa.', '192.168.1.1'],
  ['1.1.254.169.in-addr.arpa.', '254.169.in-addr.arpa.', '169.254.1.1'],
  ['1.1.100.100.in-addr.arpa.', '100.100.in-addr.arpa.', '100.100.1.1'],
  ['8.8.8.8.in-addr.arpa.', null, '8.8.8.8'],
  ['1.1.32.172.in-addr.arpa.', null, '172.32.1.1'],
  [`${'6.' + '0.'.repeat(27)}0.0.d.f.ip6.arpa.`, 'd.f.ip6.arpa.', 'fd00::6'],
  [`${'1.' + '0.'.repeat(31)}ip6.arpa.`, `${'1.' + '0.'.repeat(31)}ip6.arpa.`, '::1'],
  [`${'1.' + '0.'.repeat(28)}8.e.f.ip6.arpa.`, '8.e.f.ip6.arpa.', 'fe80::1'],
])('parseLookup() reads the reverse name %s', (name, range, address) => {
  expect(look(name)).toEqual({ kind: 'reverse', zone: range, address });
});

test.each([
  '.',
  'example.com.',
  'consul.example.',
  'xconsul.',
  'in-addr.arpa.',
  '8.8.in-addr.arpa.',
  '300.8.8.8.in-addr.arpa.',
  'x.ip6.arpa.',
])('parseLookup() leaves %s to others', (name) => {
  expect(look(name)).toEqual({ kind: 'foreign' });
});

test('hexLabel() gives the label that is read back', () => {
  expect(hexLabel('192.0.2.10')).toBe('c000020a');
  for (const address of ['10.0.0.1', '255.255.255.255', 'fd00::6', '::1'])
    expect(look(`${hexLabel(address)}.addr.consul.`)).toMatchObject({ address });
});
