import { describe, expect, test } from 'vitest';
import { RCODE, TYPE } from '../message/index.ts';
import type { CheckStatus } from '../registry/index.ts';
import type { RegionLiteral } from '../registry/testing.ts';
import { TestZone, lines, queryOf } from './testing.ts';

const NAME = 'elasticsearch.service.consul.';

const region = (status: CheckStatus): RegionLiteral => ({
  nodes: [{ name: 'staging', address: '172.31.0.9', services: [{ service: 'elasticsearch', port: 9200, status }] }],
});

/** What went over the wire in the document, octet by octet: id, flags, counts, question, SRV, A. */
const UP = [
  '1234 8500 0001 0001 0000 0001',
  '0d656c6173746963736561726368 0773657276696365 06636f6e73756c 00 0021 0001',
  '0d656c6173746963736561726368 0773657276696365 06636f6e73756c 00 0021 0001 00000000 001f',
  '0001 0001 23f0 0773746167696e67 046e6f6465 03617773 06636f6e73756c 00',
  '0773746167696e67 046e6f6465 03617773 06636f6e73756c 00 0001 0001 00000000 0004 ac1f0009',
];
const DOWN = [
  '1234 8500 0001 0000 0000 0000',
  '0d656c6173746963736561726368 0773657276696365 06636f6e73756c 00 0021 0001',
];

const hex = (parts: readonly string[]): string => parts.join('').replaceAll(' ', '');
const hexOf = (bytes: Uint8Array | null): string => Buffer.from(bytes as Uint8Array).toString('hex');

describe("the document's transcripts", () => {
  const legacy = { disableCompression: true, legacy: true };

  test('answer() gives the 156 octets of the first when the service is up', () => {
    for (const input of [legacy, { disableCompression: true }]) {
      const bytes = new TestZone(region('passing'), input).bytes(queryOf(NAME, TYPE.SRV));
      expect(bytes).toHaveLength(156);
      expect(hexOf(bytes)).toBe(hex(UP));
    }
  });

  test('answer() gives the 46 octets of the second when the service is down, under legacy', () => {
    const bytes = new TestZone(region('critical'), legacy).bytes(queryOf(NAME, TYPE.SRV));
    expect(bytes).toHaveLength(46);
    expect(hexOf(bytes)).toBe(hex(DOWN));
  });

  test('answer() is NXDOMAIN with SOA when the service is down', () => {
    const zone = new TestZone(region('critical'));
    const message = zone.ask(NAME, TYPE.SRV);
    expect(message).toMatchObject({ rcode: RCODE.NXDOMAIN, authoritative: true, answers: [], additionals: [] });
    const seconds = Math.floor(zone.clock.wall() / 1_000);
    expect(lines(message.authorities)).toEqual([
      `consul. 0 SOA ns.consul. hostmaster.consul. ${seconds} 3600 600 86400 0`,
    ]);
  });

  test('answer() follows the service down and up again, in both ways', () => {
    for (const [input, down] of [
      [legacy, RCODE.NOERROR],
      [{}, RCODE.NXDOMAIN],
    ] as const) {
      const zone = new TestZone(region('passing'), input);
      const seen = (['critical', 'passing', 'warning', 'unknown', 'passing'] as const).map((status) => {
        zone.change(region(status), { services: ['elasticsearch'] });
        const { rcode, answers } = zone.ask(NAME, TYPE.SRV);
        return [rcode, answers.length];
      });
      expect(seen).toEqual([
        [down, 0],
        [0, 1],
        [0, 1],
        [down, 0],
        [0, 1],
      ]);
    }
  });

  test('answer() reads as in the document', () => {
    const message = new TestZone(region('passing')).ask(NAME, TYPE.SRV);
    expect(message).toMatchObject({
      response: true,
      authoritative: true,
      recursionDesired: true,
      recursionAvailable: false,
      truncated: false,
      authenticData: false,
      rcode: RCODE.NOERROR,
      authorities: [],
    });
    expect(lines(message.answers)).toEqual(['elasticsearch.service.consul. 0 SRV 1 1 9200 staging.node.aws.consul.']);
    expect(lines(message.additionals)).toEqual(['staging.node.aws.consul. 0 A 172.31.0.9']);
  });
});
