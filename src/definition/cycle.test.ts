import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCycles } from './cycle.ts';

const graph = (edges: Record<string, string>): Map<string, string[]> =>
  new Map(Object.entries(edges).map(([from, to]) => [from, to.split('')]));

test.each([
  [{}, []],
  [{ a: 'b', b: 'c', c: '' }, []],
  [{ a: 'a' }, ['a']],
  [{ a: 'b', b: 'a' }, ['ab']],
  [{ a: 'b', b: 'c', c: 'a' }, ['abc']],
  [{ a: 'bc', b: 'c', c: 'a' }, ['ac']],
  [{ a: 'b', b: 'a', c: 'd', d: 'c' }, ['ab', 'cd']],
  [{ a: 'b', b: 'c', c: 'b' }, ['bc']],
  [{ a: 'x' }, []],
])('findCycles() of %j are %j', (edges, cycles) => {
  expect(findCycles(graph(edges)).map((cycle) => cycle.join(''))).toEqual(cycles);
});

test('findCycles() gives only true cycles, one for each knot', () => {
  const node = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  fc.assert(
    fc.property(fc.array(fc.tuple(node, node), { maxLength: 10 }), (pairs) => {
      const edges = new Map<string, string[]>();
      for (const [from, to] of pairs) edges.set(from, [...(edges.get(from) ?? []), to]);
      const cycles = findCycles(edges);
      for (const cycle of cycles) {
        for (const [index, from] of cycle.entries())
          expect(edges.get(from)).toContain(cycle[(index + 1) % cycle.length]);
      }
      const all = cycles.flat();
      expect(new Set(all).size).toBe(all.length);
    }),
    { numRuns: 200 },
  );
});
