import { expect, test } from 'vitest';
import { readName } from './name-reader.ts';

const bytes = (...parts: (number | string)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.of(part))));

test('readName() reads labels and says where the name ends', () => {
  expect(readName(bytes(9, 3, 'web', 6, 'consul', 0, 7), 1)).toEqual({ labels: ['web', 'consul'], end: 13 });
  expect(readName(bytes(0), 0)).toEqual({ labels: [], end: 1 });
});

test('readName() follows pointers backwards and ends behind the first', () => {
  const message = bytes(6, 'consul', 0, 3, 'web', 0xc0, 0, 1, 'a', 0xc0, 8);
  expect(readName(message, 14)).toEqual({ labels: ['a', 'web', 'consul'], end: 18 });
});

test('readName() keeps any octet of a label', () => {
  expect(readName(bytes(3, '\0.\xff', 0), 0).labels).toEqual(['\0.\xff']);
});

test.each([
  ['nothing at all', bytes(), 0],
  ['no end', bytes(3, 'web'), 0],
  ['a label over the end', bytes(9, 'web', 0), 0],
  ['half a pointer', bytes(0xc0), 0],
  ['a pointer to itself', bytes(0xc0, 0), 0],
  ['a pointer forwards', bytes(0xc0, 2, 0), 0],
  ['two pointers at each other', bytes(0xc0, 2, 0xc0, 0), 2],
  ['a loop through a label', bytes(1, 'a', 0xc0, 0), 0],
  ['a label of a reserved kind', bytes(0x40, 'x', 0), 0],
  ['256 octets of labels', bytes(...Array.from({ length: 64 }, () => [3, 'abc']).flat(), 0), 0],
])('readName() refuses %s', (_what, message, offset) => {
  expect(() => readName(message, offset)).toThrow('malformed');
});

test('readName() takes the longest name there is', () => {
  const longest = bytes(...Array.from({ length: 3 }, () => [63, 'x'.repeat(63)]).flat(), 61, 'y'.repeat(61), 0);
  expect(longest).toHaveLength(255);
  expect(readName(longest, 0).end).toBe(255);
});
