import { expect, test } from 'vitest';
import { Catalog, StoreFeed } from '../registry/index.ts';
import { MemoryStore, type Batch, type Store } from '../store/index.ts';
import { Kv, KvWrites, Sessions, Transactions } from './index.ts';

/** Two servers over one store; the second hears nothing until `catchUp` is called. */
async function twoServers(stack: AsyncDisposableStack) {
  const store = stack.use(await MemoryStore.start());
  const gate = Promise.withResolvers<void>();
  const first = await server(store, stack);
  const second = await server(lagging(store, gate.promise), stack);
  return { first, second, catchUp: gate.resolve };
}

function lagging(store: Store, gate: Promise<void>): Store {
  async function* held(batches: AsyncIterable<Batch>): AsyncIterable<Batch> {
    for await (const batch of batches) {
      await gate;
      yield batch;
    }
  }
  return {
    read: (range, options) => store.read(range, options),
    commit: (txn) => store.commit(txn),
    watch: (range, after, signal) => held(store.watch(range, after, signal)),
    lease: (ttlMs) => store.lease(ttlMs),
    compact: (before) => store.compact(before),
    restore: (entries, revision) => store.restore(entries, revision),
    status: () => store.status(),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function server(store: Store, stack: AsyncDisposableStack) {
  const [kv, sessions, catalog] = [new Kv(), new Sessions(), new Catalog({ region: 'aws' })];
  const feed = stack.use(await StoreFeed.start({ store, projections: [catalog, kv, sessions] }));
  const parts = { feed, kv, sessions, catalog, lags: true };
  return { kv, writes: new KvWrites(parts), transactions: new Transactions(parts) };
}

const value = (text: string): Buffer => Buffer.from(text);

test('put() with cas is not refused for what only this server has not heard of', async () => {
  await using stack = new AsyncDisposableStack();
  const { first, second, catchUp } = await twoServers(stack);
  const { revision } = await first.writes.put('k', value('one'));
  const swapped = second.writes.put('k', value('two'), { cas: revision });
  catchUp();
  expect((await swapped).ok).toBe(true);
});

test('put() with cas is refused for what is so in the store', async () => {
  await using stack = new AsyncDisposableStack();
  const { first, second, catchUp } = await twoServers(stack);
  await first.writes.put('k', value('one'));
  const swapped = second.writes.put('k', value('two'), { cas: 0 });
  catchUp();
  expect((await swapped).ok).toBe(false);
});

test('delete() takes what only this server has not heard of', async () => {
  await using stack = new AsyncDisposableStack();
  const { first, second, catchUp } = await twoServers(stack);
  await first.writes.put('k', value('one'));
  const deleted = second.writes.delete('k');
  catchUp();
  expect((await deleted).ok).toBe(true);
  expect(second.kv.get('k')).toBeUndefined();
});

test('run() of a transaction is not refused for what only this server has not heard of', async () => {
  await using stack = new AsyncDisposableStack();
  const { first, second, catchUp } = await twoServers(stack);
  const { revision } = await first.writes.put('k', value('one'));
  const run = second.transactions.run([
    { type: 'kv', verb: 'cas', key: 'k', value: value('two'), index: revision, flags: '0', session: '' },
  ]);
  catchUp();
  expect((await run).ok).toBe(true);
});
