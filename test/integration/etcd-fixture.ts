import { systemClock } from '../../src/lib/index.ts';
import type { EtcdClient } from '../../src/store/etcd/client.ts';
import { ConnectEtcdClient } from '../../src/store/etcd/connect-client.ts';
import type { EtcdSettings } from '../../src/store/index.ts';
import type { EtcdCluster } from '../cluster/etcd-cluster.ts';

/** Every key of an etcd. */
export const EVERY_KEY = { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) };

/** How a cluster's etcd is reached. */
export function settingsOf({ endpoints, tls }: EtcdCluster): EtcdSettings {
  const files = tls === null ? null : { caFile: tls.ca, certFile: tls.cert, keyFile: tls.key };
  return { endpoints, tls: files, user: null };
}

/** A client beside the store's own. */
export function clientOf(cluster: EtcdCluster): Promise<EtcdClient> {
  return ConnectEtcdClient.start({
    settings: settingsOf(cluster),
    clock: systemClock,
    random: Math.random,
    report: () => {},
  });
}

/** Deletes every key. */
export async function wipeEtcd(cluster: EtcdCluster): Promise<void> {
  await using client = await clientOf(cluster);
  await client.txn({ success: [{ request: { case: 'requestDeleteRange', value: EVERY_KEY } }] });
}
