import path from 'node:path';
import { messageOf, type Clock } from '../../lib/index.ts';
import { Checkpoint, type FeedCheckpoint } from '../../registry/index.ts';
import { LateStore, openStore, type EtcdAccess, type Store } from '../../store/index.ts';
import { storeReplaced } from '../errors.ts';
import type { Log } from '../log.ts';

export interface RegionStoreOptions {
  /** A URL; or a store that is open, which is left open. */
  readonly store: string | Store;
  readonly etcd?: EtcdAccess | undefined;
  /** The server's data directory; without it there is no checkpoint. */
  readonly directory?: string | undefined;
  /** The store came back as another one than that of which the checkpoint is served: this server has to begin anew. */
  readonly onReplaced?: ((error: Error) => void) | undefined;
  /** Ends the wait for a store that is away. */
  readonly signal?: AbortSignal | undefined;
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
  /** What is served: of when, and of which store. */
  let served: { readonly atMs: number; readonly identity: string | undefined } | null = null;
  const openServed = async (): Promise<Store> => {
    const opened = await open();
    if (served === null || opened.status().identity === served.identity) return opened;
    await opened[Symbol.asyncDispose]();
    await Checkpoint.drop(directory);
    const replaced = storeReplaced(given);
    options.onReplaced?.(replaced);
    throw replaced;
  };
  const store = stack.use(
    await LateStore.start({
      open: openServed,
      clock,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      mayBegin: async () => {
        const state = await load();
        served = state === null ? null : { atMs: state.atMs, identity: state.identity };
        return served !== null;
      },
      lastContactMs: () => Math.max(0, clock.wall() - (served?.atMs ?? clock.wall())),
      report: (why) =>
        warn(`${served === null ? 'waiting for the store' : 'the store is away, what it held last is served'}: ${why}`),
    }),
  );
  const mirror = stack.use(await Checkpoint.open({ directory, store, storeName: given, clock, report }));
  return { store, checkpoint: { load, mirror } };
}
