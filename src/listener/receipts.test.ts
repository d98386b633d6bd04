import { describe, expect, test } from 'vitest';
import { receiptFor, receiptOfEnd, saysNothingNew } from './receipts.ts';
import type { ListenerReceipt, ReceiptSituation } from './receipts.ts';
import { INITIAL_STATE } from './state.ts';
import type { Failed, ListenerState, Running } from './state.ts';

const wanted = { hash: 'b', causes: ['c'], firstAt: 0, lastAt: 0 };
const at = (state: Partial<ListenerState>, rest: Partial<ReceiptSituation>): ListenerReceipt | null =>
  receiptFor({
    state: { ...INITIAL_STATE, ...state },
    decision: { type: 'nothing' },
    revision: 9,
    failedUpTo: -1,
    wallOf: (moment) => moment,
    now: 0,
    notableMs: 5_000,
    ...rest,
  });

describe('receiptFor()', () => {
  test('says unchanged when nothing is wanted and nothing runs', () => {
    expect(at({}, {})).toEqual({ revision: 9, outcome: 'unchanged' });
  });

  test('says nothing while a run is under way, also about revisions that changed nothing', () => {
    expect(at({ running: {} as Running }, {})).toBeNull();
  });

  test('says nothing while a change settles', () => {
    expect(at({ wanted }, { decision: { type: 'wait', until: 500, why: 'settle' } })).toBeNull();
  });

  test('says held when it is off, when another run holds the lock and in back-off', () => {
    expect(at({ wanted }, { decision: { type: 'held', why: 'off' } })).toEqual({
      revision: 9,
      outcome: 'held',
      reason: 'listener is off',
    });
    expect(at({ wanted }, { decision: { type: 'held', why: 'locked', by: 'pid 7' } })?.reason).toContain('pid 7');
    const failed = { reason: 'exit 3' } as Failed;
    expect(at({ wanted, failed }, { decision: { type: 'held', why: 'backoff', until: 1_000 } })).toEqual({
      revision: 9,
      outcome: 'held',
      reason: 'back-off after exit 3',
      retryAt: '1970-01-01T00:00:01.000Z',
    });
  });

  test('does not cover up a failure of the same revision by a word about its back-off', () => {
    const decision = { type: 'held', why: 'backoff', until: 1_000 } as const;
    expect(at({ wanted }, { decision, failedUpTo: 9 })).toBeNull();
    expect(at({ wanted }, { decision, failedUpTo: 8 })).not.toBeNull();
  });

  test('says held when the throttle takes notably long', () => {
    expect(at({ wanted }, { decision: { type: 'wait', until: 4_999, why: 'interval' } })).toBeNull();
    expect(at({ wanted }, { decision: { type: 'wait', until: 5_000, why: 'interval' } })).toMatchObject({
      outcome: 'held',
      reason: 'throttled',
    });
  });
});

describe('receiptOfEnd()', () => {
  test('says applied up to what the run covers, or why it failed and when it is tried again', () => {
    expect(receiptOfEnd({ succeeded: true, result: 'exit 0' }, 7, null)).toEqual({ revision: 7, outcome: 'applied' });
    expect(receiptOfEnd({ succeeded: false, result: 'exit 3' }, 7, 0)).toEqual({
      revision: 7,
      outcome: 'failed',
      reason: 'exit 3',
      retryAt: '1970-01-01T00:00:00.000Z',
    });
  });
});

describe('saysNothingNew()', () => {
  const held = (retryAt: string): ListenerReceipt => ({ revision: 1, outcome: 'held', reason: 'r', retryAt });
  test.each<[boolean, ListenerReceipt, ListenerReceipt]>([
    [true, { revision: 1, outcome: 'applied' }, { revision: 1, outcome: 'applied' }],
    [true, { revision: 1, outcome: 'applied' }, { revision: 1, outcome: 'unchanged' }],
    [true, held('2026-01-01T00:00:00.000Z'), held('2026-01-01T00:00:00.001Z')],
    [false, held('2026-01-01T00:00:00.000Z'), held('2026-01-01T00:00:02.000Z')],
    [false, { revision: 1, outcome: 'unchanged' }, { revision: 1, outcome: 'applied' }],
    [false, { revision: 1, outcome: 'applied' }, { revision: 2, outcome: 'applied' }],
    [false, { revision: 1, outcome: 'failed', reason: 'a' }, { revision: 1, outcome: 'failed', reason: 'b' }],
  ])('is %s for %j then %j', (expected, first, second) => {
    expect(saysNothingNew(first, second)).toBe(expected);
  });
});
