import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applied, checkLinearizable, type Held, type Operation } from '../cluster/linearizable.ts';

type Row = readonly [
  kind: 'read' | 'write' | 'swap',
  startMs: number,
  endMs: number,
  ...values: readonly (Held | boolean)[],
];

function history(...rows: readonly Row[]): Operation[] {
  return rows.map(([kind, startMs, endMs, first, second, done], index) => {
    const timed = { client: String(index), key: 'k', startMs, endMs };
    if (kind !== 'swap') return { ...timed, kind, value: first as Held };
    return { ...timed, kind, from: first as Held, to: second as Held, done: (done ?? null) as boolean | null };
  });
}

const GOOD: readonly [name: string, operations: Operation[]][] = [
  ['nothing happened', []],
  ['a key that nobody wrote is not there', history(['read', 0, 1, null])],
  ['a read follows a write', history(['write', 0, 1, 'a'], ['read', 2, 3, 'a'])],
  [
    'a read beside a write sees what was before',
    history(['write', 0, 9, 'a'], ['read', 2, 3, null], ['read', 4, 5, 'a']),
  ],
  [
    'two writes at a time end in either order',
    history(['write', 0, 5, 'a'], ['write', 0, 5, 'b'], ['read', 6, 7, 'a']),
  ],
  [
    'a swap that was not done saw something else',
    history(['write', 0, 1, 'a'], ['swap', 2, 3, 'x', 'b', false], ['read', 4, 5, 'a']),
  ],
  ['a chain of swaps', history(['swap', 0, 1, null, 'a', true], ['swap', 2, 3, 'a', 'b', true], ['read', 4, 5, 'b'])],
  ['an unknown write was never done', history(['write', 0, 1, 'a'], ['write', 2, Infinity, 'b'], ['read', 9, 10, 'a'])],
  [
    'an unknown write was done late',
    history(['write', 0, 1, 'a'], ['write', 2, Infinity, 'b'], ['read', 5, 6, 'a'], ['read', 9, 10, 'b']),
  ],
  ['an unknown swap was done', history(['swap', 0, Infinity, null, 'a'], ['swap', 5, 6, 'a', 'b', true])],
  ['what ends when another begins overlaps it', history(['write', 0, 5, 'a'], ['read', 5, 6, null])],
  ['a key that was taken away', history(['write', 0, 1, 'a'], ['swap', 2, 3, 'a', null, true], ['read', 4, 5, null])],
];

const BAD: readonly [name: string, operations: Operation[]][] = [
  ['a value that nobody wrote', history(['read', 0, 1, 'a'])],
  ['a read of what was overwritten', history(['write', 0, 1, 'a'], ['write', 2, 3, 'b'], ['read', 4, 5, 'a'])],
  ['an acknowledged write is lost', history(['write', 0, 1, 'a'], ['read', 2, 3, null])],
  ['reads go back', history(['write', 0, 9, 'a'], ['read', 1, 2, 'a'], ['read', 3, 4, null])],
  [
    'two swaps of one value are both done',
    history(['write', 0, 1, 'a'], ['swap', 2, 9, 'a', 'b', true], ['swap', 2, 9, 'a', 'c', true]),
  ],
  ['a swap was not done though its value was there', history(['write', 0, 1, 'a'], ['swap', 2, 3, 'a', 'b', false])],
  ['a swap was done though its value was not there', history(['write', 0, 1, 'a'], ['swap', 2, 3, 'b', 'c', true])],
  [
    'an unknown write was done, and undone',
    history(['write', 0, 1, 'a'], ['write', 2, Infinity, 'b'], ['read', 5, 6, 'b'], ['read', 7, 8, 'a']),
  ],
  [
    'two clients disagree about the order',
    history(['write', 0, 9, 'a'], ['write', 0, 9, 'b'], ['read', 10, 11, 'a'], ['read', 12, 13, 'b']),
  ],
];

describe('checkLinearizable()', () => {
  test.each(GOOD)('finds nothing when %s', (_, operations) => {
    expect(checkLinearizable(operations)).toMatchObject({
      violations: [],
      undecided: [],
      operations: operations.length,
    });
  });

  test.each(BAD)('refuses when %s', (_, operations) => {
    const [violation] = checkLinearizable(operations).violations;
    expect(violation?.key).toBe('k');
    expect(operations).toContain(violation?.stuck);
  });

  test('judges each key alone', () => {
    const [read] = history(['read', 4, 5, null]);
    const other = { ...(read as Operation), key: 'other' };
    expect(checkLinearizable([...history(['write', 0, 1, 'a']), other])).toMatchObject({ violations: [], keys: 2 });
  });

  test('says undecided when there are more orders than it may look at', () => {
    const writes = Array.from({ length: 12 }, (_, index): Row => ['write', 0, 100, `w${index}`]);
    const both = history(...writes, ['read', 101, 102, 'w1'], ['read', 103, 104, 'w2']);
    expect(checkLinearizable(both, 100)).toMatchObject({ violations: [], undecided: ['k'] });
  });

  test('is quick when a long history has few operations at a time', () => {
    const rows = Array.from({ length: 4_000 }, (_, index): Row => {
      return index % 2 === 0
        ? ['write', index * 2, index * 2 + 5, `w${index}`]
        : ['read', index * 2, index * 2 + 1, `w${index - 1}`];
    });
    const begun = performance.now();
    expect(checkLinearizable(history(...rows)).violations).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

interface Seeded {
  readonly kind: 'read' | 'write' | 'swap' | 'delete';
  readonly key: number;
  readonly before: number;
  readonly after: number;
  readonly isUnknown: boolean;
  readonly misses: boolean;
}

const seeded = fc.record<Seeded>({
  kind: fc.constantFrom('read', 'read', 'write', 'swap', 'delete'),
  key: fc.integer({ min: 0, max: 1 }),
  before: fc.integer({ min: 0, max: 25 }),
  after: fc.integer({ min: 0, max: 25 }),
  isUnknown: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
  misses: fc.boolean(),
});

/** Operations one after the other, each with what it gave; their times stretched around the moment at which they happened. */
function sequential(seeds: readonly Seeded[]): Operation[] {
  const held = new Map<number, Held>();
  return seeds.map((seed, index) => {
    const now = held.get(seed.key) ?? null;
    const operation = operationOf(seed, index, now);
    held.set(seed.key, applied(now, operation) as Held);
    return operation;
  });
}

function operationOf({ kind, key, before, after, isUnknown, misses }: Seeded, index: number, now: Held): Operation {
  const at = (index + 1) * 10;
  const timed = { client: String(index), key: String(key), startMs: at - before, endMs: at + after };
  const unknown = { ...timed, endMs: isUnknown ? Infinity : timed.endMs };
  if (kind === 'read') return { ...timed, kind, value: now };
  if (kind === 'write') return { ...unknown, kind, value: `w${index}` };
  const from = misses ? `nobody${index}` : now;
  const to = kind === 'delete' ? null : `w${index}`;
  return { ...unknown, kind: 'swap', from, to, done: isUnknown ? null : !misses };
}

describe('checkLinearizable() with random histories', () => {
  const histories = fc.array(seeded, { minLength: 1, maxLength: 60 });

  test('finds nothing when every operation happened at some time within its bounds', () => {
    const property = fc.property(histories, (seeds) => {
      expect(checkLinearizable(sequential(seeds))).toMatchObject({ violations: [], undecided: [] });
    });
    fc.assert(property, { numRuns: 200 });
  });

  test('refuses when a read gives what was overwritten before it began', () => {
    const property = fc.property(histories, fc.nat(), (seeds, place) => {
      const whole = sequential(seeds);
      const { endMs } = whole.reduce((a, b) => (b.endMs !== Infinity && b.endMs > a.endMs ? b : a), {
        endMs: 0,
      } as Operation);
      const [a, b, later] = [endMs + 10 + (place % 7), endMs + 30, endMs + 60];
      const planted: Operation[] = [
        { client: 'a', key: '0', startMs: a, endMs: a + 5, kind: 'write', value: 'old' },
        { client: 'a', key: '0', startMs: b, endMs: b + 5, kind: 'write', value: 'new' },
        { client: 'b', key: '0', startMs: later, endMs: later + 5, kind: 'read', value: 'old' },
      ];
      expect(checkLinearizable([...whole, ...planted]).violations.map(({ key }) => key)).toEqual(['0']);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test('refuses when two swaps of one value were done: an update is lost', () => {
    const property = fc.property(histories, fc.nat(), (seeds, which) => {
      const whole = sequential(seeds);
      const done = whole.filter((one) => one.kind === 'swap' && one.done === true && one.from !== null);
      const chosen = done[which % Math.max(done.length, 1)];
      fc.pre(chosen !== undefined);
      const again = {
        ...(chosen as Operation & { kind: 'swap' }),
        client: 'again',
        to: 'lost',
        endMs: chosen.endMs + 7,
      };
      expect(checkLinearizable([...whole, again]).violations).toHaveLength(1);
    });
    fc.assert(property, { numRuns: 100 });
  });
});
