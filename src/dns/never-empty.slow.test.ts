import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RCODE, TYPE } from '../message/index.ts';
import { healthOf, isRoutable } from '../registry/index.ts';
import type { NodeLiteral, RegionLiteral } from '../registry/testing.ts';
import { catalogOf } from '../registry/testing.ts';
import type { DnsInput } from './options.ts';
import type { Via } from './responder.ts';
import { TestZone, edns } from './testing.ts';

const label = (most: number): fc.Arbitrary<string> =>
  fc.integer({ min: 1, max: most }).map((length) => 'abcdefghij'.repeat(7).slice(0, length));
const status = fc.constantFrom('passing', 'passing', 'warning', 'critical', 'unknown' as const);
const address = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 250 }).map((host) => `10.9.0.${host}`) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 250 }).map((host) => `fd00::${host.toString(16)}`) },
  { weight: 1, arbitrary: fc.constantFrom('db.example.com', 'n0.node.consul', 'not a name..') },
);
const instance = fc.record({
  port: fc.integer({ min: 0, max: 65_535 }),
  status,
  address,
  tag: label(60),
  weights: fc.record({ passing: fc.integer({ min: 0, max: 70_000 }), warning: fc.integer({ min: 0, max: 9 }) }),
  maintenance: fc.constantFrom(false, false, false, true),
});
const node = fc.record({
  suffix: fc.option(fc.tuple(label(63), label(63)), { nil: null }),
  own: fc.constantFrom(4, 4, 6),
  meta: fc.dictionary(label(20), fc.string({ maxLength: 200 }), { maxKeys: 3 }),
  instances: fc.array(instance, { maxLength: 3 }),
});

interface Region {
  readonly literal: RegionLiteral;
  readonly service: string;
  readonly tags: readonly string[];
}

const region: fc.Arbitrary<Region> = fc
  .tuple(label(63), fc.array(node, { minLength: 1, maxLength: 40 }))
  .map(([service, nodes]) => ({
    service,
    tags: nodes.flatMap(({ instances }) => instances.map(({ tag }) => tag)),
    literal: {
      nodes: nodes.map(({ suffix, own, meta, instances }, index): NodeLiteral => ({
        name: [`n${index}`, ...(suffix ?? [])].join('.'),
        address: own === 4 ? `10.0.0.${index}` : `fd01::${index.toString(16)}`,
        meta,
        services: instances.map(({ tag, ...one }, at) => ({ ...one, service, id: `i${at}`, tags: [tag] })),
      })),
    },
  }));

const options: fc.Arbitrary<Partial<DnsInput>> = fc.record(
  {
    legacy: fc.boolean(),
    enableTruncate: fc.boolean(),
    onlyPassing: fc.boolean(),
    disableCompression: fc.boolean(),
    nodeMetaTxt: fc.boolean(),
    udpAnswerLimit: fc.integer({ min: 1, max: 20 }),
    aRecordLimit: fc.integer({ min: 0, max: 3 }),
  },
  { requiredKeys: [] },
);
const transport = fc.record({
  octets: fc.option(fc.constantFrom(0, 512, 600, 1_232, 4_096, 65_535), { nil: null }),
  via: fc.constantFrom<Via>({ transport: 'udp' }, { transport: 'udp', maxBytes: 4_096 }, { transport: 'tcp' }),
});

/** Whether an answer of this type exists for an instance with this address. */
function hasType(type: number, own: string): boolean {
  if (type === TYPE.SRV) return own !== 'not a name..';
  if (own === 'not a name..') return false;
  const family = own.includes(':') ? TYPE.AAAA : TYPE.A;
  return type === TYPE.ANY || family === type;
}

test('no answer about a service with routable instances is empty where the type exists, unless TC says to come over TCP', () => {
  const property = fc.property(region, options, transport, fc.boolean(), (one, input, { octets, via }, tagged) => {
    const zone = new TestZone(one.literal, input);
    const tag = tagged ? one.tags[0] : undefined;
    const routable = catalogOf(one.literal)
      .instances(one.service)
      .filter((each) => tag === undefined || each.record.tags.includes(tag))
      .filter((each) => (input.onlyPassing === true ? healthOf(each) === 'passing' : isRoutable(healthOf(each))));
    const addresses = routable.map(({ record, node: { record: at } }) => record.address || at.address);
    const name = `${tag === undefined ? '' : `${tag}.`}${one.service}.service.consul.`;
    for (const type of [TYPE.A, TYPE.AAAA, TYPE.SRV, TYPE.ANY]) {
      const message = zone.ask(name, type, { edns: octets === null ? null : edns(octets) }, via);
      if (routable.length === 0) {
        expect(message.answers).toEqual([]);
        continue;
      }
      expect(message.rcode).toBe(RCODE.NOERROR);
      if (!addresses.some((own) => hasType(type, own)) || message.answers.length > 0) continue;
      expect([message.truncated, via.transport]).toEqual([true, 'udp']);
      expect(zone.ask(name, type, {}, { transport: 'tcp' }).answers.length).toBeGreaterThan(0);
    }
  });
  fc.assert(property, { numRuns: 250, seed: 9 });
});
