import fc from 'fast-check';
import { expect, test } from 'vitest';
import { damagedKey, rowSum } from './row-sum.ts';
import type { Row } from './row-sum.ts';

const revision = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const content = fc.tuple(fc.string({ minLength: 1 }), revision, revision, fc.option(revision), fc.string());

test('damagedKey() finds any single bit that is flipped in any column', () => {
  fc.assert(
    fc.property(content, fc.nat(), fc.integer({ min: 0, max: 52 }), ([key, created, mod, lease, value], at, bit) => {
      const sum = rowSum(key, value, created, mod, lease);
      const row: Row = [key, created, mod, lease, sum, value];
      expect(damagedKey(row)).toBeUndefined();
      const damaged: Row[] = [
        [flipText(key, at, bit), created, mod, lease, sum, value],
        [key, flip(created, bit), mod, lease, sum, value],
        [key, created, flip(mod, bit), lease, sum, value],
        [key, created, mod, flip(lease ?? 0, bit), sum, value],
        [key, created, mod, lease, sum ^ (1 << (bit % 31)), value],
        [key, created, mod, lease, sum, value === '' ? 'x' : flipText(value, at, bit)],
      ];
      for (const one of damaged) expect(damagedKey(one)).toBe(one[0]);
    }),
    { numRuns: 200 },
  );
});

function flip(number: number, bit: number): number {
  return Number(BigInt(number) ^ (1n << BigInt(bit)));
}

function flipText(text: string, at: number, bit: number): string {
  const index = at % text.length;
  return text.slice(0, index) + String.fromCharCode(text.charCodeAt(index) ^ (1 << (bit % 7))) + text.slice(index + 1);
}
