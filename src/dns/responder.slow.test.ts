import { expect, test } from 'vitest';
import { TYPE } from '../message/index.ts';
import { randomPacket, seededRandom } from '../message/testing.ts';
import { TestZone, edns, queryOf } from './testing.ts';

const nodes = Array.from({ length: 5 }, (_, index) => ({
  name: `node-${index}`,
  address: `10.1.0.${index}`,
  services: [{ service: 'web', port: 80 }],
}));

const TCP = { transport: 'tcp' } as const;

test('the question may be any octets: a hundred thousand packets neither crash it nor fill it', () => {
  const errors: unknown[] = [];
  const zone = new TestZone({ nodes }, {}, { onError: (error) => errors.push(error), cacheOctets: 1 << 20 });
  const random = seededRandom(11);
  const sound = [
    queryOf('web.service.consul.', TYPE.SRV),
    queryOf('node-1.node.consul.', TYPE.A, { edns: edns(1_232) }),
    queryOf('1.0.1.10.in-addr.arpa.', TYPE.PTR),
  ];
  let answered = 0;
  for (let round = 0; round < 100_000; round++) {
    const packet = randomPacket(random, sound);
    const via = round % 4 === 0 ? TCP : ({ transport: 'udp' } as const);
    const bytes = zone.bytes(packet, via);
    if (bytes === null) continue;
    answered++;
    if (bytes.length < 12 || (bytes[2] as number) < 0x80 || (via === TCP ? false : bytes.length > 65_467))
      throw new Error(`packet ${round}`);
  }
  expect(errors).toEqual([]);
  expect(answered).toBeGreaterThan(50_000);
});
