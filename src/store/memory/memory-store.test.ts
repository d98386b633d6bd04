import { expect, test } from 'vitest';
import { FakeClock } from '../../lib/index.ts';
import type { Store } from '../contract.ts';
import { storeConformance } from '../testing.ts';
import { MemoryStore } from './memory-store.ts';

const clocks = new WeakMap<Store, FakeClock>();

storeConformance({
  name: 'MemoryStore',
  runs: 60,
  async start(options = {}) {
    const clock = new FakeClock();
    const store = await MemoryStore.start({ clock, ...options });
    clocks.set(store, clock);
    return store;
  },
  elapse: (store, ms) => (clocks.get(store) as FakeClock).advance(ms),
});

test('MemoryStore.start() begins after its base', async () => {
  await using store = await MemoryStore.start({ base: 1_000 });
  const { revision } = await store.commit({ compares: [], writes: [{ type: 'put', key: 'k', value: '' }] });
  expect(revision).toBe(1_001);
  expect(store.status().compacted).toBe(1_000);
});

test('MemoryStore leaves no timer behind', async () => {
  const clock = new FakeClock();
  const store = await MemoryStore.start({ clock });
  const lease = await store.lease(1_000);
  await store[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
  await expect(lease.keepAlive()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' });
});
