import { expect, test } from 'vitest';
import { readAccessAsk, readDnsAsk } from './read-asks.ts';

const DNS = { packet: 'AAAA', transport: 'udp', maxBytes: null, client: '127.0.0.1' } as const;

test('readDnsAsk() takes what nodes ask', () => {
  expect(readDnsAsk(DNS)).toEqual(DNS);
  expect(readDnsAsk({ ...DNS, transport: 'tcp', maxBytes: 512 })).toMatchObject({ maxBytes: 512 });
});

test.each([
  ['nothing', null],
  ['a packet of numbers', { ...DNS, packet: [1] }],
  ['a packet larger than DNS has', { ...DNS, packet: 'A'.repeat(100_000) }],
  ['another transport', { ...DNS, transport: '__proto__' }],
  ['octets below zero', { ...DNS, maxBytes: -1 }],
  ['half an octet', { ...DNS, maxBytes: 600.5 }],
  ['no client', { ...DNS, client: undefined }],
])('readDnsAsk() throws for %s', (_what, ask) => {
  expect(() => readDnsAsk(ask)).toThrow('dns');
});

test('readAccessAsk() takes a secret, and quotes none that is not', () => {
  expect(readAccessAsk({ secret: 's' })).toEqual({ secret: 's' });
  for (const ask of [
    undefined,
    {},
    { secret: 5 },
    { secret: ['tell-nobody'] },
    { secret: 'tell-nobody'.repeat(1_000) },
  ])
    expect(() => readAccessAsk(ask)).toThrow(/^((?!tell-nobody).)*$/s);
});
