import { systemClock } from '../../lib/index.ts';
import type { OpenStoreOptions } from '../open-store.ts';
import { EtcdCallFailed } from './client.ts';
import { ConnectEtcdClient } from './connect-client.ts';
import { EtcdStore } from './etcd-store.ts';
import { parseEtcdUrl } from './etcd-url.ts';
import { troubleOf } from './trouble-of.ts';

/**
 * The store behind `etcd://HOST:PORT,…`. Loaded only where that is used.
 *
 * @throws STORE_BAD_ETCD_URL, STORE_ETCD_FILE, STORE_ETCD_UNREACHABLE, STORE_ETCD_TLS, STORE_ETCD_DENIED, and what `EtcdStore.start` throws
 */
export async function openEtcd(url: string, options: OpenStoreOptions): Promise<EtcdStore> {
  const { clock = systemClock, random = Math.random, report = (): void => {}, etcd } = options;
  const settings = { endpoints: parseEtcdUrl(url), tls: null, user: null, ...etcd };
  const client = await ConnectEtcdClient.start({ settings, clock, random, report });
  try {
    return await EtcdStore.start({ ...options, client, clock, random, report });
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    throw (cause instanceof EtcdCallFailed ? troubleOf(cause, settings) : null) ?? error;
  }
}
