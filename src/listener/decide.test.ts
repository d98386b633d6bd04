import { describe, expect, test } from 'vitest';
import { TIMING } from '../lib/index.ts';
import { decide } from './decide.ts';
import { INITIAL_STATE } from './state.ts';
import type { Failed, ListenerState, Running, Wanted } from './state.ts';
import { inputsOf } from './testing.ts';

const timing = TIMING.lan;
const inputs = inputsOf({ assigned: { api: 'a' } });
const wanted = (firstAt: number, lastAt = firstAt): Wanted => ({ hash: 'b', causes: ['c'], firstAt, lastAt });
const failed = (count: number, at: number): Failed => ({ inputs, causes: [], count, at, reason: 'exit 3' });
const running = { id: 'x' } as Running;
const skip = { cause: 'listener:on', skipSettle: true };
const gentle = { cause: 'instance:deploy', skipSettle: false };

const CASES: readonly [string, Partial<ListenerState>, number, object][] = [
  ['nothing is wanted', {}, 0, { type: 'nothing' }],
  ['a run is under way', { running, wanted: wanted(0), forced: skip }, 99_000, { type: 'nothing' }],
  ['off', { enabled: false, wanted: wanted(0), forced: skip }, 99_000, { type: 'held', why: 'off' }],
  ['a change came just now', { wanted: wanted(1_000) }, 1_000, { type: 'wait', until: 1_500, why: 'settle' }],
  ['it settled', { wanted: wanted(1_000) }, 1_500, { type: 'start' }],
  ['changes go on', { wanted: wanted(1_000, 5_900) }, 5_950, { type: 'wait', until: 6_000, why: 'settle' }],
  ['changes went on for the most', { wanted: wanted(1_000, 6_000) }, 6_000, { type: 'start' }],
  [
    'the last start was a moment ago',
    { wanted: wanted(1_000), lastStartAt: 900 },
    2_000,
    { type: 'wait', until: 10_900, why: 'interval' },
  ],
  ['the interval is over', { wanted: wanted(1_000), lastStartAt: 900 }, 10_900, { type: 'start' }],
  [
    'settling lasts longer than the interval',
    { wanted: wanted(10_800), lastStartAt: 900 },
    10_950,
    { type: 'wait', until: 11_300, why: 'settle' },
  ],
  ['somebody turned it on', { forced: skip, lastStartAt: 0, failed: failed(4, 0) }, 1, { type: 'start' }],
  ['asked for gently', { forced: gentle, lastStartAt: 0 }, 1, { type: 'wait', until: 10_000, why: 'interval' }],
  ['asked for gently, with nothing before', { forced: gentle }, 1, { type: 'start' }],
  [
    'it failed once',
    { wanted: wanted(0), failed: failed(1, 1_000) },
    2_000,
    { type: 'held', why: 'backoff', until: 31_000 },
  ],
  [
    'it failed three times',
    { wanted: wanted(0), failed: failed(3, 1_000) },
    2_000,
    { type: 'held', why: 'backoff', until: 121_000 },
  ],
  [
    'it failed for ages',
    { wanted: wanted(0), failed: failed(900, 1_000) },
    2_000,
    { type: 'held', why: 'backoff', until: 1_801_000 },
  ],
  ['what it failed with changed', { wanted: wanted(0), failed: failed(0, 1_000) }, 2_000, { type: 'start' }],
];

describe('decide()', () => {
  test.each(CASES)('decides when %s', (_when, state, now, expected) => {
    expect(decide({ state: { ...INITIAL_STATE, ...state }, now, timing, foreign: null })).toEqual(expected);
  });

  test('waits for a foreign provision also when forced', () => {
    const state = { ...INITIAL_STATE, forced: skip };
    expect(decide({ state, now: 0, timing, foreign: 'pid 7' })).toEqual({ type: 'held', why: 'locked', by: 'pid 7' });
  });

  test('waits for a place in its group when all else is ready, also when forced, and says what else is in its way first', () => {
    const waiting = { group: 'web', ahead: 3, againMs: 500 };
    const state = { ...INITIAL_STATE, forced: skip };
    const at = { now: 0, timing, foreign: null, waiting };
    expect(decide({ ...at, state })).toEqual({ type: 'held', why: 'place', ...waiting });
    expect(decide({ ...at, state, foreign: 'pid 7' })).toMatchObject({ why: 'locked' });
    expect(decide({ ...at, state: { ...state, enabled: false } })).toMatchObject({ why: 'off' });
    expect(decide({ ...at, state: INITIAL_STATE })).toEqual({ type: 'nothing' });
  });

  test('says off before it says locked', () => {
    const state = { ...INITIAL_STATE, enabled: false, forced: skip };
    expect(decide({ state, now: 0, timing, foreign: 'pid 7' })).toEqual({ type: 'held', why: 'off' });
  });
});
