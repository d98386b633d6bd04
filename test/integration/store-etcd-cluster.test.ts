import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore, prefixRange } from '../../src/store/index.ts';
import type { Batch, Revision, Store } from '../../src/store/index.ts';
import { EtcdCluster } from '../cluster/etcd-cluster.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';

const ALL = prefixRange('');

/** Writes numbered keys until told to stop; knows which were acknowledged, and at which revision. */
class Writers {
  readonly acknowledged = new Map<string, Revision>();
  readonly refused: string[] = [];
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor(store: Store, count: number) {
    this.#running = Promise.all(Array.from({ length: count }, (_, writer) => this.#write(store, writer)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #write(store: Store, writer: number): Promise<void> {
    for (let round = 0; !this.#stopped; round++) {
      const key = `w/${writer}/${String(round).padStart(6, '0')}`;
      try {
        const outcome = await store.commit({
          compares: [{ key, modRevision: 0 }],
          writes: [{ type: 'put', key, value: 'v' }],
        });
        if (outcome.ok) this.acknowledged.set(key, outcome.revision);
        await sleep(2);
      } catch (error) {
        this.refused.push((error as { code: string }).code);
        await sleep(20);
      }
    }
  }
}

/** Everything that a watch gives, until it is stopped. */
class Watcher {
  readonly batches: Batch[] = [];
  readonly #abort = new AbortController();
  readonly #watching: Promise<void>;
  failed: unknown;

  constructor(store: Store, after = store.status().revision) {
    this.#watching = this.#watch(store, after);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#watching;
  }

  /** Keys by the revision that each was put at. */
  get puts(): Map<string, Revision> {
    const events = this.batches.flatMap(({ events: all }) => all);
    return new Map(
      events.flatMap((event) => (event.type === 'put' ? [[event.entry.key, event.entry.modRevision]] : [])),
    );
  }

  async #watch(store: Store, after: Revision): Promise<void> {
    try {
      for await (const batch of store.watch(ALL, after, this.#abort.signal)) this.batches.push(batch);
    } catch (error) {
      this.failed = error;
    }
  }
}

/** What was acknowledged is there, at the revision that was told; the watch saw every revision once. */
async function expectNothingLost(store: Store, writers: Writers, watcher: Watcher): Promise<void> {
  const { entries, revision } = await store.read(ALL);
  await until(() => (watcher.batches.at(-1)?.revision ?? 0) >= revision, 10_000);
  const stored = new Map(entries.map(({ key, modRevision }) => [key, modRevision]));
  for (const [key, at] of writers.acknowledged) expect([key, stored.get(key)]).toEqual([key, at]);
  const revisions = watcher.batches.map((batch) => batch.revision);
  expect(revisions).toEqual(revisions.map((_, index) => (revisions[0] as number) + index));
  expect(watcher.puts).toEqual(stored);
}

requireComponent('etcd')('EtcdStore over three members', () => {
  let cluster: EtcdCluster;
  let store: Store;
  const told: unknown[] = [];

  beforeEach(async () => {
    cluster = await EtcdCluster.start({ members: 3 });
    store = await openStore(cluster.url, { report: (error) => told.push(error) });
  });

  afterEach(async () => {
    for (let index = 0; index < 3; index++) cluster.resume(index);
    await store[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  async function mayWrite(): Promise<boolean> {
    const outcome = await store
      .commit({ compares: [], writes: [{ type: 'put', key: 'probe', value: '' }] })
      .catch(() => null);
    return outcome?.ok === true;
  }

  test('loses nothing that it acknowledged while leaders are killed under writes', async () => {
    const [watcher, writers] = [new Watcher(store), new Writers(store, 8)];
    for (let round = 0; round < 3; round++) {
      await sleep(500);
      const leader = await cluster.leader();
      await cluster.kill(leader);
      await sleep(1_500);
      await cluster.start(leader);
    }
    await sleep(500);
    await writers.stop();
    await expectNothingLost(store, writers, watcher);
    expect(writers.acknowledged.size).toBeGreaterThan(100);
    for (const code of writers.refused) expect(['STORE_NO_LEADER', 'STORE_UNKNOWN_OUTCOME']).toContain(code);
    await watcher.stop();
    expect(watcher.failed).toBeUndefined();
  });

  test('takes no writes without a quorum, says so, and goes on by itself when it is back', async () => {
    const [watcher, writers] = [new Watcher(store), new Writers(store, 4)];
    await sleep(300);
    await Promise.all([cluster.kill(0), cluster.kill(1)]);
    await until(() => !store.status().leaderKnown, 15_000);
    const [silent, known] = [store.status().lastContactMs, writers.acknowledged.size];
    await sleep(2_500);
    const began = performance.now();
    await expect(
      store.commit({ compares: [], writes: [{ type: 'put', key: 'late', value: '' }] }),
    ).rejects.toMatchObject({
      code: 'STORE_NO_LEADER',
      message: expect.stringContaining('No cluster leader') as string,
    });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(store.status().failure).toBeTypeOf('string');
    expect(silent).toBeGreaterThanOrEqual(0);
    expect(writers.acknowledged.size - known).toBeLessThan(4);
    await Promise.all([cluster.start(0), cluster.start(1)]);
    await until(mayWrite, 15_000);
    await until(() => store.status().leaderKnown, 5_000);
    await writers.stop();
    await expectNothingLost(store, writers, watcher);
    await watcher.stop();
  });

  test('sees that a member stands still, and goes to another', async () => {
    const [watcher, writers] = [new Watcher(store), new Writers(store, 4)];
    await sleep(300);
    for (let index = 0; index < 3; index++) {
      const before = writers.acknowledged.size;
      cluster.pause(index);
      await until(() => writers.acknowledged.size > before + 50, 30_000);
      cluster.resume(index);
      await cluster.ready();
    }
    await writers.stop();
    await expectNothingLost(store, writers, watcher);
    await watcher.stop();
  });
});
