import { expect, test } from 'vitest';
import { packPlans, TxnPlan } from './txn-plan.ts';

const plan = (...keys: string[]): TxnPlan => {
  const made = new TxnPlan();
  for (const key of keys) made.expect(key, 3).put(key, {});
  return made;
};

test('toTxn() writes each key once and each tombstone once', () => {
  const made = new TxnPlan().expect('a', 3).delete('a').tomb('nodes', 'services').tomb('nodes');
  expect(made.toTxn()).toEqual({
    compares: [{ key: 'a', modRevision: 3 }],
    writes: [
      { type: 'delete', key: 'a' },
      { type: 'put', key: 'tomb/nodes', value: '{}' },
      { type: 'put', key: 'tomb/services', value: '{}' },
    ],
  });
});

test('toTxn() expects what earlier transactions of the plan left', () => {
  const written = new Map<string, number>();
  plan('a').note(written, 7);
  new TxnPlan().delete('b').note(written, 7);
  expect(new TxnPlan().expect('a', 3).expect('b', 4).expect('c', 5).toTxn(written).compares).toEqual([
    { key: 'a', modRevision: 7 },
    { key: 'b', modRevision: 0 },
    { key: 'c', modRevision: 5 },
  ]);
});

test('packPlans() fills transactions up to the limit, in order, and drops empty plans', () => {
  const packed = packPlans([plan('a', 'b'), plan(), plan('c'), plan('d', 'e'), plan('f')], 3);
  expect(packed.map((one) => one.toTxn().writes.map((write) => 'key' in write && write.key))).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e', 'f'],
  ]);
});

test('packPlans() counts a key that two plans share once, and leaves the plans as they were', () => {
  const first = plan('a');
  expect(packPlans([first, plan('a', 'b')], 2)).toHaveLength(1);
  expect(first.toTxn().writes).toHaveLength(1);
});
