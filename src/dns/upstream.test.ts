import { expect, test } from 'vitest';
import { RCODE, TYPE, decodeMessage, encodeMessage } from '../message/index.ts';
import type { DnsMessage } from '../message/index.ts';
import { readQuery } from './query.ts';
import type { Query } from './query.ts';
import { edns, queryOf } from './testing.ts';
import { isAnswerTo, toAsker, upstreamQuery } from './upstream.ts';

const asked = (parts: Partial<DnsMessage> = {}): [Buffer, Query] => {
  const bytes = Buffer.from(queryOf('wWw.example.com.', TYPE.A, parts));
  return [bytes, readQuery(bytes) as Query];
};

/** The answer of a recursor to what it was asked for the query, with `count` addresses. */
function answerTo(query: Buffer, count: number, parts: Partial<DnsMessage> = {}): Buffer {
  const answers = Array.from({ length: count }, (_, index) => ({
    name: 'www.example.com.',
    ttl: 60,
    data: { type: 'A', address: `192.0.2.${index}` } as const,
  }));
  return Buffer.from(encodeMessage({ ...decodeMessage(query), response: true, answers, ...parts }));
}

test('upstreamQuery() passes on the question as spelled and RD, and no EDNS that was not there', () => {
  const sent = decodeMessage(upstreamQuery(...asked({ checkingDisabled: true })));
  expect(sent).toMatchObject({ id: 0, response: false, recursionDesired: true, checkingDisabled: true, edns: null });
  expect(sent.questions).toEqual([{ name: 'wWw.example.com.', type: TYPE.A, class: 1 }]);
  expect(decodeMessage(upstreamQuery(...asked({ recursionDesired: false }))).recursionDesired).toBe(false);
});

test('upstreamQuery() passes on size, DO and subnet, and keeps the cookie', () => {
  const subnet = { code: 8, octets: Uint8Array.of(0, 1, 24, 0, 10, 11, 12) };
  const options = [{ code: 10, octets: new Uint8Array(8) }, subnet];
  const given = { ...edns(1_400), dnssecOk: true, options } as DnsMessage['edns'];
  expect(decodeMessage(upstreamQuery(...asked({ edns: given }))).edns).toEqual({ ...given, options: [subnet] });
});

test('isAnswerTo() wants the id and the question, in any case', () => {
  const query = upstreamQuery(...asked());
  query.writeUInt16BE(0xabcd, 0);
  const answer = answerTo(query, 1);
  expect(isAnswerTo(query, answer)).toBe(true);
  const lower = [{ name: 'www.example.com.', type: TYPE.A, class: 1 }];
  expect(isAnswerTo(query, answerTo(query, 1, { questions: lower }))).toBe(true);
  for (const parts of [
    { id: 1 },
    { response: false },
    { opcode: 4 },
    { questions: [] },
    { questions: [{ name: 'wWx.example.com.', type: TYPE.A, class: 1 }] },
    { questions: [{ name: 'wWw.example.com.', type: TYPE.AAAA, class: 1 }] },
  ])
    expect(isAnswerTo(query, answerTo(query, 1, parts))).toBe(false);
  expect(isAnswerTo(query, answer.subarray(0, 20))).toBe(false);
});

test('toAsker() gives the asker’s id and spelling, and RA', () => {
  const [bytes, query] = asked();
  const lower = [{ name: 'www.example.com.', type: TYPE.A, class: 1 }];
  const answer = answerTo(upstreamQuery(bytes, query), 2, { questions: lower, rcode: RCODE.NXDOMAIN });
  const got = decodeMessage(toAsker(answer, bytes, query, 512));
  expect(got).toMatchObject({ id: 0x1234, response: true, recursionAvailable: true, truncated: false, rcode: 3 });
  expect(got.questions[0]?.name).toBe('wWw.example.com.');
  expect(got.answers).toHaveLength(2);
});

test('toAsker() says TC instead of more than the asker takes', () => {
  for (const given of [null, edns(600)]) {
    const [bytes, query] = asked({ edns: given });
    const long = answerTo(upstreamQuery(bytes, query), 100);
    const got = decodeMessage(toAsker(long, bytes, query, given?.udpOctets ?? 512));
    expect(got).toMatchObject({ id: 0x1234, truncated: true, recursionAvailable: true, answers: [] });
    expect(got.edns?.udpOctets).toBe(given?.udpOctets);
  }
});
