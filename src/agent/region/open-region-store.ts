import path from 'node:path';
import { messageOf, type Clock } from '../../lib/index.ts';
import { Checkpoint, type FeedCheckpoint } from '../../registry/index.ts';
import { LateStore, openStore, type EtcdAccess, type Store } from '../../store/index.ts';
import type { Log } from '../log.ts';

export interface RegionStoreOptions {
  /** A URL; or a store that is open, which is left open. */
  readonly store: string | Store;
  readonly etcd?: EtcdAccess | undefined;
  /** The server's data directory; without it there is no checkpoint. */
  readonly directory?: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** A store, and what is known of it from a former run. */
export interface RegionStore {
  readonly store: Store;
  readonly checkpoint?: FeedCheckpoint;
}

/**
 * Opens a server's store. One of other machines that is away is waited for, or done without where a former run left a checkpoint of it.
 *
 * @throws what `openStore` throws, unless that says that etcd is away
 */
export async function openRegionStore(options: RegionStoreOptions, stack: AsyncDisposableStack): Promise<RegionStore> {
  const { store: given, etcd, clock, random, log } = options;
  if (typeof given !== 'string') return { store: given };
  const report = (error: unknown): void => log.error({ err: error }, messageOf(error));
  const warn = (text: string): void => log.warn({}, text);
  const open = (): Promise<Store> => openStore(given, { clock, random, etcd, report, warn });
  if (!given.startsWith('etcd:') || options.directory === undefined) return { store: stack.use(await open()) };
  const directory = path.join(options.directory, 'checkpoint');
  const load = (): ReturnType<typeof Checkpoint.read> => Checkpoint.read({ directory, storeName: given });
  let heardAtMs: number | null = null;
  const store = stack.use(
    await LateStore.start({
      open,
      clock,
      mayBegin: async () => {
        heardAtMs = (await load())?.atMs ?? null;
        return heardAtMs !== null;
      },
      lastContactMs: () => Math.max(0, clock.wall() - (heardAtMs ?? clock.wall())),
      report: (why) =>
        warn(
          `${heardAtMs === null ? 'waiting for the store' : 'the store is away, what it held last is served'}: ${why}`,
        ),
    }),
  );
  const mirror = stack.use(await Checkpoint.open({ directory, store, storeName: given, clock, report }));
  return { store, checkpoint: { load, mirror } };
}
