import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Lease, Txn } from '../contract.ts';
import { ALL, modelSteps, ModelStore, txnOf } from '../testing.ts';
import { readOutcome, writeOperation } from './operation.ts';
import { Tape } from './tape.ts';
import type { Cell } from './tape.ts';

const BASE = 1_000;
const lease: Lease = {
  id: '7',
  ttlMs: 1,
  keepAlive: () => Promise.resolve(),
  revoke: () => Promise.resolve(),
  lost: new Promise(() => {}),
};

function written(txn: Txn): Cell[] {
  const cells: Cell[] = [];
  writeOperation(cells, { type: 'txn', txn }, BASE);
  return cells;
}

test('writeOperation() lays a transaction flat, with engine revisions', () => {
  const txn: Txn = {
    compares: [
      { key: 'absent', modRevision: 0 },
      { key: 'present', modRevision: BASE + 5 },
      { key: 'of another life', modRevision: BASE },
    ],
    unchanged: [
      { range: { start: 'r', end: 's' }, since: BASE + 6 },
      { range: { start: 's', end: 't' }, since: 3 },
    ],
    writes: [
      { type: 'put', key: 'a', value: '1' },
      { type: 'put', key: 'b', value: '2', lease },
      { type: 'delete', key: 'c' },
      { type: 'delete-range', range: ALL },
    ],
  };
  expect(written(txn)).toEqual(
    [
      [0, 3, 'absent', 0, 'present', 5, 'of another life', -1],
      [2, 'r', 's', 6, 's', 't', 0],
      [4, 0, 'a', '1', 0, 0, 'b', '2', 7, 1, 'c', 2, '', '\u{100}'],
    ].flat(),
  );
});

test('readOutcome() reads what was committed, deletions of absent keys left out', () => {
  const txn: Txn = {
    compares: [],
    writes: [
      { type: 'put', key: 'a', value: '1' },
      { type: 'delete', key: 'b' },
      { type: 'delete', key: 'absent' },
      { type: 'delete-range', range: { start: 'c', end: 'd' } },
    ],
  };
  const tape = new Tape([1, 9, 4, 1, 0, 2, 'c1', 'c2']);
  expect(readOutcome(tape, { type: 'txn', txn }, BASE)).toEqual({
    answer: { ok: true, revision: BASE + 9 },
    events: [
      { type: 'put', entry: { key: 'a', value: '1', createRevision: BASE + 4, modRevision: BASE + 9 } },
      { type: 'delete', key: 'b' },
      { type: 'delete', key: 'c1' },
      { type: 'delete', key: 'c2' },
    ],
  });
  expect(tape.ended).toBe(true);
});

test('readOutcome() reads a conflict, a grant and a revocation one after another', () => {
  const tape = new Tape([0, 9, 1, 'k', 'v', 3, 8, 77, 10, 1, 'gone']);
  expect(readOutcome(tape, { type: 'txn', txn: { compares: [], writes: [] } }, BASE).answer).toEqual({
    ok: false,
    revision: BASE + 9,
    entries: [{ key: 'k', value: 'v', createRevision: BASE + 3, modRevision: BASE + 8 }],
  });
  expect(readOutcome(tape, { type: 'grant', ttlMs: 5 }, BASE).answer).toMatchObject({ leaseId: 77 });
  expect(readOutcome(tape, { type: 'revoke', id: 77 }, BASE)).toEqual({
    answer: { ok: true, revision: BASE + 10 },
    events: [{ type: 'delete', key: 'gone' }],
  });
  expect(tape.ended).toBe(true);
});

test('writeOperation() writes what a tape can separate again, whatever the transactions', () => {
  fc.assert(
    fc.property(modelSteps, (steps) => {
      const model = new ModelStore(BASE);
      const txns = steps.map((step) => txnOf(step, model));
      const tape = new Tape(txns.flatMap((txn) => written(txn)));
      for (const txn of txns) {
        expect(tape.number()).toBe(0);
        expect(Array.from({ length: tape.number() }, () => [tape.text(), tape.number()][0])).toEqual(
          txn.compares.map((compare) => compare.key),
        );
        const ranges = (txn.unchanged ?? []).map(({ range, since }) => [range.start, range.end, since - BASE]);
        expect(Array.from({ length: tape.number() }, () => [tape.text(), tape.text(), tape.number()])).toEqual(
          ranges.map(([start, end, since]) => [start, end, Math.max(0, Number(since))]),
        );
        expect(tape.number()).toBe(txn.writes.length);
        for (const write of txn.writes)
          expect(skipWrite(tape)).toBe(write.type === 'delete-range' ? write.range.start : write.key);
      }
      expect(tape.ended).toBe(true);
    }),
    { numRuns: 50 },
  );
});

function skipWrite(tape: Tape): string {
  const code = tape.number();
  const first = tape.text();
  if (code !== 1) tape.text();
  if (code === 0) tape.number();
  return first;
}
