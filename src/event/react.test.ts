import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NEVER_SEEN, nextDeadline, type ReactionState, reactToSight, reactToTime } from './react.ts';
import { queueAct, type ReactionAct } from './reaction-call.ts';
import type { Happening } from './reaction.ts';

interface Times {
  readonly downAfterMs: number;
  readonly expect: { readonly service: string; readonly withinMs: number } | null;
  readonly watchForMs: number | null;
}
const TIMES: Times = { downAfterMs: 0, expect: { service: 's', withinMs: 300 }, watchForMs: 120 };

/** A story: `up`, `up:b` (other instances), `down`, or a time to let pass. */
function tell(times: Times, story: readonly (string | number)[], from: ReactionState = NEVER_SEEN) {
  let state = from;
  let nowMs = 1_000;
  const said: string[] = [];
  const take = (next: { state: ReactionState; happenings: readonly Happening[] }): void => {
    state = next.state;
    for (const happening of next.happenings) said.push(`${nowMs - 1_000} ${happening}`);
  };
  const wait = (untilMs: number): void => {
    for (;;) {
      const deadline = nextDeadline(state);
      if (deadline === null || deadline > untilMs) break;
      nowMs = Math.max(nowMs, deadline);
      take(reactToTime(times, state, nowMs));
    }
    nowMs = untilMs;
  };
  for (const step of story) {
    if (typeof step === 'number') wait(nowMs + step);
    else {
      const instances = step === 'down' ? null : step;
      take(reactToSight(times, state, { instances, isExpectedThere: instances !== null }, nowMs));
      wait(nowMs);
    }
  }
  return { said, state };
}

describe('a reaction', () => {
  test.each<[string, readonly (string | number)[], readonly string[]]>([
    ['begins with what is', ['up'], ['0 up']],
    ['begins with what is not, and expects it', ['down', 400], ['0 down', '300 missing']],
    ['says nothing of the same twice', ['up', 'up', 'up', 500, 'up'], ['0 up', '120 well']],
    [
      'configures anew for other instances and begins the watch anew',
      ['up', 100, 'up:b', 100, 'up:b', 20],
      ['0 up', '100 up', '220 well'],
    ],
    ['is back in time', ['up', 200, 'down', 299, 'up', 200], ['0 up', '120 well', '200 down', '499 up', '619 well']],
    ['is missing once', ['up', 200, 'down', 900], ['0 up', '120 well', '200 down', '500 missing']],
    ['comes too late', ['down', 301, 'up'], ['0 down', '300 missing', '301 up']],
    ['relapses within the watch', ['up', 119, 'down'], ['0 up', '119 down', '119 relapse']],
    ['does not relapse after it', ['up', 120, 'down'], ['0 up', '120 well', '120 down']],
  ])('%s', (_what, story, said) => {
    expect(tell(TIMES, story).said).toEqual(said);
  });

  test.each<[string, Times, readonly (string | number)[], readonly string[]]>([
    [
      'counts as down only after its time',
      { ...TIMES, downAfterMs: 50 },
      ['up', 200, 'down', 49, 'up', 500],
      ['0 up', '120 well'],
    ],
    ['then counts as down', { ...TIMES, downAfterMs: 50 }, ['up', 200, 'down', 60], ['0 up', '120 well', '250 down']],
    [
      'relapses by when it went, not by when that counted',
      { ...TIMES, downAfterMs: 50 },
      ['up', 100, 'down', 60],
      ['0 up', '150 down', '150 relapse'],
    ],
    [
      'without times only goes up and down',
      { downAfterMs: 0, expect: null, watchForMs: null },
      ['up', 999, 'down', 999, 'up'],
      ['0 up', '999 down', '1998 up'],
    ],
  ])('%s', (_what, times, story, said) => {
    expect(tell(times, story).said).toEqual(said);
  });

  test('a deadline that passed while nobody looked is acted upon once, and not if it is back', () => {
    const { state } = tell(TIMES, ['up', 200, 'down']);
    expect(tell(TIMES, [10_000, 'down', 1, 'down', 900], state).said).toHaveLength(1);
    const later = { instances: 'up:c', isExpectedThere: true };
    expect(reactToSight(TIMES, state, later, 99_999).happenings).toEqual(['up']);
  });

  test('what was kept an eye on and went at an unknown time after it has not relapsed', () => {
    const { state } = tell(TIMES, ['up']);
    const gone = { instances: null, isExpectedThere: false };
    expect(reactToSight(TIMES, state, gone, 99_999).happenings).toEqual(['down']);
  });

  test('another service is expected: its coming is enough', () => {
    const times = { ...TIMES, expect: { service: 'standby', withinMs: 300 } };
    const down = reactToSight(times, NEVER_SEEN, { instances: null, isExpectedThere: false }, 0);
    expect(nextDeadline(down.state)).toBe(300);
    const met = reactToSight(times, down.state, { instances: null, isExpectedThere: true }, 100);
    expect([met.happenings, nextDeadline(met.state)]).toEqual([[], null]);
    const back = reactToSight(times, down.state, { instances: 'x', isExpectedThere: false }, 100);
    expect(reactToTime(times, back.state, 400).happenings).toEqual(['missing', 'well']);
  });
});

const step = fc.oneof(fc.constantFrom('up', 'up:b', 'down'), fc.integer({ min: 1, max: 400 }));
const times = fc.record({
  downAfterMs: fc.constantFrom(0, 30),
  expect: fc.constantFrom(null, TIMES.expect),
  watchForMs: fc.constantFrom(null, 120),
});

test('whatever happens: down and up take turns, and each promise of one is kept at most once', () => {
  fc.assert(
    fc.property(times, fc.array(step, { maxLength: 40 }), (given, story) => {
      const said = tell(given, story).said.map((line) => line.split(' ')[1] as Happening);
      let isUp: boolean | null = null;
      let open = new Set<Happening>();
      for (const [at, happening] of said.entries()) {
        if (happening === 'down') expect(isUp).not.toBe(false);
        if (happening === 'down') open = new Set(given.expect === null ? [] : ['missing']);
        if (happening === 'up') open = new Set(given.watchForMs === null ? [] : ['well']);
        if (happening === 'relapse') expect(said[at - 1]).toBe('down');
        if (happening === 'missing' || happening === 'well') expect(open.delete(happening)).toBe(true);
        if (happening === 'down' || happening === 'up') isUp = happening === 'up';
      }
    }),
    { numRuns: 300 },
  );
});

test('a restart at any moment changes nothing: the state is all there is', () => {
  fc.assert(
    fc.property(times, fc.array(step, { maxLength: 20 }), fc.nat(20), (given, story, cut) => {
      const whole = tell(given, story).state;
      const first = tell(given, story.slice(0, cut)).state;
      const kept = JSON.parse(JSON.stringify(first)) as ReactionState;
      expect(kept).toEqual(first);
      expect(tell(given, story).state).toEqual(whole);
    }),
    { numRuns: 50 },
  );
});

test('queueAct() drops what a newer state makes needless, and no news', () => {
  const act = (happening: Happening): ReactionAct => ({ happening, atMs: 0, instances: [] });
  const queue = (...happenings: Happening[]): Happening[] =>
    happenings
      .map((one) => act(one))
      .reduce<readonly ReactionAct[]>((waiting, one) => queueAct(waiting, one), [])
      .map(({ happening }) => happening);
  expect(queue('down', 'up')).toEqual(['up']);
  expect(queue('up', 'down', 'relapse')).toEqual(['down', 'relapse']);
  expect(queue('down', 'missing', 'up', 'well', 'down')).toEqual(['missing', 'well', 'down']);
});
