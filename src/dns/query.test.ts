import { expect, test } from 'vitest';
import { RCODE, TYPE, encodeMessage } from '../message/index.ts';
import { labelsOf, readQuery } from './query.ts';
import { edns, queryOf } from './testing.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const QUESTION = '03 776562 00 0001 0001';

test('readQuery() reads a question, its name in lower case', () => {
  const bytes = Buffer.from(queryOf('WEB.Service.consul.', TYPE.SRV));
  const query = readQuery(bytes);
  expect(query).toEqual({ name: '\x03web\x07service\x06consul', type: 33, class: 1, end: bytes.length, edns: null });
  expect(labelsOf('\x03web\x07service\x06consul')).toEqual(['web', 'service', 'consul']);
});

test('readQuery() keeps octets that are letters only in Latin-1', () => {
  expect(readQuery(Buffer.from(queryOf('\\192.consul.', TYPE.A)))).toMatchObject({ name: '\x01À\x06consul' });
});

test('readQuery() reads what EDNS says', () => {
  const query = readQuery(Buffer.from(queryOf('web.', TYPE.A, { edns: edns(1_232) })));
  expect(query).toMatchObject({ edns: { udpOctets: 1_232, version: 0, subnet: null } });
  const small = readQuery(Buffer.from(queryOf('web.', TYPE.A, { edns: edns(12) })));
  expect(small).toMatchObject({ edns: { udpOctets: 512 } });
  const octets = hex('0001 18 00 0a0b0c');
  const subnet = {
    udpOctets: 4_096,
    version: 0,
    dnssecOk: true,
    options: [
      { code: 10, octets: hex('0102') },
      { code: 8, octets },
    ],
  };
  expect(readQuery(Buffer.from(queryOf('web.', TYPE.A, { edns: subnet })))).toMatchObject({
    edns: { subnet: Uint8Array.from(octets) },
  });
});

test('readQuery() passes over other additional records', () => {
  const key = { name: 'key.', ttl: 0, data: { type: 'A', address: '10.0.0.1' } } as const;
  const bytes = queryOf('web.', TYPE.A, { additionals: [key], edns: edns(4_096) });
  expect(readQuery(Buffer.from(bytes))).toMatchObject({ edns: { udpOctets: 4_096 } });
});

test.each([
  ['nothing', ''],
  ['half a header', '0000 0100 0001'],
  ['an answer', `0000 8100 0001 0000 0000 0000 ${QUESTION}`],
])('readQuery() stays silent to %s', (_what, text) => {
  expect(readQuery(hex(text))).toBeNull();
});

test.each([
  ['no question', '0000 0100 0000 0000 0000 0000'],
  ['two questions', `0000 0100 0002 0000 0000 0000 ${QUESTION} ${QUESTION}`],
  ['an answer in a query', `0000 0100 0001 0001 0000 0000 ${QUESTION}`],
  ['an authority in a query', `0000 0100 0001 0000 0001 0000 ${QUESTION}`],
  ['a name without end', '0000 0100 0001 0000 0000 0000 03 776562'],
  ['a compression pointer', '0000 0100 0001 0000 0000 0000 c00c 0001 0001'],
  ['no class', '0000 0100 0001 0000 0000 0000 03 776562 00 0001'],
  ['a name of 256 octets', `0000 0100 0001 0000 0000 0000 ${'03 616161 '.repeat(64)} 00 0001 0001`],
  ['an OPT record that is not there', `0000 0100 0001 0000 0000 0001 ${QUESTION}`],
  ['an OPT record with a name', `0000 0100 0001 0000 0000 0001 ${QUESTION} 0161 00 0029 0200 00000000 0000`],
  ['an OPT record over the end', `0000 0100 0001 0000 0000 0001 ${QUESTION} 00 0029 0200 00000000 0009`],
  ['an EDNS option over its record', `0000 0100 0001 0000 0000 0001 ${QUESTION} 00 0029 0200 00000000 0004 0008 0009`],
  ['a malformed subnet', `0000 0100 0001 0000 0000 0001 ${QUESTION} 00 0029 0200 00000000 0005 0008 0001 00`],
  ['more records than a query has', `0000 0100 0001 0000 0000 0009 ${QUESTION}`],
])('readQuery() refuses %s', (_what, text) => {
  expect(readQuery(hex(text))).toBe(RCODE.FORMERR);
});

test('readQuery() refuses two OPT records', () => {
  const opt = '00 0029 0200 00000000 0000';
  expect(readQuery(hex(`0000 0100 0001 0000 0000 0002 ${QUESTION} ${opt} ${opt}`))).toBe(RCODE.FORMERR);
});

test.each([1, 2, 4, 5, 15])('readQuery() does not know opcode %i', (opcode) => {
  const bytes = encodeMessage({ ...emptyMessage(), opcode });
  expect(readQuery(Buffer.from(bytes))).toBe(RCODE.NOTIMP);
});

test('readQuery() takes a name of 255 octets', () => {
  const labels = `${'3f' + '61'.repeat(63)} `.repeat(3) + `3d${'61'.repeat(61)}`;
  expect(readQuery(hex(`0000 0100 0001 0000 0000 0000 ${labels} 00 0001 0001`))).toMatchObject({ type: 1 });
});

function emptyMessage(): Parameters<typeof encodeMessage>[0] {
  const flags = { authoritative: false, truncated: false, recursionDesired: false, recursionAvailable: false };
  const sections = { questions: [], answers: [], authorities: [], additionals: [], edns: null };
  return {
    id: 1,
    response: false,
    opcode: 0,
    ...flags,
    authenticData: false,
    checkingDisabled: false,
    rcode: 0,
    ...sections,
  };
}
