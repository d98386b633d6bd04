import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NodeLiteral } from '../../src/registry/testing.ts';
import { requireComponent } from '../require-component.ts';
import { dig, startBind, startDns } from './dns-fixture.ts';
import type { At } from './dns-fixture.ts';

const ZONE = `$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.1
www IN A 192.0.2.80
www IN AAAA 2001:db8::80
alias IN CNAME www
big IN TXT ${Array.from({ length: 12 }, (_, index) => `"${String(index).repeat(100)}"`).join(' ')}
${Array.from({ length: 9 }, (_, index) => `many IN A 192.0.2.${index + 1}`).join('\n')}
`;
const REVERSE = `$TTL 300
@ IN SOA ns.example.test. hostmaster.example.test. 1 3600 600 86400 60
@ IN NS ns.example.test.
80 IN PTR www.example.test.
`;
const NODES: readonly NodeLiteral[] = [
  { name: 'n1', address: '10.53.0.1', services: [{ service: 'web', port: 80 }] },
  {
    name: 'cloud',
    address: 'www.example.test',
    services: [
      { service: 'rds', port: 3306 },
      { service: 'many', port: 1, address: 'many.example.test' },
      { service: 'aliased', port: 1, address: 'alias.example.test' },
      { service: 'lost', port: 1, address: 'nope.example.test' },
    ],
  },
];

let left = new AsyncDisposableStack();
let bind: At;
beforeEach(async () => {
  const zone = (name: string, file: string): string => `zone "${name}" { type primary; file "${file}"; };\n`;
  bind = await startBind(
    left,
    {
      options: 'recursion no; minimal-responses yes;',
      zones: zone('example.test', 'zone') + zone('2.0.192.in-addr.arpa', 'reverse'),
    },
    { zone: ZONE, reverse: REVERSE },
  );
});
afterEach(async () => {
  const used = left;
  left = new AsyncDisposableStack();
  await used.disposeAsync();
});

const nameOf = ({ address, port }: At): string => `${address}:${port}`;

requireComponent('named')('DnsServer with BIND as recursor, asked by dig', () => {
  test('gives what BIND says about names outside the zone, with RA', async () => {
    const { dns } = await startDns(left, NODES, { recursors: [nameOf(bind)] });
    expect(await dig(dns, 'www.example.test', 'A')).toMatchObject({
      status: 'NOERROR',
      flags: 'qr aa rd ra',
      answer: ['www.example.test. 300 IN A 192.0.2.80'],
    });
    expect((await dig(dns, '+noedns', 'WWW.Example.test', 'AAAA')).answer).toEqual([
      'www.example.test. 300 IN AAAA 2001:db8::80',
    ]);
    expect(await dig(dns, 'nope.example.test', 'A')).toMatchObject({ status: 'NXDOMAIN', flags: 'qr aa rd ra' });
    expect(await dig(dns, '+tcp', 'alias.example.test', 'A')).toMatchObject({ status: 'NOERROR', counts: [2, 0, 1] });
    expect((await dig(dns, '+noedns', 'web.service.consul', 'A')).flags).toBe('qr aa rd ra');
  });

  test('gives what is too long for UDP over TCP, and reverse names that are not its own', async () => {
    const { dns } = await startDns(left, NODES, { recursors: [nameOf(bind)] });
    expect((await dig(dns, '+noedns', '+noadflag', '+ignore', 'big.example.test', 'TXT')).flags).toBe('qr aa tc rd ra');
    expect((await dig(dns, '+noedns', 'big.example.test', 'TXT')).octets).toBeGreaterThan(1_200);
    expect((await dig(dns, '-x', '192.0.2.80')).answer).toEqual([
      '80.2.0.192.in-addr.arpa. 300 IN PTR www.example.test.',
    ]);
    expect((await dig(dns, '-x', '10.53.0.1')).answer).toEqual([
      '1.0.53.10.in-addr.arpa. 0 IN PTR n1.node.aws.consul.',
    ]);
  });

  test('goes on to the next recursor, and says SERVFAIL when none answers', async () => {
    const refusing = await startBind(left, { options: 'recursion no;', zones: '' });
    const recursors = ['127.53.1.9:9', nameOf(refusing), nameOf(bind)];
    const { dns } = await startDns(left, NODES, { recursors, recursorTimeoutMs: 1_000 });
    expect((await dig(dns, 'www.example.test', 'A')).answer).toHaveLength(1);
    const { dns: alone } = await startDns(left, NODES, { recursors: recursors.slice(0, 2), recursorTimeoutMs: 1_000 });
    expect(await dig(alone, 'www.example.test', 'A')).toMatchObject({
      status: 'SERVFAIL',
      flags: 'qr rd ra',
      answer: [],
    });
  });

  test('follows the host names of services', async () => {
    const { dns } = await startDns(left, NODES, {
      recursors: [nameOf(bind)],
      serviceTtl: { '*': 5 },
      udpAnswerLimit: 8,
    });
    expect((await dig(dns, '+noedns', 'rds.service.consul', 'A')).answer).toEqual([
      'rds.service.consul. 5 IN CNAME www.example.test.',
      'www.example.test. 5 IN A 192.0.2.80',
    ]);
    expect((await dig(dns, 'rds.service.consul', 'AAAA')).answer[1]).toBe('www.example.test. 5 IN AAAA 2001:db8::80');
    expect((await dig(dns, 'aliased.service.consul', 'A')).answer).toHaveLength(3);
    expect((await dig(dns, '+noedns', 'many.service.consul', 'A')).answer).toHaveLength(6);
    expect((await dig(dns, 'many.service.consul', 'A')).answer).toHaveLength(10);
    expect((await dig(dns, 'lost.service.consul', 'A')).answer).toEqual([
      'lost.service.consul. 5 IN CNAME nope.example.test.',
    ]);
  });
});
