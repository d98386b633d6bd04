import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesToText, decodeBytes, Router } from './router.ts';

const router = new Router([
  { path: 'kv/', methods: {} },
  { path: 'agent/service/', methods: {} },
  { path: 'agent/service/deregister/', methods: {} },
  { path: 'agent/services', methods: {} },
]);

test.each([
  ['kv/a/b/c', 'kv/', 'a/b/c'],
  ['kv/', 'kv/', ''],
  ['kv//a', 'kv/', '/a'],
  ['agent/services', 'agent/services', ''],
  ['agent/service/web', 'agent/service/', 'web'],
  ['agent/service/deregister/a%2Fb', 'agent/service/deregister/', 'a%2Fb'],
])('find(%s) is %s with the rest %s', (path, found, rest) => {
  const match = router.find(path);
  expect([match?.route.path, match?.rest]).toEqual([found, rest]);
});

test.each(['', 'kv', 'nothing', 'agent', 'agent/other/x', '/', '//'])('find(%j) finds nothing', (path) => {
  expect(router.find(path)).toBeUndefined();
});

test('decodeBytes() gives every byte back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const escaped = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
      expect(decodeBytes(escaped)).toBe(Buffer.from(bytes).toString('latin1'));
    }),
    { numRuns: 200 },
  );
});

test.each(['%', '%1', '%zz', 'a%'])('decodeBytes(%j) is undefined', (text) => {
  expect(decodeBytes(text)).toBeUndefined();
});

test('bytesToText() reads UTF-8', () => {
  expect(bytesToText(decodeBytes('%C3%A7a') as string)).toBe('ça');
});
