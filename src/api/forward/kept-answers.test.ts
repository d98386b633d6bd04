import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeptAnswers, keptKey, MOST_KEPT_BODY, type KeptAnswer } from './kept-answers.ts';

const answer = (octets: number, index = '1'): KeptAnswer => ({
  status: 200,
  headers: [],
  body: Buffer.alloc(octets),
  index,
});

test('KeptAnswers drops what was asked for longest ago', () => {
  const kept = new KeptAnswers({ most: 2, octets: 1 << 20 });
  kept.put('a', answer(1));
  kept.put('b', answer(1));
  kept.get('a');
  kept.put('c', answer(1));
  expect(['a', 'b', 'c'].map((key) => kept.get(key) !== undefined)).toEqual([true, false, true]);
});

test('KeptAnswers keeps the newest of one question, and none that is too large', () => {
  const kept = new KeptAnswers({ most: 2, octets: 4 << 20 });
  kept.put('a', answer(1, '1'));
  kept.put('a', answer(1, '2'));
  kept.put('b', answer(MOST_KEPT_BODY + 1));
  expect(kept.size).toBe(1);
  expect(kept.get('a')?.index).toBe('2');
});

test('KeptAnswers stays within its bounds, whatever is put in', () => {
  const property = fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(5_000))), (puts) => {
    const kept = new KeptAnswers({ most: 10, octets: 20_000 });
    for (const [key, octets] of puts) kept.put(String(key), answer(octets));
    const held = Array.from({ length: 21 }, (_one, key) => kept.get(String(key))?.body.length ?? 0);
    expect(kept.size).toBeLessThanOrEqual(10);
    expect(held.reduce((sum, octets) => sum + octets, 0)).toBeLessThanOrEqual(20_000);
  });
  fc.assert(property, { numRuns: 50 });
});

test('keptKey() is another for another token, and does not hold it', () => {
  expect(keptKey('/v1/kv/a', 'one')).not.toBe(keptKey('/v1/kv/a', 'two'));
  expect(keptKey('/v1/kv/a', 's3cret')).not.toContain('s3cret');
});
