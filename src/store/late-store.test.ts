import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import type { Store } from './contract.ts';
import { storeNewerLayout, storeNoLeader } from './errors.ts';
import { LateStore } from './late-store.ts';
import { MemoryStore } from './memory/memory-store.ts';

interface World {
  readonly clock: FakeClock;
  readonly said: string[];
  isAway: boolean;
  failure: Error | null;
  start(mayBegin: boolean, signal?: AbortSignal): Promise<Store>;
}

function world(): World {
  const clock = new FakeClock();
  const said: string[] = [];
  const one: World = {
    clock,
    said,
    isAway: true,
    failure: null,
    start: (mayBegin, signal) =>
      LateStore.start({
        open: async () => {
          if (one.failure !== null) throw one.failure;
          if (one.isAway) throw storeNoLeader('nobody is there');
          return MemoryStore.start({ clock });
        },
        clock,
        report: (why) => said.push(why),
        lastContactMs: () => 5_000,
        mayBegin: () => Promise.resolve(mayBegin),
        ...(signal === undefined ? {} : { signal }),
      }),
  };
  return one;
}

const KEY = { start: 'a', end: 'b' };

describe('LateStore', () => {
  test('start() gives the store itself where it can be opened', async () => {
    const one = world();
    one.isAway = false;
    await using store = await one.start(true);
    expect(store).toBeInstanceOf(MemoryStore);
  });

  test('start() waits for one that is away, and says so once', async () => {
    const one = world();
    const starting = one.start(false);
    await one.clock.advance(10_000);
    one.isAway = false;
    await one.clock.advance(1_000);
    await using store = await starting;
    expect(store).toBeInstanceOf(MemoryStore);
    expect(one.said).toEqual([expect.stringContaining('nobody is there')]);
  });

  test('start() ends waiting when it is told to', async () => {
    const one = world();
    const stop = new AbortController();
    const starting = one.start(false, stop.signal).catch((error: unknown) => error);
    await one.clock.advance(2_000);
    stop.abort(new Error('stopped'));
    expect(await starting).toMatchObject({ message: 'stopped' });
  });

  test('start() throws what is not for the store to mend', async () => {
    const one = world();
    one.failure = storeNewerLayout(9, 1);
    await expect(one.start(true)).rejects.toMatchObject({ code: 'STORE_NEWER_LAYOUT' });
  });

  test('a store that may begin later takes no writes until then, and watches begin when it is there', async () => {
    const one = world();
    await using store = await one.start(true);
    expect(store.status()).toMatchObject({ leaderKnown: false, lastContactMs: 5_000 });
    await expect(store.read(KEY)).rejects.toMatchObject({ code: 'STORE_NO_LEADER' });
    await expect(store.commit({ compares: [], writes: [] })).rejects.toMatchObject({ code: 'STORE_NO_LEADER' });
    await expect(store.lease(1_000)).rejects.toMatchObject({ code: 'STORE_NO_LEADER' });
    const stop = new AbortController();
    const seen: number[] = [];
    const watching = (async () => {
      for await (const { revision } of store.watch(KEY, 0, stop.signal)) seen.push(revision);
    })();
    one.isAway = false;
    await one.clock.advance(1_000);
    expect(store.status()).toMatchObject({ engine: 'memory', leaderKnown: true });
    await store.commit({ compares: [], writes: [{ type: 'put', key: 'a', value: '1' }] });
    await one.clock.advance(0);
    expect(seen).toEqual([1]);
    stop.abort();
    await watching;
  });

  test('disposing ends it, and what waits for it', async () => {
    const one = world();
    const store = await one.start(true);
    const stop = new AbortController();
    const watch = store.watch(KEY, 0, stop.signal)[Symbol.asyncIterator]().next();
    watch.catch(() => undefined);
    await store[Symbol.asyncDispose]();
    await expect(watch).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(store.read(KEY)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    expect(one.clock.pending).toBe(0);
  });
});
