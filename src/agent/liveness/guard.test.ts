import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crowdLimit, endOfAlarm, sayCrowd, weighCrowd, type Crowd } from './guard.ts';

const crowd = (more: Partial<Crowd>): Crowd => ({
  total: 100,
  vanished: 20,
  instances: 100,
  refused: 0,
  silent: 0,
  isWeighed: true,
  ...more,
});

describe('weighCrowd()', () => {
  test.each<[string, Partial<Crowd>, string]>([
    ['few vanish', { vanished: 15 }, 'calm'],
    ['three of three vanish', { total: 3, vanished: 3 }, 'calm'],
    ['four of four vanish without evidence', { total: 4, vanished: 4 }, 'hold'],
    ['many vanish and nothing is confirmed', {}, 'hold'],
    ['not all were probed', { isWeighed: false }, 'weigh'],
    ['half of the instances refuse', { refused: 50 }, 'calm'],
    ['half of the instances are dead one way or the other', { refused: 20, silent: 30 }, 'calm'],
    ['fewer than half are', { refused: 20, silent: 29 }, 'hold'],
    [
      'most nodes vanish and are silent: who looks may be the one that is cut off',
      { vanished: 51, silent: 100 },
      'hold',
    ],
    ['most nodes vanish, and half of the instances refuse', { vanished: 51, refused: 50 }, 'calm'],
    ['they have no instances that could confirm anything', { instances: 0 }, 'hold'],
  ])('when %s', (_when, more, expected) => {
    expect(weighCrowd(crowd(more))).toBe(expected);
  });
});

describe('endOfAlarm()', () => {
  test.each<[string, Partial<Crowd>, number, string | null]>([
    ['it stands', {}, 599_999, null],
    ['its time is up', {}, 600_000, 'expired'],
    ['nodes are back', { vanished: 15 }, 5_000, 'back'],
    ['probes confirm it', { refused: 50 }, 5_000, 'confirmed'],
    ['few have been noticed so far', { vanished: 15 }, 4_999, null],
    ['few have been noticed so far, and those refuse', { vanished: 16, refused: 50 }, 4_999, null],
    ['few have been noticed when its time is up', { vanished: 15 }, 600_000, 'expired'],
  ])('when %s', (_when, more, ageMs, expected) => {
    expect(endOfAlarm({ ageMs, forMs: 600_000 }, crowd(more))).toBe(expected);
  });
});

const crowds: fc.Arbitrary<Crowd> = fc
  .record({
    total: fc.nat(1_000),
    vanished: fc.nat(1_000),
    refused: fc.nat(500),
    silent: fc.nat(500),
    rest: fc.nat(500),
  })
  .map(({ total, vanished, refused, silent, rest }) => ({
    total: Math.max(total, vanished),
    vanished,
    instances: refused + silent + rest,
    refused,
    silent,
    isWeighed: true,
  }));

describe('the guard', () => {
  test('never believes that most nodes are gone when fewer than half of their instances refuse', () => {
    fc.assert(
      fc.property(crowds, (one) => {
        fc.pre(one.vanished * 2 > one.total && one.vanished > 3 && one.refused * 2 < Math.max(1, one.instances));
        expect(weighCrowd(one)).toBe('hold');
      }),
    );
  });

  test('an alarm always ends, and none is raised that would end at once', () => {
    fc.assert(
      fc.property(crowds, fc.nat(1_000_000), (one, forMs) => {
        expect(endOfAlarm({ ageMs: forMs, forMs }, one)).not.toBeNull();
        if (weighCrowd(one) === 'hold') expect(endOfAlarm({ ageMs: 0, forMs: forMs + 1 }, one)).toBeNull();
      }),
    );
  });
});

test('crowdLimit() is 15 % of all, and never less than three', () => {
  expect([0, 3, 20, 100].map(crowdLimit)).toEqual([3, 3, 3, 15]);
});

test('sayCrowd() says what is known of them', () => {
  expect(sayCrowd(crowd({ refused: 3, silent: 4 }))).toBe(
    '20 of 100 nodes vanished; of their 100 instances 3 refuse and 4 are silent',
  );
});
