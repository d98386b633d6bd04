import { expect, test } from 'vitest';
import { prefixRange } from '../store/index.ts';
import { topic } from './keys.ts';
import { startTestRegistry, type TestRegistry } from './testing.ts';
import { FakeClock } from '../lib/index.ts';
import { reapTombstones, TombstoneReaper } from './tombstone-reaper.ts';

async function tombstones({ store }: TestRegistry): Promise<string[]> {
  const { entries } = await store.read(prefixRange('tomb/'));
  return entries.map((entry) => entry.key);
}

test('reapTombstones() raises a floor below which no index falls, also for who comes back later', async () => {
  await using region = await startTestRegistry({ nodes: [{ name: 'n1', services: ['api', 'www'] }] });
  const { catalog, registry, store, feed } = region;
  const gone = await registry.deregister({ node: 'n1', serviceId: 'api' });
  expect(await reapTombstones(store, gone)).toBe(4);
  await feed.applied(store.status().revision);
  expect(await tombstones(region)).toEqual([]);
  for (const name of [topic.service('api'), topic.service('www'), topic.service('never')])
    expect(catalog.index(name), name).toBe(gone);
  expect(await reapTombstones(store, gone)).toBe(0);
});

test('reapTombstones() leaves what is newer, and what is put again meanwhile', async () => {
  await using region = await startTestRegistry({ nodes: [{ name: 'n1', services: ['api', 'www'] }] });
  const first = await region.registry.deregister({ node: 'n1', serviceId: 'api' });
  const second = await region.registry.deregister({ node: 'n1', serviceId: 'www' });
  expect(await reapTombstones(region.store, first)).toBe(1);
  await region.feed.applied(region.store.status().revision);
  expect(await tombstones(region)).toContain(`tomb/${topic.service('www')}`);
  expect(region.catalog.index(topic.service('www'))).toBe(second);
});

test('reapTombstones() takes as many transactions as it needs', async () => {
  const services = Array.from({ length: 300 }, (_, n) => `s${n}`);
  await using region = await startTestRegistry({ nodes: [{ name: 'n1', services }] });
  await region.registry.deregister({ node: 'n1' });
  expect((await tombstones(region)).length).toBeGreaterThan(300);
  await reapTombstones(region.store, region.store.status().revision);
  expect(await tombstones(region)).toEqual([]);
});

test('TombstoneReaper reaps what is older than 15 minutes, by the monotonic clock', async () => {
  const clock = new FakeClock();
  await using region = await startTestRegistry({ clock, nodes: [{ name: 'n1', services: ['api'] }] });
  await using reaper = await TombstoneReaper.start({ store: region.store, feed: region.feed, clock });
  await region.registry.deregister({ node: 'n1', serviceId: 'api' });
  await clock.advance(15 * 60_000);
  expect(await tombstones(region)).not.toEqual([]);
  await clock.advance(2 * 60_000);
  expect(await tombstones(region)).toEqual([]);
  expect(await reaper.reap()).toBe(0);
});

test('TombstoneReaper reports what fails and goes on', async () => {
  const clock = new FakeClock();
  await using region = await startTestRegistry({ clock, nodes: [{ name: 'n1', services: ['api'] }] });
  await region.registry.deregister({ node: 'n1' });
  const errors: unknown[] = [];
  const store = new Proxy(region.store, {
    get: (target, name) => (name === 'read' ? () => Promise.reject(new Error('away')) : Reflect.get(target, name)),
  });
  await using _ = await TombstoneReaper.start({
    store,
    feed: region.feed,
    clock,
    keepMs: 0,
    report: (e) => errors.push(e),
  });
  await clock.advance(120_000);
  expect(errors).toHaveLength(2);
});
