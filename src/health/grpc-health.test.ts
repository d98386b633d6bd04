import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeHealthResponse, encodeHealthRequest } from './grpc-health.ts';

const frame = (...message: number[]): Buffer => Buffer.from([0, 0, 0, 0, message.length, ...message]);

test.each([
  ['', [0, 0, 0, 0, 0]],
  ['web', [0, 0, 0, 0, 5, 0x0a, 3, 0x77, 0x65, 0x62]],
  ['é', [0, 0, 0, 0, 4, 0x0a, 2, 0xc3, 0xa9]],
])('encodeHealthRequest(%j) frames the one field', (service, bytes) => {
  expect([...encodeHealthRequest(service)]).toEqual(bytes);
});

test('encodeHealthRequest() writes the length of a long name as a varint', () => {
  const bytes = encodeHealthRequest('x'.repeat(300));
  expect([...bytes.subarray(0, 8)]).toEqual([0, 0, 0, 1, 0x2f, 0x0a, 0xac, 0x02]);
  expect(bytes).toHaveLength(308);
});

test.each([
  ['SERVING', frame(8, 1)],
  ['NOT_SERVING', frame(8, 2)],
  ['SERVICE_UNKNOWN', frame(8, 3)],
  ['UNKNOWN', frame()],
  ['UNKNOWN', frame(8, 99)],
  ['SERVING', frame(0x12, 2, 1, 2, 8, 1, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8)],
  ['NOT_SERVING', frame(8, 1, 8, 2)],
])('decodeHealthResponse() finds %s', (status, bytes) => {
  expect(decodeHealthResponse(bytes)).toBe(status);
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a frame that is cut', Buffer.from([0, 0, 0, 0, 2, 8])],
  ['a compressed frame', Buffer.from([1, 0, 0, 0, 2, 8, 1])],
  ['a second frame', Buffer.concat([frame(8, 1), frame(8, 1)])],
  ['a varint without end', frame(8, 255, 255)],
  ['a varint of eleven bytes', frame(8, ...Array.from({ length: 11 }, () => 255), 1)],
  ['a text longer than the message', frame(0x12, 200, 1)],
  ['a group', frame(0x0b)],
])('decodeHealthResponse() of %s is null', (_what, bytes) => {
  expect(decodeHealthResponse(bytes)).toBeNull();
});

test('decodeHealthResponse() takes any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (message) => {
      const found = decodeHealthResponse(frame(...message));
      return found === null || ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'].includes(found);
    }),
    { numRuns: 300 },
  );
});
