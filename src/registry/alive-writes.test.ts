import { expect, test } from 'vitest';
import { MemoryStore, type Txn } from '../store/index.ts';
import { AliveWrites } from './alive-writes.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf, startTestRegistry } from './testing.ts';

/** What etcd takes in one transaction unless told otherwise; the store compares one key more. */
const ETCD_OPS = 128;

test('AliveWrites.reap() and all else of a large node go in transactions that etcd takes', async () => {
  const txns: Txn[] = [];
  await using store = await MemoryStore.start({});
  const commit = store.commit.bind(store);
  store.commit = (txn) => {
    txns.push(txn);
    return commit(txn);
  };
  await using region = await startTestRegistry({ store, server: 's1' });
  const services = Array.from({ length: 200 }, (_, at) => `s${at}`);
  const registration = {
    node: nodeRecordOf({ name: 'large' }),
    instances: services.map((id) => instanceRecordOf({ id, service: id })),
    checks: services.map((id) => checkRecordOf({ id, serviceId: id })),
  };
  await region.registry.syncNode(registration, 1, 'agent');
  await region.registry.syncNode({ ...registration, checks: [] }, 2, 'agent');
  const fence = { key: 'lead/liveness', modRevision: 0 };
  expect(await new AliveWrites(region.feed, region.catalog).reap('large', fence)).toBeGreaterThan(0);
  expect(region.catalog.node('large')).toBeUndefined();
  expect(txns.length).toBeGreaterThan(5);
  expect(Math.max(...txns.map(({ compares }) => compares.length))).toBeLessThan(ETCD_OPS);
  expect(Math.max(...txns.map(({ writes }) => writes.length))).toBeLessThanOrEqual(ETCD_OPS);
});
