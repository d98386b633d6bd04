import fc from 'fast-check';
import { expect, test } from 'vitest';
import { echoClientSubnet } from './edns.ts';
import type { DnsMessage } from './message.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { formatName, whyNoName } from './name.ts';
import { TYPE } from './numbers.ts';
import type { RecordData, ResourceRecord } from './record.ts';

const uint = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 });
const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const label = fc.oneof(
  fc.constantFrom('web', 'service', 'consul', 'Consul', 'a.b'),
  fc.string({ unit: uint(8).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: 12 }),
);
const name = fc
  .array(label, { maxLength: 5 })
  .filter((labels) => whyNoName(labels) === null)
  .map(formatName);
const known = new Set<number>(Object.values(TYPE));
const data: fc.Arbitrary<RecordData> = fc.oneof(
  fc.record({ type: fc.constant('A' as const), address: fc.ipV4() }),
  fc.record({ type: fc.constant('AAAA' as const), address: fc.constantFrom('::1', 'fd00::6', '2001:db8::1:0:0:1') }),
  fc.record({ type: fc.constantFrom('NS' as const, 'CNAME' as const, 'PTR' as const), target: name }),
  fc.record({ type: fc.constant('SRV' as const), priority: uint(16), weight: uint(16), port: uint(16), target: name }),
  fc.record({ type: fc.constant('TXT' as const), strings: fc.array(octets(255), { minLength: 1, maxLength: 3 }) }),
  fc.record({
    type: fc.constant('SOA' as const),
    primary: name,
    mailbox: name,
    serial: uint(32),
    refresh: uint(32),
    retry: uint(32),
    expire: uint(32),
    minimum: uint(32),
  }),
  fc.record({
    type: fc.constant('OPAQUE' as const),
    code: uint(16).filter((code) => !known.has(code)),
    octets: octets(20),
  }),
);
const record: fc.Arbitrary<ResourceRecord> = fc.record({ name, class: uint(16), ttl: uint(32), data });
const edns = fc.record({
  udpOctets: uint(16),
  version: uint(8),
  dnssecOk: fc.boolean(),
  options: fc.array(fc.record({ code: uint(16), octets: octets(20) }), { maxLength: 2 }),
});
const section = fc.array(record, { maxLength: 4 });
const base = {
  id: uint(16),
  response: fc.boolean(),
  opcode: uint(4),
  authoritative: fc.boolean(),
  truncated: fc.boolean(),
  recursionDesired: fc.boolean(),
  recursionAvailable: fc.boolean(),
  authenticData: fc.boolean(),
  checkingDisabled: fc.boolean(),
  questions: fc.array(fc.record({ name, type: uint(16), class: uint(16) }), { maxLength: 2 }),
  answers: section,
  authorities: section,
  additionals: section,
};
const message: fc.Arbitrary<DnsMessage> = fc.oneof(
  fc.record({ ...base, rcode: uint(4), edns: fc.constant(null) }),
  fc.record({ ...base, rcode: uint(12), edns }),
);

/** Names differ in case where one was compressed against another spelling. */
const folded = (one: DnsMessage): unknown => JSON.parse(JSON.stringify(one).toLowerCase());

test('decodeMessage() is the inverse of encodeMessage() without compression', () => {
  const check = (one: DnsMessage): void => {
    expect(decodeMessage(encodeMessage(one, { compress: false }))).toEqual(one);
  };
  fc.assert(fc.property(message, check), { numRuns: 100 });
});

test('decodeMessage() is the inverse of encodeMessage() with compression, but for the case of names', () => {
  const check = (one: DnsMessage): void => {
    const bytes = encodeMessage(one);
    expect(bytes.length).toBeLessThanOrEqual(encodeMessage(one, { compress: false }).length);
    expect(folded(decodeMessage(bytes))).toEqual(folded(one));
  };
  fc.assert(fc.property(message, check), { numRuns: 100 });
});

const answer = (records: readonly ResourceRecord[]): DnsMessage => ({
  ...decodeMessage(new Uint8Array(12)),
  answers: records,
});

test('encodeMessage() spells SRV targets out and lets later names point into them', () => {
  const target = 'staging.node.aws.consul.';
  const srv: ResourceRecord = {
    name: 'web.service.consul.',
    ttl: 0,
    data: { type: 'SRV', priority: 1, weight: 1, port: 80, target },
  };
  const plain = encodeMessage(answer([srv]), { compress: false }).length;
  expect(encodeMessage(answer([srv]))).toHaveLength(plain);
  const glue: ResourceRecord = { name: target, ttl: 0, data: { type: 'A', address: '172.31.0.9' } };
  expect(encodeMessage(answer([srv, glue]))).toHaveLength(plain + 16);
});

test('encodeMessage() does not point beyond 14 bits', () => {
  const filler: ResourceRecord = {
    name: '.',
    ttl: 0,
    data: { type: 'OPAQUE', code: 999, octets: new Uint8Array(17_000) },
  };
  const late = (name: string): ResourceRecord => ({ name, ttl: 0, data: { type: 'A', address: '10.0.0.1' } });
  const records = [filler, late('late.consul.'), late('late.consul.')];
  expect(decodeMessage(encodeMessage(answer(records))).answers.at(-1)?.name).toBe('late.consul.');
});

test.each<[string, RecordData]>([
  ['is no IPv4 address', { type: 'A', address: '::1' }],
  ['is no IPv6 address', { type: 'AAAA', address: '10.0.0.1' }],
  ['is no IPv6 address', { type: 'AAAA', address: 'fe80::1%eth0' }],
  ['longer than 255 octets', { type: 'TXT', strings: [new Uint8Array(256)] }],
  ['no domain name', { type: 'PTR', target: 'a..b' }],
  ['does not fit', { type: 'OPAQUE', code: 999, octets: new Uint8Array(65_536) }],
])('encodeMessage() refuses a record that %s', (why, one) => {
  expect(() => encodeMessage(answer([{ name: 'x.', ttl: 0, data: one }]))).toThrow(why);
});

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

test.each([
  ['an empty datagram', ''],
  ['half a header', '0000 0000'],
  ['a question that is not there', '0000 0000 0001 0000 0000 0000'],
  ['65535 records that are not there', '0000 0000 0000 ffff ffff ffff'],
  ['a question without its class', '0000 0000 0001 0000 0000 0000 00 0001'],
  ['RDATA over the end', '0000 0000 0000 0001 0000 0000 00 0001 0001 00000000 0004 0a00'],
  ['an A record of 3 octets', '0000 0000 0000 0001 0000 0000 00 0001 0001 00000000 0003 0a0000'],
  ['an SRV record without target', '0000 0000 0000 0001 0000 0000 00 0021 0001 00000000 0006 000100010050'],
  ['a name that does not end with its record', '0000 0000 0000 0001 0000 0000 00 000c 0001 00000000 0002 0000'],
  ['a TXT string over its record', '0000 0000 0000 0001 0000 0000 00 0010 0001 00000000 0002 0561'],
  ['a TXT record without string', '0000 0000 0000 0001 0000 0000 00 0010 0001 00000000 0000'],
  ['two OPT records', '0000 0000 0000 0000 0000 0002 00 0029 0200 00000000 0000 00 0029 0200 00000000 0000'],
  ['an OPT record with a name', '0000 0000 0000 0000 0000 0001 0161 00 0029 0200 00000000 0000'],
  ['an EDNS option over its record', '0000 0000 0000 0000 0000 0001 00 0029 0200 00000000 0004 0008 0001'],
])('decodeMessage() refuses %s', (_what, text) => {
  expect(() => decodeMessage(hex(text))).toThrow('malformed');
});

test.each([
  ['0001 18 00 0a0b0c', true],
  ['0001 00 00', true],
  ['0002 38 00 20010db8000100', true],
  ['0001 18 18 0a0b0c', false],
  ['0001 18 00 0a0b', false],
  ['0001 21 00 0a0b0c0d00', false],
  ['0003 00 00', false],
  ['0001', false],
])('echoClientSubnet() of %s is sent back: %s', (text, isSent) => {
  expect(echoClientSubnet(hex(text))).toEqual(isSent ? Uint8Array.from(hex(text)) : null);
});
