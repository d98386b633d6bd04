import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Txn } from '../contract.ts';
import { keyRange, prefixRange } from '../contract.ts';
import { ModelStore, modelSteps, txnOf } from '../testing.ts';
import { Footprint } from './footprint.ts';
import { BATCH_LIMITS, planBatch } from './plan-batch.ts';

const put = (...keys: string[]): Txn => ({
  compares: [],
  writes: keys.map((key) => ({ type: 'put', key, value: '' })),
});
const cas = (key: string, ...others: string[]): Txn => ({
  compares: [key, ...others].map((one) => ({ key: one, modRevision: 0 })),
  writes: [{ type: 'put', key, value: '' }],
});
const look = (prefix: string): Txn => ({
  compares: [],
  unchanged: [{ range: prefixRange(prefix), since: 5 }],
  writes: [],
});
const wipe = (prefix: string): Txn => ({
  compares: [],
  writes: [{ type: 'delete-range', range: prefixRange(prefix) }],
});

test.each<[string, Txn, Txn, boolean]>([
  ['two keys', put('a'), put('b'), false],
  ['one key twice', put('a'), put('a'), true],
  ['a key that the other compares', put('a'), cas('b', 'a'), true],
  ['a compared key that the other writes', cas('b', 'a'), put('a'), true],
  ['two that compare one key', cas('b', 'x'), cas('c', 'x'), false],
  ['a range that holds it', put('a/1'), look('a/'), true],
  ['a range that does not', put('b'), look('a/'), false],
  ['two looks at a range', look('a/'), look('a/1'), false],
  ['a deletion of a range that was looked at', look('a/1'), wipe('a/'), true],
  ['a deletion of a compared key', cas('b', 'a/1'), wipe('a/'), true],
  ['two deletions that overlap', wipe('a/'), wipe('a/b'), true],
  ['two that do not', wipe('a/'), wipe('b/'), false],
])('Footprint.meets() of %s', (_what, one, other, meets) => {
  const footprint = new Footprint();
  footprint.add(one);
  expect(footprint.meets(other)).toBe(meets);
});

test('planBatch() takes what does not meet, and leaves what waits behind something in its order', () => {
  expect(planBatch([put('a'), put('b'), put('a'), cas('c', 'a'), put('d')])).toEqual([0, 1, 4]);
  // The last meets only one that waits.
  expect(planBatch([put('a'), cas('b', 'a'), put('b')])).toEqual([0]);
  expect(planBatch([put('a'), put('b')], [put('a')])).toEqual([1]);
  expect(planBatch([put('a'), wipe('')], [look('')])).toEqual([]);
  expect(planBatch([])).toEqual([]);
});

test('planBatch() sends a large one alone, when it is its turn', () => {
  const large = put(...Array.from({ length: 65 }, (_, index) => `l${index}`));
  expect(planBatch([large, put('a')])).toEqual([0]);
  expect(planBatch([put('a'), large, put('b')])).toEqual([0, 2]);
  expect(planBatch([large], [put('l3')])).toEqual([]);
  const value = 'x'.repeat(400_000);
  const heavy = (key: string): Txn => ({ compares: [], writes: [{ type: 'put', key, value }] });
  expect(planBatch([put('a'), heavy('b'), heavy('c')])).toEqual([0]);
  expect(planBatch([heavy('b'), put('a')])).toEqual([0]);
});

/** As etcd counts: the wider of compares and operations at each level, added up. */
function width(txns: readonly Txn[]): number {
  const isNested = ({ compares, unchanged = [] }: Txn): boolean => compares.length + unchanged.length > 0;
  const outer = txns.reduce((sum, txn) => sum + (isNested(txn) ? 1 : txn.writes.length), 0);
  const inner = txns
    .filter(isNested)
    .map(({ compares, unchanged = [], writes }) => Math.max(compares.length + unchanged.length, writes.length));
  return Math.max(1, outer) + Math.max(0, ...inner);
}

test('planBatch() makes batches of transactions that never meet, within etcd’s limits, and gets to every one', () => {
  fc.assert(
    fc.property(modelSteps, fc.integer({ min: 1, max: 40 }), (steps, copies) => {
      const model = new ModelStore(10);
      const some = steps.map((step) => txnOf(step, model));
      let queue = Array.from({ length: copies }, (_, copy) => some.map((txn) => spread(txn, copy))).flat();
      while (queue.length > 0) {
        const places = planBatch(queue);
        const batch = places.map((place) => queue[place] as Txn);
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(BATCH_LIMITS.txns);
        if (batch.length > 1) expect(width(batch)).toBeLessThanOrEqual(128);
        for (const [index, txn] of batch.entries())
          expect(queue.slice(0, places[index]).every((before) => !meet(before, txn))).toBe(true);
        queue = queue.filter((_, place) => !places.includes(place));
      }
    }),
    { numRuns: 25 },
  );
});

function meet(one: Txn, other: Txn): boolean {
  const footprint = new Footprint();
  footprint.add(one);
  return footprint.meets(other);
}

/** The same elsewhere, so that some meet and some do not. */
function spread(txn: Txn, copy: number): Txn {
  const move = (key: string): string => `${copy % 5}/${key}`;
  return {
    compares: txn.compares.map((one) => ({ ...one, key: move(one.key) })),
    writes: txn.writes.map((one) =>
      one.type === 'delete-range' ? { ...one, range: keyRange(move(one.range.start)) } : { ...one, key: move(one.key) },
    ),
  };
}
