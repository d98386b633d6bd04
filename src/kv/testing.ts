import { FakeClock } from '../lib/index.ts';
import { Catalog, StoreFeed } from '../registry/index.ts';
import { nodeRecordOf } from '../registry/testing.ts';
import { MemoryStore, type Store } from '../store/index.ts';
import { Kv } from './kv.ts';
import { KvWrites } from './kv-writes.ts';
import { SessionWrites } from './session-writes.ts';
import type { SessionWritesOptions } from './session-writes.ts';
import { Sessions } from './sessions.ts';
import { Transactions } from './transactions.ts';
import type { KvOp } from './txn-op.ts';

/** One server's keys, sessions and transactions. */
export interface TestKv extends AsyncDisposable {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly feed: StoreFeed;
  readonly kv: Kv;
  readonly sessions: Sessions;
  readonly writes: KvWrites;
  readonly sessionWrites: SessionWrites;
  readonly transactions: Transactions;
  /** What was reported; tests expect it to be empty. */
  readonly errors: readonly unknown[];
}

export interface TestKvOptions extends Partial<
  Pick<SessionWritesOptions, 'withSession' | 'newId' | 'ttlMinMs' | 'duty' | 'isKnown'>
> {
  /** A store in memory with the node `n1` unless told; one that is given is not closed. */
  readonly store?: Store;
  readonly clock?: FakeClock;
  readonly history?: boolean;
}

/** Starts a server over a store in memory; several over one store are several servers. */
export async function startTestKv(options: TestKvOptions = {}): Promise<TestKv> {
  await using stack = new AsyncDisposableStack();
  const clock = options.clock ?? new FakeClock();
  const store = options.store ?? stack.use(await startTestStore(clock));
  const errors: unknown[] = [];
  const report = (error: unknown): void => void errors.push(error);
  const [catalog, kv, sessions] = [
    new Catalog({ region: 'aws', report }),
    new Kv({ report }),
    new Sessions({ clock, report }),
  ];
  const feed = stack.use(await StoreFeed.start({ store, projections: [catalog, kv, sessions], clock, report }));
  const parts = { ...options, feed, kv, sessions, catalog, clock, report };
  const sessionWrites = stack.use(await SessionWrites.start(parts));
  const running = stack.move();
  return {
    store,
    clock,
    feed,
    kv,
    sessions,
    writes: new KvWrites(parts),
    sessionWrites,
    transactions: new Transactions(parts),
    errors,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A store in memory with the node `n1`. */
export async function startTestStore(clock: FakeClock): Promise<MemoryStore> {
  const store = await MemoryStore.start({ clock, base: 1 });
  const value = JSON.stringify({ ...nodeRecordOf({ name: 'n1' }), external: false });
  await store.commit({ compares: [], writes: [{ type: 'put', key: 'node/n1', value }] });
  return store;
}

/** A `KV` operation of which only the verb and the key must be said. */
export function kvOp(
  verb: string,
  key: string,
  rest: Partial<Omit<KvOp, 'value'>> & { readonly value?: string } = {},
): KvOp {
  const { value = '', ...others } = rest;
  return { type: 'kv', verb, key, flags: '0', index: 0, session: '', ...others, value: Buffer.from(value) };
}
