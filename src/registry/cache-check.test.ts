import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { inRange, MemoryStore, storeCompacted } from '../store/index.ts';
import type { Batch, Difference, Store } from '../store/index.ts';
import { CacheCheck } from './cache-check.ts';
import { Catalog } from './catalog.ts';
import { nodeKey } from './keys.ts';
import { StoreFeed } from './store-feed.ts';
import { nodeRecordOf } from './testing.ts';

/** A store whose watch loses what a test says, and that can compare. */
function lossy(store: Store, loses: (batch: Batch) => boolean): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'watch')
        return async function* (...given: Parameters<Store['watch']>): AsyncGenerator<Batch> {
          for await (const batch of target.watch(...given)) if (!loses(batch)) yield batch;
        };
      if (name === 'difference')
        return async (...[held, range]: Parameters<NonNullable<Store['difference']>>): Promise<Difference[]> => {
          const known = new Map(held);
          const { entries } = await target.read(range);
          const stored = new Map(entries.map(({ key, modRevision }) => [key, modRevision]));
          return [...new Set([...known.keys(), ...stored.keys()])]
            .filter((key) => inRange(range, key) && known.get(key) !== stored.get(key))
            .map((key) => ({ key, held: known.get(key) ?? 0, stored: stored.get(key) ?? 0 }));
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function world(stack: AsyncDisposableStack) {
  const clock = new FakeClock();
  let isLosing = false;
  const memory = stack.use(await MemoryStore.start({ clock, base: 1 }));
  const store = lossy(memory, () => isLosing);
  const errors: unknown[] = [];
  const report = (error: unknown): number => errors.push(error);
  const catalog = new Catalog({ region: 'aws', report: () => undefined });
  const feed = stack.use(await StoreFeed.start({ store, projections: [catalog], clock, report }));
  const options = { feed, store, clock, random: () => 0.5, report };
  const put = (name: string, value = JSON.stringify(nodeRecordOf({ name }))) =>
    memory.commit({ compares: [], writes: [{ type: 'put', key: nodeKey(name), value }] });
  const lose = async (is: boolean): Promise<void> => {
    await clock.advance(0);
    isLosing = is;
  };
  return { clock, store, errors, catalog, feed, options, put, lose };
}

describe('CacheCheck', () => {
  test('check() finds nothing where all is as it should be', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, options, put, errors } = await world(stack);
    await put('n');
    await clock.advance(0);
    const check = stack.use(CacheCheck.start(options));
    expect([await check.check(), check.divergence, errors]).toEqual([0, 0, []]);
  });

  test.each([false, true])(
    'an event that was lost is counted, read again and told; written on since: %s',
    async (goesOn) => {
      await using stack = new AsyncDisposableStack();
      const { clock, options, put, errors, catalog, feed, lose } = await world(stack);
      await put('a');
      await lose(true);
      await put('lost');
      await lose(false);
      if (goesOn) await put('b');
      const check = stack.use(CacheCheck.start(options));
      const told: string[] = [];
      feed.onApplied(({ nodes }) => told.push(...nodes));
      await clock.advance(300_000);
      await clock.advance(1_000);
      expect(catalog.node('lost')).toBeDefined();
      expect([check.divergence, told.at(-1)]).toEqual([1, 'lost']);
      expect(errors).toMatchObject([{ code: 'REGISTRY_CACHE_DIVERGED' }]);
      await clock.advance(600_000);
      expect(check.divergence).toBe(1);
      await put('later');
      await clock.advance(0);
      expect(catalog.node('later')).toBeDefined();
    },
  );

  test('an entry that cannot be read is said once', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, options, put, errors } = await world(stack);
    await put('bad', '{');
    await clock.advance(0);
    const check = stack.use(CacheCheck.start(options));
    for (let round = 0; round < 5; round++) await clock.advance(300_000);
    expect([check.divergence, errors.length]).toEqual([1, 1]);
  });

  test('a revision that was compacted meanwhile is no matter, and another failure is told', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, options, errors } = await world(stack);
    let failure: Error = storeCompacted(1, 2);
    const store: Pick<Store, 'difference' | 'status'> = {
      difference: () => Promise.reject(failure),
      status: () => options.store.status(),
    };
    stack.use(CacheCheck.start({ ...options, store }));
    await clock.advance(300_000);
    expect(errors).toEqual([]);
    failure = new Error('no');
    await clock.advance(300_000);
    expect(errors).toEqual([failure]);
  });

  test('it ends with its server while the store cannot be read again', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, options, put, errors, lose } = await world(stack);
    await lose(true);
    await put('lost');
    await lose(false);
    const { feed } = options;
    const stuck = {
      revision: feed.revision,
      held: () => feed.held(),
      resync: () => new Promise<never>(() => undefined),
    };
    const check = CacheCheck.start({ ...options, feed: stuck });
    await clock.advance(300_000);
    expect(errors).toMatchObject([{ code: 'REGISTRY_CACHE_DIVERGED' }]);
    const ended = check[Symbol.asyncDispose]().then(() => 'ended');
    expect(await Promise.race([ended, clock.advance(60_000).then(() => 'hangs')])).toBe('ended');
    expect(errors).toHaveLength(1);
  });

  test('nothing is looked at over a store that loses nothing', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, options } = await world(stack);
    stack.use(CacheCheck.start({ ...options, store: { status: () => options.store.status() } }));
    expect(clock.pending).toBe(0);
  });
});
