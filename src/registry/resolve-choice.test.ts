import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseInstance } from './resolve-choice.ts';

const keys = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 });

test('chooseInstance() gives nothing when there is nothing', () => {
  expect(chooseInstance('www', 'API_URL', [])).toBeUndefined();
});

test('chooseInstance() does not depend on the order of the instances', () => {
  const property = fc.property(keys, fc.string(), (all, node) => {
    expect(chooseInstance(node, 'X', all.toReversed())).toBe(chooseInstance(node, 'X', all));
  });
  fc.assert(property, { numRuns: 50 });
});

test('chooseInstance() moves only those whose instance went', () => {
  const property = fc.property(keys, fc.string(), fc.nat(), (all, node, at) => {
    const winner = chooseInstance(node, 'X', all);
    const gone = all[at % all.length];
    const rest = all.filter((key) => key !== gone);
    if (gone !== winner) expect(chooseInstance(node, 'X', rest)).toBe(winner);
  });
  fc.assert(property, { numRuns: 50 });
});

test('chooseInstance() spreads nodes over the instances', () => {
  const counts = new Map<string, number>();
  for (let node = 0; node < 300; node++) {
    const key = chooseInstance(`web-${node}`, 'API_URL', ['a/api', 'b/api', 'c/api']) as string;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(Math.min(...counts.values())).toBeGreaterThan(60);
});
