import { expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from './message.ts';
import { randomPacket, seededRandom } from './testing.ts';

test('decodeMessage() survives random octets, and throws nothing but its own error', () => {
  const random = seededRandom(7);
  const sound = [
    encodeMessage({
      ...decodeMessage(new Uint8Array(12)),
      answers: [{ name: 'a.b.', ttl: 1, data: { type: 'PTR', target: 'c.a.b.' } }],
    }),
  ];
  let read = 0;
  for (let round = 0; round < 20_000; round++) {
    try {
      decodeMessage(randomPacket(random, sound));
      read++;
    } catch (error) {
      expect((error as { code?: string }).code).toBe('MESSAGE_MALFORMED');
    }
  }
  expect(read).toBeGreaterThan(1_000);
});
