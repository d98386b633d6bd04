import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consumerKey } from './change-log.ts';
import type { ConsumerId, LoggedChange } from './change-log.ts';
import { ReceiptBook } from './receipt-book.ts';
import type { Outcome, Receipt } from './receipt.ts';

const BALANCER: ConsumerId = { node: 'staging', kind: 'balancer' };
const KEY = consumerKey(BALANCER);

function change(revision: number, consumers: readonly ConsumerId[] = [BALANCER]): LoggedChange {
  const interested = new Map(consumers.map((one) => [consumerKey(one), one]));
  return {
    revision,
    atMs: 0,
    appliedAtMs: revision * 10,
    summary: [],
    interested,
    missing: new Map(interested),
    unsure: new Set(),
    arrivals: new Map(),
  };
}

const receipt = (revision: number, outcome: Outcome = 'applied', reason?: string): Receipt => ({
  ...BALANCER,
  revision,
  outcome,
  ...(reason === undefined ? {} : { reason }),
});

function bookOf(...changes: LoggedChange[]): ReceiptBook {
  const book = new ReceiptBook();
  for (const one of changes) book.expect(one);
  return book;
}

describe('ReceiptBook.take()', () => {
  test('ReceiptBook.take() settles everything up to the revision when a later one is applied', () => {
    const changes = [change(3), change(5), change(8)];
    const settled = bookOf(...changes).take(receipt(5), 100);
    expect(settled.map((one) => [one.change.revision, one.tookMs])).toEqual([
      [3, 70],
      [5, 50],
    ]);
    expect(changes[0]?.arrivals.get(KEY)).toEqual({ outcome: 'applied', tookMs: 70 });
    expect(changes[2]?.arrivals.size).toBe(0);
  });

  test.each(['held', 'failed', 'refused'] as const)(
    'ReceiptBook.take() settles nothing when the consumer %s',
    (outcome) => {
      const book = bookOf(change(3));
      expect(book.take(receipt(3, outcome, 'why'), 100)).toEqual([]);
      expect(book.trouble(KEY, 3)).toMatchObject({ outcome, reason: 'why' });
    },
  );

  test('ReceiptBook.take() knows no trouble of a revision that came after the word', () => {
    const book = bookOf(change(3), change(4));
    book.take(receipt(3, 'failed'), 100);
    expect(book.trouble(KEY, 4)).toBeUndefined();
  });

  test('ReceiptBook.take() ends the trouble when a later try is applied', () => {
    const book = bookOf(change(3));
    book.take(receipt(3, 'failed'), 100);
    expect(book.take(receipt(3), 200)).toHaveLength(1);
    expect(book.trouble(KEY, 3)).toBeUndefined();
  });

  test('ReceiptBook.take() forgets no trouble when an earlier revision is applied', () => {
    const book = bookOf(change(3), change(5));
    book.take(receipt(5, 'failed'), 100);
    book.take(receipt(3), 110);
    expect(book.trouble(KEY, 5)?.outcome).toBe('failed');
  });

  test('ReceiptBook.take() leaves what is applied applied when trouble of an earlier revision comes late', () => {
    const book = bookOf(change(3));
    book.take(receipt(3), 100);
    book.take(receipt(2, 'failed'), 110);
    expect(book.trouble(KEY, 2)).toBeUndefined();
    expect(book.applied(KEY)).toBe(3);
  });

  test('ReceiptBook.take() is never early, whatever the order of changes and receipts', () => {
    const step = fc.oneof(
      fc.constant('commit' as const),
      fc.record({
        lag: fc.nat({ max: 3 }),
        outcome: fc.constantFrom<Outcome>('applied', 'unchanged', 'failed', 'held'),
      }),
    );
    const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const book = new ReceiptBook();
      const changes: LoggedChange[] = [];
      let applied = 0;
      for (const one of steps) {
        if (one === 'commit') {
          const next = change(changes.length + 1);
          changes.push(next);
          book.expect(next);
          continue;
        }
        const revision = Math.max(0, changes.length - one.lag);
        book.take(receipt(revision, one.outcome), 0);
        if (one.outcome === 'applied' || one.outcome === 'unchanged') applied = Math.max(applied, revision);
        expect(changes.filter((each) => each.arrivals.size > 0).map((each) => each.revision)).toEqual(
          changes.map((each) => each.revision).filter((each) => each <= applied),
        );
      }
    });
    fc.assert(property, { numRuns: 100 });
  });
});

describe('ReceiptBook.owing()', () => {
  test('ReceiptBook.owing() names the first change that a consumer owes', () => {
    const book = bookOf(change(3), change(5));
    expect([...book.owing()].map(([key, first]) => [key, first.revision])).toEqual([[KEY, 3]]);
    book.take(receipt(4), 0);
    expect([...book.owing()].map(([, first]) => first.revision)).toEqual([5]);
    book.take(receipt(5), 0);
    expect([...book.owing()]).toEqual([]);
  });

  test('ReceiptBook.forget() keeps nothing of a consumer that nothing is expected of', () => {
    const [first, second] = [change(3), change(5)];
    const book = bookOf(first);
    book.take(receipt(3), 0);
    book.forget(first);
    expect(book.applied(KEY)).toBe(0);
    book.expect(second);
    expect(book.take(receipt(4), 0)).toEqual([]);
    expect(book.take(receipt(5), 0)).toHaveLength(1);
  });

  test('ReceiptBook.forget() expects a change no longer that is not remembered', () => {
    const [first, second] = [change(3), change(5)];
    const book = bookOf(first, second);
    book.forget(first);
    expect([...book.owing()].map(([, one]) => one.revision)).toEqual([5]);
    expect(book.take(receipt(5), 0).map((one) => one.change)).toEqual([second]);
  });
});

describe('ReceiptBook.leave()', () => {
  test('ReceiptBook.leave() keeps nothing of a node that is gone, however often its like came and went', () => {
    const book = new ReceiptBook();
    for (let count = 0; count < 100; count++) {
      const node = `web-${count}`;
      for (const kind of ['environment', 'balancer', 'listener'] as const)
        book.take({ node, kind, revision: count, outcome: 'unchanged' }, 0);
      book.leave(node);
    }
    expect(book.size).toBe(0);
  });

  test('ReceiptBook.leave() still settles what the node owes when it comes back', () => {
    const book = bookOf(change(3));
    book.leave('staging');
    expect(book.take(receipt(3), 100)).toHaveLength(1);
  });
});
