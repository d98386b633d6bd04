import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../message/testing.ts';
import { Dealer, movable } from './dealer.ts';

const QUESTION_END = 20;

/** A body of records that are their own number repeated, with a tail of one pointer to each, and where things stand. */
function bodyOf(lengths: readonly number[]): {
  body: Uint8Array;
  starts: number[];
  pointers: { at: number; to: number }[];
} {
  const starts = [0];
  for (const length of lengths) starts.push((starts.at(-1) as number) + length);
  const end = starts.at(-1) as number;
  const records = lengths.flatMap((length, record) => Array.from({ length }, () => record));
  const pointers = lengths.map((_, record) => ({
    at: QUESTION_END + end + record * 2,
    to: QUESTION_END + (starts[record] as number) + 1,
  }));
  return { body: Uint8Array.from([...records, ...lengths.flatMap(() => [0xc0, 0])]), starts, pointers };
}

const lengths = fc.array(fc.integer({ min: 2, max: 30 }), { minLength: 2, maxLength: 32 });

test('deal() keeps every record whole and its pointers on it', () => {
  const check = (some: number[], seed: number, isWeighted: boolean): void => {
    const { body, starts, pointers } = bodyOf(some);
    const moves = movable(starts, isWeighted ? some : null, pointers, QUESTION_END);
    if (moves === null) throw new Error('not movable');
    const out = Buffer.alloc(QUESTION_END + body.length);
    new Dealer(seededRandom(seed)).deal(out, QUESTION_END, body, moves);
    const dealt = [...out.subarray(QUESTION_END, QUESTION_END + (starts.at(-1) as number))];
    for (const [record, length] of some.entries()) {
      const first = dealt.indexOf(record);
      expect(dealt.slice(first, first + length)).toEqual(Array.from({ length }, () => record));
      expect(out.readUInt16BE(pointers[record]?.at as number)).toBe(0xc000 + QUESTION_END + first + 1);
    }
  };
  fc.assert(fc.property(lengths, fc.integer(), fc.boolean(), check), { numRuns: 200 });
});

test('deal() puts records first in proportion to their weights', () => {
  const { body, starts } = bodyOf([2, 2, 2]);
  const moves = movable(starts, [7, 2, 1], [], QUESTION_END);
  const dealer = new Dealer(seededRandom(1));
  const firsts = [0, 0, 0];
  const out = Buffer.alloc(QUESTION_END + body.length);
  for (let round = 0; round < 10_000; round++) {
    dealer.deal(out, QUESTION_END, body, moves as NonNullable<typeof moves>);
    const first = out[QUESTION_END] as number;
    firsts[first] = (firsts[first] ?? 0) + 1;
  }
  for (const [record, share] of [70, 20, 10].entries())
    expect(Math.abs((firsts[record] as number) / 100 - share)).toBeLessThan(2);
});

test('movable() takes equal weights for none', () => {
  expect(movable([0, 2, 4], [5, 5], [], 12)?.weights).toBeNull();
  expect(movable([0, 2, 4], [5, 6], [], 12)?.weights).toEqual([5, 6]);
});

test.each<[string, number[], { at: number; to: number }[], number]>([
  ['a single record', [0, 9], [], 12],
  ['no record', [0], [], 12],
  ['too many records', Array.from({ length: 34 }, (_, index) => index * 2), [], 12],
  ['a pointer from one record to another', [0, 10, 20], [{ at: 25, to: 14 }], 12],
  ['records out of reach of pointers', [0, 10, 20], [], 16_380],
])('movable() is null for %s', (_what, starts, pointers, questionEnd) => {
  expect(movable(starts, null, pointers, questionEnd)).toBeNull();
});

test('movable() passes over pointers to the question and from within ANSWER to it', () => {
  expect(
    movable(
      [0, 10, 20],
      null,
      [
        { at: 12, to: 0 },
        { at: 40, to: 5 },
      ],
      12,
    )?.pointers,
  ).toEqual([]);
});
