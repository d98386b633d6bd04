import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { KeyValueSchema, type KeyValue } from './generated/kv_pb.ts';
import { formatMeta, parseMeta } from './meta.ts';

const stored = (value: Uint8Array): KeyValue => create(KeyValueSchema, { value, modRevision: 17n });

test('parseMeta() reads what formatMeta() wrote, with the revision it was written at', () => {
  const meta = { layout: 1, generation: 3, revision: 2_000_000_000 };
  expect(parseMeta(stored(formatMeta(meta)))).toEqual({ ...meta, flip: 17 });
});

test.each([
  ['hello', 'STORE_FOREIGN_DATA'],
  ['', 'STORE_FOREIGN_DATA'],
  ['null', 'STORE_FOREIGN_DATA'],
  ['{"layout":1}', 'STORE_FOREIGN_DATA'],
  ['{"layout":0,"generation":0,"revision":1}', 'STORE_FOREIGN_DATA'],
  ['{"layout":1,"generation":-1,"revision":1}', 'STORE_FOREIGN_DATA'],
  ['{"layout":2,"something":"else"}', 'STORE_NEWER_LAYOUT'],
])('parseMeta() refuses %j', (text, code) => {
  expect(() => parseMeta(stored(Buffer.from(text)))).toThrow(expect.objectContaining({ code }) as Error);
});
