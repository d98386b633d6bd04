import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import type { Committed, Conflict, Store, Txn } from '../../src/store/index.ts';
import { ALL, ModelStore, modelSteps, txnOf } from '../../src/store/testing.ts';
import { EtcdCluster } from '../cluster/etcd-cluster.ts';
import { requireComponent } from '../require-component.ts';
import { wipeEtcd } from './etcd-fixture.ts';

/** The transactions in an order in which one after the other gives what they gave together: etcd's, and ours within a revision. */
function inOrder(txns: readonly Txn[], outcomes: readonly (Committed | Conflict)[]): [Txn, Committed | Conflict][] {
  const pairs = txns.map((txn, index) => [txn, outcomes[index] as Committed | Conflict] as [Txn, Committed | Conflict]);
  return pairs.toSorted(([, one], [, other]) => one.revision - other.revision);
}

function replay(model: ModelStore, txn: Txn, outcome: Committed | Conflict): void {
  const compared = txn.compares.flatMap(({ key }) => model.entries.get(key) ?? []);
  // Those that were committed together share a revision.
  model.revision = outcome.revision - 1;
  expect(model.commit(txn)).toBe(outcome.ok);
  if (!outcome.ok) expect(outcome.entries).toEqual(compared);
  model.revision = outcome.revision;
}

requireComponent('etcd')('EtcdStore.commit() of many at once', () => {
  let cluster: EtcdCluster;
  // As etcd is unless told: what is batched always fits.
  beforeAll(async () => {
    cluster = await EtcdCluster.start({ flags: ['--max-txn-ops=128'] });
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  async function round(store: Store, model: ModelStore, txns: readonly Txn[]): Promise<number> {
    const outcomes = await Promise.all(txns.map((txn) => store.commit(txn)));
    for (const [txn, outcome] of inOrder(txns, outcomes)) replay(model, txn, outcome);
    expect((await store.read(ALL)).entries).toEqual(model.sorted());
    return new Set(outcomes.map(({ revision }) => revision)).size;
  }

  test('gives what they give one after the other, outcomes included', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(modelSteps, { minLength: 1, maxLength: 4 }), async (rounds) => {
        await wipeEtcd(cluster);
        await using store = await openStore(cluster.url);
        const model = new ModelStore(store.status().revision);
        for (const steps of rounds)
          await round(
            store,
            model,
            steps.map((step) => txnOf(step, model)),
          );
      }),
      { numRuns: 40 },
    );
  });

  test('shares revisions among those that do not meet, and only among those', async () => {
    await wipeEtcd(cluster);
    await using store = await openStore(cluster.url);
    const model = new ModelStore(store.status().revision);
    const apart = Array.from({ length: 128 }, (_, index): Txn => {
      const key = `k${index}`;
      return { compares: [{ key, modRevision: 0 }], writes: [{ type: 'put', key, value: String(index) }] };
    });
    expect(await round(store, model, apart)).toBeLessThanOrEqual(8);
    const same = Array.from({ length: 20 }, (): Txn => ({
      compares: [],
      writes: [{ type: 'put', key: 'k', value: '' }],
    }));
    expect(await round(store, model, same)).toBe(20);
  });

  test.each(['a fresh store', 'a restored store'])('takes what drover packs at most, in %s', async (which) => {
    await wipeEtcd(cluster);
    await using store = await openStore(cluster.url);
    const keys = Array.from({ length: 127 }, (_, at) => `tomb/${String(at).padStart(3, '0')}`);
    await store.commit({ compares: [], writes: keys.map((key) => ({ type: 'put', key, value: '{}' })) });
    if (which === 'a restored store') {
      const { entries, revision } = await store.read(ALL);
      const shifted = entries.map((one) => ({
        ...one,
        createRevision: one.createRevision + 1_000_000_000,
        modRevision: one.modRevision + 1_000_000_000,
      }));
      await store.restore(shifted, revision + 1_000_000_000);
    }
    const { entries } = await store.read(ALL);
    const compares = entries.map(({ key, modRevision }) => ({ key, modRevision }));
    const [first, ...others] = compares;
    if (first === undefined) throw new Error('nothing was read');
    const stale = { ...first, modRevision: first.modRevision - 1 };
    const writes = keys.map((key) => ({ type: 'delete' as const, key }));
    expect(await store.commit({ compares: [stale, ...others], writes })).toMatchObject({ ok: false });
    expect(await store.commit({ compares, writes })).toMatchObject({ ok: true });
    expect((await store.read(ALL)).entries).toEqual([]);
  });
});
