import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  aheadOf,
  asked,
  freed,
  granted,
  NO_SLOTS,
  parseSlots,
  placesOf,
  runs,
  type SlotRecord,
} from './slot-record.ts';

const since = '2026-01-01T00:00:00.000Z';
const node = (name: string, most = '2') => ({ node: name, most, limitMs: null });
const everyone = (): boolean => true;
const of = (...names: string[]): SlotRecord => names.reduce((slots, one) => asked(slots, node(one)), NO_SLOTS);
const holders = ({ holders: all }: SlotRecord): string[] => all.map((one) => one.node);
const queue = ({ queue: all }: SlotRecord): string[] => all.map((one) => one.node);

test.each([
  ['5', 3, 5],
  ['10%', 50, 5],
  ['10%', 9, 1],
  ['100%', 7, 7],
  ['0', 9, null],
  ['0%', 9, null],
  ['101%', 9, null],
  ['-1', 9, null],
  ['many', 9, null],
  ['', 9, null],
])('placesOf(%j, %d) is %j', (most, nodes, expected) => {
  expect(placesOf(most, nodes)).toBe(expected);
});

describe('places', () => {
  test('are given in the order in which nodes asked', () => {
    const slots = granted(of('a', 'b', 'c', 'd'), 10, everyone, since);
    expect([holders(slots), queue(slots)]).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(['a', 'c', 'd', 'x'].map((one) => aheadOf(slots, one))).toEqual([2, 0, 1, 2]);
    expect(holders(granted(freed(slots, 'a'), 10, everyone, since))).toEqual(['b', 'c']);
  });

  test('are asked for once, however often', () => {
    const slots = of('a', 'b');
    expect(asked(slots, node('a'))).toBe(slots);
    const held = granted(slots, 10, everyone, since);
    expect(asked(held, node('a'))).toBe(held);
    expect(granted(held, 10, everyone, since)).toBe(held);
  });

  test('are not for nodes that are not there: they lose their turn', () => {
    const slots = granted(of('a', 'b', 'c'), 10, (one) => one !== 'a', since);
    expect([holders(slots), queue(slots)]).toEqual([['b', 'c'], []]);
  });

  test('are as many as the smallest number that anybody of the group was told', () => {
    const slots = asked(asked(NO_SLOTS, node('a', '3')), node('b', '1'));
    expect(holders(granted(slots, 10, everyone, since))).toEqual(['a']);
  });

  test('count whoever runs, also without having been granted one', () => {
    const slots = runs(granted(of('a', 'b', 'c'), 10, everyone, since), node('c'), since);
    expect([holders(slots), queue(slots)]).toEqual([['a', 'b', 'c'], []]);
    expect(holders(granted(asked(freed(slots, 'a'), node('d')), 10, everyone, since))).toEqual(['b', 'c']);
  });

  test('of a queue that is full are asked for again', () => {
    const full: SlotRecord = { holders: [], queue: Array.from({ length: 1_000 }, (_, at) => node(`n${at}`)) };
    expect(asked(full, node('x'))).toBe(full);
    expect(aheadOf(full, 'x')).toBe(1_000);
  });

  test('are read back as they were written', () => {
    const slots = granted(of('a', 'b', 'c'), 10, everyone, since);
    expect(parseSlots(JSON.stringify(slots))).toEqual(slots);
    expect(() => parseSlots('{"holders":1}')).toThrow('holders');
  });
});

test('whatever happens, no more than the limit hold a place, and whoever waits gets one in the end', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const step = fc.record({ node: name, act: fc.constantFrom<'ask' | 'free'>('ask', 'free') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (steps, most) => {
      let slots = NO_SLOTS;
      for (const { node: one, act } of steps) {
        slots = act === 'ask' ? asked(slots, node(one, String(most))) : freed(slots, one);
        slots = granted(slots, 6, everyone, since);
        expect(slots.holders.length).toBeLessThanOrEqual(most);
        expect(slots.queue.length === 0 || slots.holders.length === most).toBe(true);
        expect(new Set([...holders(slots), ...queue(slots)]).size).toBe(slots.holders.length + slots.queue.length);
      }
      for (let left = 12; left > 0 && slots.queue.length > 0; left--)
        slots = granted(freed(slots, holders(slots)[0] as string), 6, everyone, since);
      expect(slots.queue).toEqual([]);
    }),
  );
});
