import type { Clock } from '../lib/index.ts';
import type { Channel } from '../link/index.ts';
import type { Batch, KeyRange, Revision, Store } from '../store/index.ts';

/** How long the next thing takes, in ms. */
export type DelayMs = () => number;

/** A channel whose messages arrive late, in order. */
export function lateChannel<Incoming, Outgoing>(
  channel: Channel<Incoming, Outgoing>,
  clock: Clock,
  delayMs: DelayMs,
): Channel<Incoming, Outgoing> {
  let arrivesAtMs = 0;
  return {
    send(message) {
      arrivesAtMs = Math.max(arrivesAtMs, clock.now() + delayMs());
      clock.after(arrivesAtMs - clock.now(), () => channel.send(message));
    },
    onMessage: (handle) => channel.onMessage(handle),
    onClose: (handle) => channel.onClose(handle),
    close: (reason) => channel.close(reason),
  };
}

/** A store whose watches come late: its server is behind the others. */
export function lateStore(store: Store, clock: Clock, delayMs: DelayMs): Store {
  return {
    read: (range, options) => store.read(range, options),
    commit: (txn) => store.commit(txn),
    watch: (range, after, signal) => lateWatch(store, range, after, signal, clock, delayMs),
    lease: (ttlMs) => store.lease(ttlMs),
    compact: (before) => store.compact(before),
    restore: (entries, revision) => store.restore(entries, revision),
    status: () => store.status(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function* lateWatch(
  store: Store,
  range: KeyRange,
  after: Revision,
  signal: AbortSignal,
  clock: Clock,
  delayMs: DelayMs,
): AsyncGenerator<Batch, void> {
  for await (const batch of store.watch(range, after, signal)) {
    const waitMs = delayMs();
    if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    yield batch;
  }
}
