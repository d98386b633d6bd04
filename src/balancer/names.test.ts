import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backendName, keyOfServer, serverName, serviceOfBackend } from './names.ts';

describe('serverName()', () => {
  for (const [key, name] of [
    ['api-1/api', 'api-1:2Fapi'],
    ['node.example_1/web-2', 'node.example_1:2Fweb-2'],
    ['a:b/c d;e', 'a:3Ab:2Fc:20d:3Be'],
    ['nöde/x', 'n:C3:B6de:2Fx'],
  ] as const) {
    it(`writes ${key} as ${name}`, () => expect(serverName(key)).toBe(name));
  }

  it('numbers further objects of a member', () => {
    expect(serverName('a/x', new Set(['a:2Fx']))).toBe('a:2Fx::2');
    expect(serverName('a/x', new Set(['a:2Fx', 'a:2Fx::2']))).toBe('a:2Fx::3');
  });

  it('can be read back, holds only what HAProxy takes, and differs for different keys', () => {
    const key = fc.string({ minLength: 1, unit: 'grapheme' });
    fc.assert(
      fc.property(key, key, fc.integer({ min: 0, max: 3 }), (one, other, objects) => {
        const taken = new Set<string>();
        for (let i = 0; i < objects; i++) taken.add(serverName(one, taken));
        const name = serverName(one, taken);
        expect(taken.has(name)).toBe(false);
        expect(name).toMatch(/^[A-Za-z0-9_.:-]+$/);
        expect(keyOfServer(name)).toBe(one);
        if (one !== other) expect(serverName(other)).not.toBe(serverName(one));
      }),
    );
  });
});

describe('backendName()', () => {
  it('is read back by serviceOfBackend()', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (id) => {
        expect(serviceOfBackend(backendName(id))).toBe(id);
      }),
    );
  });
});
