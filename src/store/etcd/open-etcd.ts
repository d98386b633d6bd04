import { type Clock, systemClock } from '../../lib/index.ts';
import type { OpenStoreOptions } from '../open-store.ts';
import { EtcdCallFailed, type EtcdClient } from './client.ts';
import { ConnectEtcdClient } from './connect-client.ts';
import { EtcdStore } from './etcd-store.ts';
import { parseEtcdUrl } from './etcd-url.ts';
import { errorOfCall } from './failure.ts';
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

/**
 * Does something with the etcd behind `etcd://HOST:PORT,…` besides having a store there.
 *
 * @throws what `openEtcd` does, and what `work` throws
 */
export async function withEtcd<T>(
  url: string,
  options: OpenStoreOptions,
  work: (client: EtcdClient, clock: Clock) => Promise<T>,
): Promise<T> {
  const { clock = systemClock, random = Math.random, report = (): void => {}, etcd } = options;
  const settings = { endpoints: parseEtcdUrl(url), tls: null, user: null, ...etcd };
  await using client = await ConnectEtcdClient.start({ settings, clock, random, report });
  try {
    return await work(client, clock);
  } catch (error) {
    if (!(error instanceof EtcdCallFailed)) throw error;
    throw troubleOf(error, settings) ?? errorOfCall(error, true);
  }
}
