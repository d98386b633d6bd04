import { describe, expect, it } from 'vitest';
import { ReceiptDesk } from './receipts.ts';
import type { Result } from './receipts.ts';

function sent(words: readonly (readonly [number, Result])[]): { desk: ReceiptDesk; receipts: unknown[] } {
  const receipts: unknown[] = [];
  const desk = new ReceiptDesk(
    (receipt) => receipts.push(receipt),
    () => Date.UTC(2026, 0, 1),
  );
  for (const [revision, result] of words) desk.send(revision, result);
  return { desk, receipts };
}

describe('ReceiptDesk', () => {
  it('send() says when it is tried again', () => {
    const { receipts } = sent([[4, { outcome: 'failed', reason: 'port', retryInMs: 2_000 }]]);
    expect(receipts).toEqual([{ revision: 4, outcome: 'failed', reason: 'port', retryAt: '2026-01-01T00:00:02.000Z' }]);
  });

  for (const [name, words, count] of [
    [
      'the same word of a revision once',
      [
        [4, { outcome: 'applied' }],
        [4, { outcome: 'applied' }],
      ],
      1,
    ],
    [
      'no unchanged after applied',
      [
        [4, { outcome: 'applied' }],
        [4, { outcome: 'unchanged' }],
      ],
      1,
    ],
    [
      'the word of each revision',
      [
        [4, { outcome: 'applied' }],
        [5, { outcome: 'unchanged' }],
      ],
      2,
    ],
    [
      'a new reason',
      [
        [4, { outcome: 'failed', reason: 'a' }],
        [4, { outcome: 'failed', reason: 'b' }],
      ],
      2,
    ],
    [
      'that it was done after all',
      [
        [4, { outcome: 'failed', reason: 'a' }],
        [4, { outcome: 'applied' }],
      ],
      2,
    ],
    [
      'that it broke later',
      [
        [4, { outcome: 'applied' }],
        [4, { outcome: 'failed', reason: 'a' }],
      ],
      2,
    ],
  ] as const) {
    it(`send() tells ${name}`, () => expect(sent(words).receipts).toHaveLength(count));
  }

  it('isSettled tells whether the last word was that all is taken up', () => {
    expect(sent([]).desk.isSettled).toBe(false);
    expect(sent([[1, { outcome: 'applied' }]]).desk.isSettled).toBe(true);
    expect(
      sent([
        [1, { outcome: 'applied' }],
        [2, { outcome: 'refused' }],
      ]).desk.isSettled,
    ).toBe(false);
  });
});
