import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore, prefixRange } from '../../src/store/index.ts';
import type { Batch, Entry, Revision, Store, Write } from '../../src/store/index.ts';
import type { EtcdClient } from '../../src/store/etcd/client.ts';
import { EtcdStore } from '../../src/store/etcd/etcd-store.ts';
import { EtcdCluster } from '../cluster/etcd-cluster.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';
import { EtcdMeddler, lost, puts } from './etcd-meddler.ts';
import { clientOf, EVERY_KEY, wipeEtcd } from './etcd-fixture.ts';

const ALL = prefixRange('');
const put = (key: string, value = 'v'): Write => ({ type: 'put', key, value });

async function write(store: Store, ...writes: Write[]): Promise<Revision> {
  return (await store.commit({ compares: [], writes })).revision;
}

function restored(count: number, start: Revision): Entry[] {
  return Array.from({ length: count }, (_, index) => {
    const revision = start + index;
    return { key: `r/${index}`, value: `restored ${index}`, createRevision: revision, modRevision: revision };
  });
}

function collect(store: Store, after: Revision): { batches: Batch[]; ended: Promise<unknown>; stop: () => void } {
  const abort = new AbortController();
  const batches: Batch[] = [];
  const ended = (async () => {
    for await (const batch of store.watch(ALL, after, abort.signal)) batches.push(batch);
    return 'aborted';
  })().catch((error: unknown) => error);
  return { batches, ended, stop: () => abort.abort() };
}

async function rawKeys(client: EtcdClient): Promise<string[]> {
  const { kvs } = await client.range({ ...EVERY_KEY, keysOnly: true });
  return kvs.map((kv) => Buffer.from(kv.key).toString('latin1'));
}

function rawPut(client: EtcdClient, key: string, value = ''): ReturnType<EtcdClient['txn']> {
  const request = { key: Buffer.from(key), value: Buffer.from(value) };
  return client.txn({ success: [{ request: { case: 'requestPut', value: request } }] });
}

requireComponent('etcd')('EtcdStore over one member', () => {
  let cluster: EtcdCluster;
  let client: EtcdClient;
  beforeAll(async () => {
    cluster = await EtcdCluster.start();
    client = await clientOf(cluster);
  });
  beforeEach(() => wipeEtcd(cluster));
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const open = (warn?: (message: string) => void): Promise<Store> =>
    openStore(cluster.url, warn === undefined ? {} : { warn });

  describe('start()', () => {
    test('makes one store when several servers begin at once', async () => {
      const stores = await Promise.all([open(), open(), open()]);
      const revision = await write(stores[0] as Store, put('k'));
      for (const store of stores) {
        expect(await store.read(ALL)).toMatchObject({ revision, entries: [{ key: 'k', modRevision: revision }] });
        await store[Symbol.asyncDispose]();
      }
      expect(await rawKeys(client)).toEqual(['/drover/1/k', '/drover/meta']);
    });

    test.each([
      ['/drover/services/web', '{}', 'STORE_FOREIGN_DATA', '/drover/services/web'],
      ['/drover/1/kv/x', '{}', 'STORE_FOREIGN_DATA', 'pointer'],
      ['/drover/meta', 'hello', 'STORE_FOREIGN_DATA', 'not the pointer'],
      ['/drover/meta', '{"layout":2,"generation":0,"revision":9}', 'STORE_NEWER_LAYOUT', 'layout 2'],
    ])('refuses %s with %s by %s and changes nothing', async (key, value, code, text) => {
      await rawPut(client, key, value);
      await expect(open()).rejects.toMatchObject({ code, message: expect.stringContaining(text) as string });
      expect(await rawKeys(client)).toEqual([key]);
    });

    test('warns of a version with known faults, and of a key of somebody else', async () => {
      await (await open())[Symbol.asyncDispose]();
      await rawPut(client, '/drover/stranger');
      const warnings: string[] = [];
      await using store = await open((message) => warnings.push(message));
      expect(store.status()).toMatchObject({ engine: 'etcd', version: expect.stringMatching(/^etcd 3\./) as string });
      expect(warnings.join('\n')).toContain('/drover/stranger');
      if (store.status().version === 'etcd 3.4.23') expect(warnings.join('\n')).toContain('etcd 3.4.23 lacks fixes');
    });

    test('says what is wrong when nobody answers', async () => {
      await expect(openStore('etcd://127.0.0.1:1')).rejects.toMatchObject({ code: 'STORE_ETCD_UNREACHABLE' });
    });
  });

  describe('watch()', () => {
    test("gives the revisions of others' keys as batches without events", async () => {
      await using store = await open();
      const watch = collect(store, store.status().revision);
      await rawPut(client, 'somebody/else');
      const revision = await write(store, put('mine'));
      await until(() => watch.batches.length === 2, 5_000);
      expect(watch.batches.map(({ revision: at, events }) => [at - revision, events.length])).toEqual([
        [-1, 0],
        [0, 1],
      ]);
      watch.stop();
    });

    test('puts a revision together that is larger than a message', async () => {
      await using store = await open();
      await using other = await open();
      const start = store.status().revision;
      const value = 'x'.repeat(14_000);
      for (let round = 0; round < 3; round++)
        await write(store, ...Array.from({ length: 100 }, (_, index) => put(`large/${round}/${index}`, value)));
      const { batches, stop } = collect(other, start);
      await until(() => batches.length === 3, 10_000);
      expect(batches.map(({ events }) => events.length)).toEqual([100, 100, 100]);
      stop();
    });

    test('deletes a large range in one revision, whole for watchers', async () => {
      await using store = await open();
      for (let round = 0; round < 10; round++)
        await write(
          store,
          ...Array.from({ length: 100 }, (_, index) => put(`many/${'k'.repeat(2_000)}/${round}/${index}`)),
        );
      const watch = collect(store, store.status().revision);
      await write(store, { type: 'delete-range', range: prefixRange('many/') });
      await until(() => watch.batches.length === 1, 10_000);
      expect(watch.batches[0]?.events).toHaveLength(1_000);
      watch.stop();
    });

    test('ends with STORE_COMPACTED when etcd was compacted behind it, and goes on for those who read again', async () => {
      const meddler = new EtcdMeddler(await clientOf(cluster));
      await using store = await EtcdStore.start({ client: meddler.client });
      const watch = collect(store, await write(store, put('k')));
      meddler.cutWatch();
      await until(() => !store.status().leaderKnown, 5_000);
      for (let index = 0; index < 3; index++) await rawPut(client, '/drover/1/k', String(index));
      const { header } = await rawPut(client, '/drover/1/other');
      await client.compact(header?.revision ?? 0n);
      meddler.healWatch();
      expect(await watch.ended).toMatchObject({ code: 'STORE_COMPACTED' });
      await until(() => store.status().leaderKnown, 5_000);
      const { entries, revision } = await store.read(ALL);
      expect(entries.map(({ key, value }) => [key, value])).toEqual([
        ['k', '2'],
        ['other', ''],
      ]);
      const again = collect(store, revision);
      const next = await write(store, put('next'));
      await until(() => again.batches.length > 0, 5_000);
      expect(again.batches.map((batch) => batch.revision)).toEqual([next]);
      again.stop();
    });

    test('resumes where it stopped, when its stream is cut again and again', async () => {
      const meddler = new EtcdMeddler(await clientOf(cluster));
      await using store = await EtcdStore.start({ client: meddler.client });
      await using other = await open();
      const start = store.status().revision;
      const watch = collect(store, start);
      for (let round = 0; round < 6; round++) {
        for (let index = 0; index < 20; index++) await write(other, put(`k${index}`));
        meddler.cutWatch();
        meddler.healWatch();
      }
      await until(() => watch.batches.length >= 120, 10_000);
      expect(watch.batches.map(({ revision }) => revision)).toEqual(watch.batches.map((_, index) => start + 1 + index));
      watch.stop();
    });
  });

  describe('commit()', () => {
    test('says that an outcome is not known, and does not try again', async () => {
      const meddler = new EtcdMeddler(await clientOf(cluster));
      await using store = await EtcdStore.start({ client: meddler.client });
      for (const isDone of [true, false]) {
        let sent = 0;
        meddler.meddle = async (request, send) => {
          if (!puts(request, 'unsure')) return await send();
          sent++;
          if (isDone) await send();
          throw lost('unknown');
        };
        await expect(write(store, put(`unsure/${isDone}`))).rejects.toMatchObject({ code: 'STORE_UNKNOWN_OUTCOME' });
        expect(sent).toBe(1);
      }
      expect((await store.read(ALL)).entries.map(({ key }) => key)).toEqual(['unsure/true']);
    });

    test('tries again what was certainly not done', async () => {
      const meddler = new EtcdMeddler(await clientOf(cluster));
      await using store = await EtcdStore.start({ client: meddler.client });
      let failures = 3;
      meddler.meddle = (_request, send) => (failures-- > 0 ? Promise.reject(lost('none')) : send());
      expect(await write(store, put('k'))).toBe(store.status().revision);
    });

    test('ends with STORE_CLOSED when the store closes while it waits for a leader', async () => {
      const meddler = new EtcdMeddler(await clientOf(cluster));
      const store = await EtcdStore.start({ client: meddler.client });
      meddler.cutWatch();
      await until(() => !store.status().leaderKnown, 5_000);
      const waiting = expect(write(store, put('k'))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      const closing = store[Symbol.asyncDispose]();
      meddler.healWatch();
      await Promise.all([closing, waiting]);
      expect(store.status()).toMatchObject({ leaderKnown: false, failure: 'the store is closed' });
    });

    test('is refused once the pointer was deleted, and for good', async () => {
      const told: unknown[] = [];
      await using store = await openStore(cluster.url, { report: (error) => told.push(error) });
      await wipeEtcd(cluster);
      await until(() => !store.status().leaderKnown, 5_000);
      await expect(write(store, put('k'))).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(store.status().failure).toContain('was deleted');
      expect(told).toMatchObject([{ code: 'STORE_FAILED' }]);
      expect(await rawKeys(client)).toEqual([]);
    });

    test('names the setting when etcd takes no transaction of this size; batches always fit', async () => {
      await using small = await EtcdCluster.start({ flags: ['--max-txn-ops=128', '--max-request-bytes=200000'] });
      await using store = await openStore(small.url);
      const many = Array.from({ length: 300 }, (_, index) => put(`k${index}`));
      await expect(write(store, ...many)).rejects.toMatchObject({
        code: 'STORE_ETCD_LIMIT',
        hint: expect.stringContaining('--max-txn-ops=512') as string,
      });
      await expect(write(store, put('large', 'x'.repeat(300_000)))).rejects.toMatchObject({
        hint: expect.stringContaining('--max-request-bytes') as string,
      });
      const outcomes = await Promise.all(
        Array.from({ length: 600 }, (_, index) =>
          store.commit({
            compares: index % 3 === 0 ? [] : [{ key: `c${index}`, modRevision: 0 }],
            writes: Array.from({ length: index % 5 }, (__, part) => put(`b/${index}/${part}`)),
          }),
        ),
      );
      expect(outcomes.every(({ ok }) => ok)).toBe(true);
    });

    test('is refused with STORE_FULL when etcd has no space left; reads go on', async () => {
      await using small = await EtcdCluster.start({ flags: ['--quota-backend-bytes=8388608'] });
      await using store = await openStore(small.url);
      const fill = async (): Promise<void> => {
        for (let index = 0; index < 40; index++) await write(store, put('k', 'x'.repeat(1_000_000)));
      };
      await expect(fill()).rejects.toMatchObject({
        code: 'STORE_FULL',
        hint: expect.stringContaining('alarm') as string,
      });
      expect(store.status()).toMatchObject({ full: true, leaderKnown: true });
      expect((await store.read(ALL)).entries).toHaveLength(1);
    });

    test('of what waits behind a lease that is gone is done all the same', async () => {
      await using store = await open();
      const lease = await store.lease(60_000);
      await client.leaseRevoke(BigInt(lease.id));
      const [leased, plain] = await Promise.allSettled([
        write(store, { type: 'put', key: 'leased', value: '', lease }),
        write(store, put('plain')),
      ]);
      expect(leased).toMatchObject({ status: 'rejected', reason: { code: 'STORE_LEASE_LOST' } });
      expect(plain.status).toBe('fulfilled');
      await lease.lost;
    });
  });

  describe('difference()', () => {
    test('finds what a cache holds wrongly, lacks, or should not have', async () => {
      await using store = await EtcdStore.start({ client: await clientOf(cluster) });
      const first = await write(store, put('a'), put('b'), put('c'));
      const second = await write(store, put('b'));
      await write(store, put('later'));
      const held: [string, Revision][] = [
        ['a', first],
        ['b', second],
        ['c', first],
      ];
      expect(await store.difference(held, ALL, second)).toEqual([]);
      held.splice(1, 2, ['b', first], ['ghost', first]);
      expect(await store.difference(held, ALL, second)).toEqual([
        { key: 'b', held: first, stored: second },
        { key: 'c', held: 0, stored: first },
        { key: 'ghost', held: first, stored: 0 },
      ]);
      await store.compact(second + 1);
      await expect(store.difference(held, ALL, second)).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
    });
  });

  describe('restore()', () => {
    test('takes effect for every server at once, while they write', async () => {
      await using store = await open();
      await using other = await open();
      const start = await write(store, put('old'));
      const watch = collect(other, start);
      let isOver = false;
      const acknowledged: [string, Revision][] = [];
      const writing = (async () => {
        for (let index = 0; !isOver; index++) acknowledged.push([`w/${index}`, await write(other, put(`w/${index}`))]);
      })();
      await sleep(100);
      const at = start + 2_000_000;
      await store.restore(restored(3_000, at), at + 10_000);
      await sleep(200);
      isOver = true;
      await writing;
      expect(await watch.ended).toMatchObject({ code: 'STORE_COMPACTED' });
      const { entries } = await other.read(ALL);
      expect(entries.filter(({ key }) => key.startsWith('r/'))).toHaveLength(3_000);
      const written = entries
        .filter(({ key }) => key.startsWith('w/'))
        .map(({ key, modRevision }) => [key, modRevision]);
      const after = acknowledged.filter(([, revision]) => revision > at + 10_000);
      expect(new Map(written as [string, number][])).toEqual(new Map(after));
      expect(after.length).toBeGreaterThan(0);
      expect(acknowledged.length).toBeGreaterThan(after.length);
      expect(entries).toHaveLength(3_000 + after.length);
      expect((await store.read(ALL)).entries).toEqual((await other.read(ALL)).entries);
      await until(async () => (await rawKeys(client)).every((key) => !key.startsWith('/drover/1/')), 5_000);
    });

    test('killed midway has changed nothing, and what it left is swept', async () => {
      const meddler = new EtcdMeddler(await clientOf(cluster));
      const store = await EtcdStore.start({ client: meddler.client });
      const start = await write(store, put('stays'));
      let left = 5;
      // The process is gone: nothing of what it would have done later is done.
      meddler.meddle = (request, send) => (!puts(request, '/drover/1.') || left-- > 0 ? send() : new Promise(() => {}));
      void store.restore(restored(5_000, start + 10_000), start + 50_000);
      await until(() => left < 0, 10_000);
      await using other = await open();
      expect((await other.read(ALL)).entries.map(({ key }) => key)).toEqual(['stays']);
      expect(await rawKeys(client)).toContain('/drover/1.1-claim');
      const { kvs } = await client.range({ key: Buffer.from('/drover/1.1-claim') });
      await client.leaseRevoke(kvs[0]?.lease ?? 0n);
      await using next = await open();
      await until(async () => (await rawKeys(client)).length === 2, 10_000);
      const revision = await write(next, put('k'));
      expect((await other.read(ALL)).revision).toBe(revision);
      await store[Symbol.asyncDispose]();
    });

    test.each([true, false])('of which the last answer was lost is known, when it was done: %s', async (isDone) => {
      const meddler = new EtcdMeddler(await clientOf(cluster));
      await using store = await EtcdStore.start({ client: meddler.client });
      const start = await write(store, put('old'));
      let later: (() => unknown) | undefined;
      meddler.meddle = async (request, send) => {
        if (!puts(request, '/drover/meta')) return await send();
        if (isDone) await send();
        else later = send;
        throw lost('unknown');
      };
      const restoring = store.restore(restored(10, start + 1_000), start + 2_000);
      if (isDone) expect(await restoring).toBe(start + 2_000);
      else await expect(restoring).rejects.toMatchObject({ code: 'STORE_UNKNOWN_OUTCOME' });
      // What was under way when its end was looked for cannot happen after it.
      await later?.();
      expect((await store.read(ALL)).entries).toHaveLength(isDone ? 10 : 1);
    });

    test('by two servers at once leaves one of them, whole', async () => {
      await using store = await open();
      await using other = await open();
      const start = await write(store, put('old'));
      const entries = (name: string): Entry[] =>
        restored(500, start + 5_000_000).map((entry) => ({ ...entry, value: name }));
      const outcomes = await Promise.allSettled([
        store.restore(entries('one'), start + 6_000_000),
        other.restore(entries('other'), start + 6_000_000),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const values = new Set((await store.read(ALL)).entries.map(({ value }) => value));
      expect([...values]).toEqual([outcomes[0].status === 'fulfilled' ? 'one' : 'other']);
    });
  });
});
