import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import { storeConformance } from '../../src/store/testing.ts';
import { EtcdCluster } from '../cluster/etcd-cluster.ts';
import { requireComponent } from '../require-component.ts';
import { settingsOf } from './etcd-fixture.ts';
import { EtcdPool } from './etcd-pool.ts';

requireComponent('etcd')('over three members with mutual TLS', () => {
  const pool = new EtcdPool(() => EtcdCluster.start({ members: 3, tls: true }));
  afterAll(() => pool[Symbol.asyncDispose]());

  storeConformance({
    name: 'EtcdStore',
    runs: 5,
    isShared: true,
    leaseMs: 1_000,
    start: (options = {}) => pool.open((cluster) => openStore(cluster.url, { ...options, etcd: settingsOf(cluster) })),
    elapse: (_store, ms) => sleep(ms),
  });
});
