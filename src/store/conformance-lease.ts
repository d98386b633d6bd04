import { describe, expect, test, vi } from 'vitest';
import type { StoreUnderTest } from './conformance.ts';
import type { Lease, Store, Write } from './contract.ts';
import { ALL, history } from './model.ts';

const put = (key: string, lease?: Lease): Write => ({
  type: 'put',
  key,
  value: 'v',
  ...(lease === undefined ? {} : { lease }),
});

async function write(store: Store, ...writes: Write[]): Promise<number> {
  return (await store.commit({ compares: [], writes })).revision;
}

async function keys(store: Store): Promise<string[]> {
  return (await store.read(ALL)).entries.map((entry) => entry.key);
}

/** Leases. */
export function leaseConformance(target: StoreUnderTest): void {
  describe('lease()', () => lifeTests(target));
  describe('lease() keys', () => keyTests(target));
}

/** A holder is told that its lease is gone before anybody else can be: the keys may go a moment later. */
async function keysWithout(store: Store, gone: string): Promise<string[]> {
  await vi.waitFor(async () => expect(await keys(store)).not.toContain(gone), { timeout: 5_000 });
  return await keys(store);
}

function lifeTests(target: StoreUnderTest): void {
  const TTL_MS = target.leaseMs ?? 150;

  test('takes its keys with it in one revision when it expires', async () => {
    await using store = await target.start();
    const lease = await store.lease(TTL_MS);
    const revision = await write(store, put('a', lease), put('b', lease), put('stays'));
    await target.elapse(store, TTL_MS);
    await lease.lost;
    expect(await keysWithout(store, 'a')).toEqual(['stays']);
    const [batch, ...more] = await history(store, revision);
    expect(more).toEqual([]);
    expect(batch?.events).toEqual([
      { type: 'delete', key: 'a' },
      { type: 'delete', key: 'b' },
    ]);
    await expect(lease.keepAlive()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' });
    await expect(write(store, put('late', lease))).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' });
  });

  test('lives as long as it is kept alive', async () => {
    await using store = await target.start();
    const lease = await store.lease(TTL_MS * 2);
    await write(store, put('k', lease));
    for (let round = 0; round < 4; round++) {
      await target.elapse(store, TTL_MS);
      await lease.keepAlive();
    }
    expect(await keys(store)).toEqual(['k']);
    await target.elapse(store, TTL_MS * 2);
    await lease.lost;
    expect(await keysWithout(store, 'k')).toEqual([]);
  });

  test('ends at once by revoke(), twice without harm', async () => {
    await using store = await target.start();
    const lease = await store.lease(60_000);
    await write(store, put('k', lease));
    await Promise.all([lease.revoke(), lease.revoke()]);
    await lease.revoke();
    await lease.lost;
    expect(await keys(store)).toEqual([]);
    await expect(lease.keepAlive()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' });
  });

  test('can no longer be used after disposal', async () => {
    const store = await target.start();
    const lease = await store.lease(60_000);
    await store[Symbol.asyncDispose]();
    await expect(lease.keepAlive()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' });
    await expect(lease.revoke()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  test.each([0, -1, Number.NaN, Infinity])('refuses a TTL of %d ms', async (ttlMs) => {
    await using store = await target.start();
    await expect(store.lease(ttlMs)).rejects.toMatchObject({ code: 'STORE_BAD_LEASE' });
  });
}

function keyTests(target: StoreUnderTest): void {
  test('leave it when they are put without it, put with another, or deleted', async () => {
    await using store = await target.start();
    const [one, other] = [await store.lease(60_000), await store.lease(60_000)];
    await write(store, put('freed', one), put('moved', one), put('deleted', one), put('kept', one));
    await write(store, put('freed'), put('moved', other), { type: 'delete', key: 'deleted' });
    await write(store, put('deleted'));
    await one.revoke();
    expect(await keys(store)).toEqual(['deleted', 'freed', 'moved']);
    await other.revoke();
    expect(await keys(store)).toEqual(['deleted', 'freed']);
  });

  test('cost no revision when there are none', async () => {
    await using store = await target.start();
    const before = store.status().revision;
    await (await store.lease(60_000)).revoke();
    expect(store.status().revision).toBe(before);
  });

  test('of another store are refused', async () => {
    await using store = await target.start();
    await using elsewhere = await target.start();
    const lease = await elsewhere.lease(60_000);
    await expect(write(store, put('k', lease))).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' });
  });
}
