import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOTHING_OBSERVED, observe, restingMembers, withRests } from './observation.ts';
import type { Observation } from './observation.ts';
import type { ServerStatistics } from './statistics.ts';
import { testFrontend, testMember } from './testing.ts';
import { wantedBackend } from './wanted.ts';

const row = (name: string, total: number, failures: number): ServerStatistics => ({
  backend: 'api',
  name,
  sessions: 0,
  total,
  failures,
});
const sizes = (size: number): ReadonlyMap<string, number> => new Map([['api', size]]);

/** Looks at a second’s interval; each look has rows of [attempts, failures] of members a, b, c… */
function look(looks: readonly (readonly (readonly [number, number])[])[], size: number): Observation {
  return looks.reduce<Observation>(
    (seen, rows, at) =>
      observe(
        seen,
        rows.map(([total, failures], member) => row('abcd'[member] as string, total, failures)),
        { nowMs: at * 1_000, sizes: sizes(size) },
      ),
    NOTHING_OBSERVED,
  );
}

describe('observe()', () => {
  const cases: readonly [string, readonly (readonly (readonly [number, number])[])[], number, readonly string[]][] = [
    [
      'one to which all attempts failed rests',
      [
        [
          [0, 0],
          [0, 0],
        ],
        [
          [5, 5],
          [5, 0],
        ],
      ],
      2,
      ['api a'],
    ],
    [
      'one success is enough',
      [
        [
          [0, 0],
          [0, 0],
        ],
        [
          [5, 4],
          [5, 0],
        ],
      ],
      2,
      [],
    ],
    [
      'two attempts say nothing',
      [
        [
          [0, 0],
          [0, 0],
        ],
        [
          [2, 2],
          [5, 0],
        ],
      ],
      2,
      [],
    ],
    [
      'the first look says nothing',
      [
        [
          [5, 5],
          [5, 0],
        ],
      ],
      2,
      [],
    ],
    [
      'counters of a new worker say nothing',
      [
        [
          [9, 0],
          [9, 0],
        ],
        [
          [5, 5],
          [5, 0],
        ],
      ],
      2,
      [],
    ],
    ['one alone never rests', [[[0, 0]], [[9, 9]]], 1, []],
    [
      'no more than half rest',
      [
        [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        [
          [9, 9],
          [9, 9],
          [9, 9],
        ],
      ],
      3,
      ['api a'],
    ],
  ];
  for (const [name, looks, size, resting] of cases) {
    it(name, () => expect([...restingMembers(look(looks, size), looks.length * 1_000)]).toEqual(resting));
  }

  it('rests double from 5 s while every trial fails, and begin anew after a success', () => {
    let seen = look(
      [
        [
          [0, 0],
          [0, 0],
        ],
        [
          [3, 3],
          [3, 0],
        ],
      ],
      2,
    );
    expect(restingMembers(seen, 5_999).size).toBe(1);
    expect(restingMembers(seen, 6_000).size).toBe(0);
    const next = (nowMs: number, total: number, failures: number): void => {
      seen = observe(seen, [row('a', total, failures), row('b', 9, 0)], { nowMs, sizes: sizes(2) });
    };
    next(7_000, 6, 6);
    expect(restingMembers(seen, 16_999).size).toBe(1);
    expect(restingMembers(seen, 17_000).size).toBe(0);
    next(18_000, 9, 6);
    next(19_000, 12, 9);
    expect(restingMembers(seen, 23_999).size).toBe(1);
    expect(restingMembers(seen, 24_000).size).toBe(0);
  });

  it('never lets more than half of a backend rest, whatever the counters say', () => {
    const counters = fc.tuple(fc.nat(9), fc.nat(9));
    const rows = fc.array(counters, { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(rows, { maxLength: 10 }), fc.integer({ min: 0, max: 4 }), (looks, size) => {
        expect(restingMembers(look(looks, size), looks.length * 1_000).size).toBeLessThanOrEqual(size / 2);
      }),
    );
  });
});

describe('withRests()', () => {
  it('takes traffic from those that rest, and from their namesakes in no other backend', () => {
    const backend = wantedBackend(testFrontend([testMember('n/a'), testMember('n/b')]));
    expect(withRests(backend, new Set(['api n/a', 'www n/b'])).servers.map((server) => server.weight)).toEqual([
      0, 100,
    ]);
  });
});
