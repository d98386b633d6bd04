import { describe, expect, test } from 'vitest';
import { ChangeLog, consumerKey, LOG_LIMITS } from './change-log.ts';
import type { LoggedChange } from './change-log.ts';

function change(revision: number, consumers = 0, appliedAtMs = 0): LoggedChange {
  const ids = Array.from({ length: consumers }, (_one, at) => ({ node: `n${at}`, kind: 'balancer' as const }));
  const interested = new Map(ids.map((one) => [consumerKey(one), one]));
  return {
    revision,
    atMs: 0,
    appliedAtMs,
    summary: [],
    interested,
    missing: new Map(interested),
    unsure: new Set(),
    arrivals: new Map(),
  };
}

const revisions = (changes: readonly LoggedChange[]): number[] => changes.map((one) => one.revision);

describe('ChangeLog', () => {
  test('ChangeLog.memory() knows every revision since the start, also those without a change', () => {
    const log = new ChangeLog(10);
    log.add(change(12));
    log.add(change(15));
    const memory = [10, 11, 12, 14, 15, 16].map((one) => log.memory(one));
    expect(memory).toEqual(['forgotten', 'known', 'known', 'known', 'known', 'coming']);
    expect([log.oldest, log.newest]).toEqual([11, 15]);
  });

  test.each([
    ['too many', { ...LOG_LIMITS, maxChanges: 2 }],
    ['too old', { ...LOG_LIMITS, maxAgeMs: 15 }],
    ['too many consumers', { ...LOG_LIMITS, maxConsumers: 4 }],
  ])('ChangeLog.add() lets go of the first when there are %s', (_name, limits) => {
    const log = new ChangeLog(0, limits);
    expect([1, 2, 3].flatMap((one) => revisions(log.add(change(one, 2, one * 10))))).toEqual([1]);
    expect([1, 2, 3].map((one) => log.memory(one))).toEqual(['forgotten', 'known', 'known']);
  });

  test('ChangeLog.add() keeps the latest change however big it is', () => {
    const log = new ChangeLog(0, { ...LOG_LIMITS, maxConsumers: 1 });
    log.add(change(1, 5));
    expect(log.get(1)?.revision).toBe(1);
  });

  test('ChangeLog.add() knows the last ones in their order, however many came before', () => {
    const log = new ChangeLog(0, { ...LOG_LIMITS, maxChanges: 100 });
    const dropped = Array.from({ length: 1_000 }, (_one, at) => revisions(log.add(change(at + 1)))).flat();
    expect(dropped).toEqual(Array.from({ length: 900 }, (_one, at) => at + 1));
    expect([log.oldest, log.get(900), log.get(901)?.revision]).toEqual([901, undefined, 901]);
    expect(revisions(log.after(0))).toEqual(Array.from({ length: 100 }, (_one, at) => at + 901));
    expect(revisions(log.latest(2))).toEqual([1_000, 999]);
    expect(log.latest(5_000)).toHaveLength(100);
  });

  test('ChangeLog.after() and latest() give changes in their order', () => {
    const log = new ChangeLog(0);
    for (const one of [1, 3, 5]) log.add(change(one));
    expect(revisions(log.after(1))).toEqual([3, 5]);
    expect(revisions(log.latest(2))).toEqual([5, 3]);
    expect(revisions(log.latest(0))).toEqual([]);
  });
});
