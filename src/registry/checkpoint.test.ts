import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { MemoryStore, prefixRange, type Entry, type Store } from '../store/index.ts';
import { Checkpoint, type CheckpointOptions } from './checkpoint.ts';

let directory = '';
beforeEach(async () => {
  directory = path.join(await mkdtemp(path.join(tmpdir(), 'drover-checkpoint-')), 'checkpoint');
});
afterEach(() => rm(path.dirname(directory), { recursive: true, force: true }));

const put = (store: Store, key: string, value = 'v') =>
  store.commit({ compares: [], writes: [{ type: 'put', key, value }] });

async function everything(store: Store): Promise<Entry[]> {
  return (await store.read(prefixRange(''))).entries;
}

/** A mirror that is fed by the store's watch, as the feed does. */
async function mirrored(store: Store, clock: FakeClock, more: Partial<CheckpointOptions> = {}) {
  const errors: unknown[] = [];
  const report = (error: unknown): number => errors.push(error);
  const mirror = await Checkpoint.open({ directory, store, storeName: 'etcd://a', clock, report, ...more });
  const stop = new AbortController();
  let seen = store.status().revision;
  const following = (async () => {
    for await (const batch of store.watch(prefixRange(''), seen, stop.signal)) {
      mirror.append(batch);
      seen = batch.revision;
    }
  })();
  const caughtUp = async (): Promise<void> => {
    while (seen < store.status().revision) await clock.advance(0);
  };
  return {
    mirror,
    errors,
    caughtUp,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
      await mirror[Symbol.asyncDispose]();
    },
  };
}

const read = (storeName = 'etcd://a') => Checkpoint.read({ directory, storeName });

describe('Checkpoint', () => {
  test('what a store holds is known by its identity: a restored one gets a base of its own', async () => {
    const clock = new FakeClock();
    await using memory = await MemoryStore.start({ clock, base: 100 });
    await put(memory, 'a');
    let identity = 'c.1';
    const store = {
      read: memory.read.bind(memory),
      status: () => ({ ...memory.status(), identity }),
    };
    await using mirror = await Checkpoint.open({ directory, store, storeName: 'etcd://a', clock, report: () => {} });
    mirror.begin(memory.status().revision);
    await mirror.settled();
    expect(await read()).toMatchObject({ identity: 'c.1' });
    identity = 'c.7';
    await clock.advance(10_000);
    await vi.waitFor(async () => {
      await mirror.settled();
      expect(await read()).toMatchObject({ identity: 'c.7', entries: [{ key: 'a' }] });
    }, 10_000);
    await Checkpoint.drop(directory);
    expect(await read()).toBeNull();
  });

  test('read() has what was there at the beginning and every batch since, but history and duties', async () => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock, base: 100 });
    for (const key of ['a', 'hist/1', 'lead/x', 'z\u{ff}']) await put(store, key);
    await using one = await mirrored(store, clock, { pageKeys: 2 });
    one.mirror.begin(store.status().revision);
    await one.mirror.settled();
    await put(store, 'b', 'ü');
    await put(store, 'hist/2');
    await store.commit({ compares: [], writes: [{ type: 'delete', key: 'a' }] });
    await one.caughtUp();
    await one.mirror.flush();
    const state = await read();
    expect(state?.entries).toEqual((await everything(store)).filter(({ key }) => !/^(?:hist|lead)\//.test(key)));
    expect(state?.revision).toBe(store.status().revision);
    expect(state?.atMs).toBe(clock.wall());
    expect(one.errors).toEqual([]);
  });

  test('read() is null where there is nothing, of another store, and of a base that is not whole', async () => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock });
    expect(await read()).toBeNull();
    await put(store, 'a');
    await using one = await mirrored(store, clock);
    one.mirror.begin(1);
    await one.mirror.settled();
    expect(await read('etcd://b')).toBeNull();
    expect(await read()).not.toBeNull();
    const base = path.join(directory, 'base-1');
    const bytes = await readFile(base);
    await writeFile(base, bytes.subarray(0, -1));
    expect(await read()).toBeNull();
    await writeFile(base, Buffer.concat([bytes.subarray(0, 30), Buffer.from('x'), bytes.subarray(31)]));
    expect(await read()).toBeNull();
  });

  test('read() takes a log up to where it was cut off or damaged', async () => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock });
    await using one = await mirrored(store, clock);
    one.mirror.begin(0);
    await one.mirror.settled();
    for (const key of ['a', 'b', 'c']) {
      await put(store, key);
      await one.caughtUp();
      await one.mirror.flush();
    }
    const log = path.join(directory, 'log-1');
    const bytes = await readFile(log);
    await writeFile(log, bytes.subarray(0, -3));
    expect((await read())?.entries.map(({ key }) => key)).toEqual(['a', 'b']);
    await writeFile(log, bytes);
    await appendFile(log, Buffer.alloc(100, 7));
    expect((await read())?.entries.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  });

  test('it is written once a second, for its owner alone', async () => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock });
    await using one = await mirrored(store, clock);
    one.mirror.begin(0);
    await one.mirror.settled();
    await put(store, 'a');
    await one.caughtUp();
    expect((await read())?.entries).toEqual([]);
    await clock.advance(1_000);
    await one.mirror.flush();
    expect((await read())?.entries).toHaveLength(1);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(directory))
      expect((await stat(path.join(directory, name))).mode & 0o777).toBe(0o600);
  });

  test('a log that outgrew its base is replaced by a new base, and nothing is missed meanwhile', async () => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock });
    await using one = await mirrored(store, clock, { leastLogBytes: 2_000, pageKeys: 3 });
    one.mirror.begin(0);
    await one.mirror.settled();
    for (let round = 0; round < 40; round++) {
      await put(store, `k${round % 7}`, 'x'.repeat(100));
      await one.caughtUp();
      await one.mirror.flush();
    }
    await one.mirror.settled();
    expect((await read())?.entries).toEqual(await everything(store));
    const names = (await readdir(directory)).toSorted();
    expect(names).toHaveLength(2);
    expect(names[0]).not.toBe('base-1');
  });

  test('what cannot be written is reported, given up, and made anew later', async () => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock });
    await put(store, 'a');
    await using one = await mirrored(store, clock);
    await rm(directory, { recursive: true });
    one.mirror.begin(1);
    await one.mirror.settled();
    expect(one.errors).toHaveLength(1);
    await (
      await Checkpoint.open({ directory, store, storeName: 'etcd://a', clock, report: () => {} })
    )[Symbol.asyncDispose]();
    await clock.advance(60_000);
    await one.mirror.settled();
    expect((await read())?.entries).toHaveLength(1);
  });

  test('read() equals the store, whatever was written while its base was', async () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      isGone: fc.boolean(),
      flush: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.array(step, { maxLength: 12 }), async (before, after) => {
        await rm(directory, { recursive: true, force: true });
        const clock = new FakeClock();
        await using store = await MemoryStore.start({ clock });
        const write = ({ key, isGone }: { key: string; isGone: boolean }) =>
          isGone ? store.commit({ compares: [], writes: [{ type: 'delete', key }] }) : put(store, key);
        for (const one of before) await write(one);
        await using one = await mirrored(store, clock, { pageKeys: 1 });
        one.mirror.begin(store.status().revision);
        // Before its log is open.
        await put(store, 'early');
        await one.caughtUp();
        await one.mirror.flush();
        for (const each of after) {
          await write(each);
          if (each.flush) await one.mirror.flush();
        }
        await one.mirror.settled();
        await one.caughtUp();
        await one.mirror.flush();
        expect((await read())?.entries).toEqual(await everything(store));
      }),
      { numRuns: 15 },
    );
  });
});
