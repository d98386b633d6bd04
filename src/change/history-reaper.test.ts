import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { historyKey, historyPut, historyRange, MemoryStore } from '../store/index.ts';
import { HistoryReaper } from './history-reaper.ts';

const DAY = 86_400_000;

async function fill(store: MemoryStore, clock: FakeClock, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const at = new Date(clock.wall()).toISOString();
    const record = { kind: 'kv', subject: `k${n}`, author: 'a', at, before: null, beforeRevision: 0 } as const;
    await store.commit({ compares: [], writes: [historyPut(record, store.status().revision)] });
  }
}

async function left(store: MemoryStore): Promise<string[]> {
  const { entries } = await store.read(historyRange());
  return entries.toSorted((a, b) => a.createRevision - b.createRevision).map(({ key }) => historyKey(key).subject);
}

describe('HistoryReaper', () => {
  test('HistoryReaper.reap() lets go of what is too old, the oldest first', async () => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock });
    await using reaper = await HistoryReaper.start({ store, keepMs: DAY, clock });
    await fill(store, clock, 3);
    await clock.advance(DAY / 2);
    await fill(store, clock, 5);
    expect(await reaper.reap()).toBe(0);
    await clock.advance(DAY / 2);
    await reaper.reap();
    expect(await left(store)).toHaveLength(5);
  });

  test('HistoryReaper.reap() lets go of what is too much, in transactions that the store takes', async () => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock });
    await using reaper = await HistoryReaper.start({ store, keepMs: DAY, maxRecords: 10, clock });
    await fill(store, clock, 400);
    expect(await reaper.reap()).toBe(390);
    expect(await left(store)).toEqual(Array.from({ length: 10 }, (_, n) => `k${390 + n}`));
  });

  test('HistoryReaper.reap() lets go of what is too large together, the oldest first', async () => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock });
    await fill(store, clock, 10);
    const { entries } = await store.read(historyRange());
    const sizes = entries.map(({ key, value }) => key.length + value.length);
    const maxSize = 4 * Math.max(...sizes);
    await using reaper = await HistoryReaper.start({ store, keepMs: DAY, maxSize, clock });
    expect(await reaper.reap()).toBe(6);
    expect(await left(store)).toEqual(['k6', 'k7', 'k8', 'k9']);
    expect(await reaper.reap()).toBe(0);
  });

  test('HistoryReaper reaps by itself, all where none is kept, and goes on after a failure', async () => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock });
    const errors: unknown[] = [];
    let isFailing = true;
    let alongside = 0;
    const failing = {
      read: (...args: Parameters<MemoryStore['read']>) => {
        if (isFailing) throw new Error('no store');
        return store.read(...args);
      },
      commit: (...args: Parameters<MemoryStore['commit']>) => store.commit(...args),
    };
    await using _reaper = await HistoryReaper.start({
      store: failing,
      keepMs: 0,
      clock,
      alongside: () => Promise.resolve(alongside++),
      report: (error) => errors.push(error),
    });
    await fill(store, clock, 3);
    await clock.advance(300_000);
    expect([errors.length, alongside, (await left(store)).length]).toEqual([1, 0, 3]);
    isFailing = false;
    await clock.advance(300_000);
    await clock.advance(1);
    expect([await left(store), alongside]).toEqual([[], 1]);
  });
});
