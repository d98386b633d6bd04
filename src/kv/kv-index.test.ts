import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KvIndex } from './kv-index.ts';

const KEYS = ['a', 'a/b', 'a/c', 'ab', 'b'];
const PREFIXES = ['', 'a', 'a/', 'a/b', 'b', 'c'];

const step = fc.oneof(
  fc.record({ type: fc.constant('touch' as const), key: fc.constantFrom(...KEYS) }),
  fc.record({ type: fc.constant('tree' as const), key: fc.constantFrom(...PREFIXES) }),
  fc.record({ type: fc.constant('ask' as const), key: fc.constantFrom(...PREFIXES) }),
);

test('ofPrefix() and ofKey() are the same whether asked for before or after the changes', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const asked = new KvIndex();
      const fresh = new KvIndex();
      for (const [revision, { type, key }] of steps.entries()) {
        if (type === 'ask') asked.ofPrefix(key);
        else for (const index of [asked, fresh]) index[type === 'tree' ? 'touchTree' : 'touch'](key, revision + 2);
      }
      for (const prefix of PREFIXES) expect(asked.ofPrefix(prefix), prefix).toBe(fresh.ofPrefix(prefix));
      for (const key of KEYS) expect(asked.ofKey(key), key).toBe(fresh.ofKey(key));
    }),
  );
});

test('ofPrefix() stays right for more prefixes than are remembered', () => {
  const index = new KvIndex();
  for (let n = 0; n < 10_050; n++) index.ofPrefix(`p${n}/`);
  index.touch('p3/x', 7);
  index.touch('p10049/x', 8);
  expect([index.ofPrefix('p3/'), index.ofPrefix('p10049/'), index.ofPrefix('p4/')]).toEqual([7, 8, 1]);
});

test('raiseFloor() is under every index, and never falls', () => {
  const index = new KvIndex();
  index.touch('a', 5);
  index.raiseFloor(9);
  index.raiseFloor(3);
  expect([index.ofKey('a'), index.ofKey('never'), index.ofPrefix('')]).toEqual([9, 9, 9]);
});
