import { expect, test } from 'vitest';
import { parseDnsOptions, serviceTtl } from './options.ts';
import type { DnsInput } from './options.ts';

test('parseDnsOptions() fills in every default', () => {
  expect(parseDnsOptions({ datacenter: 'aws' })).toEqual({
    domain: 'consul.',
    altDomain: null,
    datacenter: 'aws',
    federation: null,
    servers: [],
    nodeTtl: 0,
    serviceTtl: {},
    udpAnswerLimit: 3,
    aRecordLimit: 0,
    onlyPassing: false,
    disableCompression: false,
    nodeMetaTxt: true,
    enableTruncate: true,
    legacy: false,
    soa: { refresh: 3_600, retry: 600, expire: 86_400, minTtl: 0 },
    recursors: [],
    recursorStrategy: 'sequential',
    recursorTimeoutMs: 2_000,
  });
});

test('parseDnsOptions() does not tell of truncation under legacy unless told to', () => {
  expect(parseDnsOptions({ datacenter: 'aws', legacy: true }).enableTruncate).toBe(false);
  expect(parseDnsOptions({ datacenter: 'aws', legacy: true, enableTruncate: true }).enableTruncate).toBe(true);
});

test('parseDnsOptions() reads durations and names', () => {
  const options = parseDnsOptions({
    datacenter: 'aws',
    domain: 'Corp.Example',
    nodeTtl: '1m30s',
    serviceTtl: { web: 5 },
  });
  expect(options).toMatchObject({ domain: 'corp.example.', nodeTtl: 90, serviceTtl: { web: 5 } });
});

test.each<[string, unknown]>([
  ['"soon" is no TTL', { nodeTtl: 'soon' }],
  ['at nodeTtl', { nodeTtl: -1 }],
  ['no domain name', { domain: 'a..b' }],
  ['"resolver.example" is no resolver', { recursors: ['resolver.example'] }],
  ['the root cannot be the domain', { domain: '.' }],
  ['nodeTTL', { nodeTTL: '1s' }],
  ['udpAnswerLimit', { udpAnswerLimit: 0 }],
  ['datacenter', { datacenter: '' }],
])('parseDnsOptions() refuses with %s', (why, input) => {
  expect(() => parseDnsOptions({ datacenter: 'aws', ...(input as Partial<DnsInput>) })).toThrow(why);
});

test.each([
  ['web', 5],
  ['db-users', 10],
  ['db-users-eu', 20],
  ['api', 1],
  ['constructor', 1],
])('serviceTtl() of %s is %i s', (service, expected) => {
  const ttls = { web: '5s', 'db-*': '10s', 'db-users-*': 20, '*': '1s' };
  expect(serviceTtl(parseDnsOptions({ datacenter: 'aws', serviceTtl: ttls }), service)).toBe(expected);
});

test('serviceTtl() is 0 where nothing fits', () => {
  expect(serviceTtl(parseDnsOptions({ datacenter: 'aws', serviceTtl: { 'db-*': 10 } }), 'web')).toBe(0);
});
