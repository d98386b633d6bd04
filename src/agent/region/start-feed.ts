import { CheckHistory, HistoryAuthors } from '../../change/index.ts';
import { StoreFeed } from '../../registry/index.ts';
import { Duties, type Fence, fenceOf, type Store } from '../../store/index.ts';
import { openRegionStore } from './open-region-store.ts';
import { reportTo, type RegionOptions } from './region-options.ts';
import type { States } from './states.ts';

/** How long the transitions of a check that is gone are kept where there is no history else. */
const CHECK_KEEP_MS = 86_400_000;

/** The store, and this server's one reader of it. */
export interface Fed {
  readonly store: Store;
  readonly duties: Duties;
  readonly feed: StoreFeed;
  readonly checkHistory: CheckHistory;
  /** What a leader's work of this name compares with each of its writes. */
  readonly fence: (duty: string) => Fence;
  /** Whether the store takes writes, as far as is known. */
  readonly takesWrites: () => boolean;
}

/** Opens the store, reads it into all states and follows it. @throws STORE_IN_USE, STORE_UNUSABLE, STORE_NEWER_LAYOUT */
export async function startFeed(options: RegionOptions, states: States, stack: AsyncDisposableStack): Promise<Fed> {
  const { clock, random, timing, server: holder, historyKeepMs } = options;
  const report = reportTo(options.log);
  const { store, checkpoint } = await openRegionStore(options, stack);
  const duties = stack.use(Duties.start({ store, holder, ttlMs: timing.dutyLeaseMs, clock, random, report }));
  let loaded: StoreFeed | null = null;
  const fence = (name: string): Fence => fenceOf(duties.duty(name), () => loaded?.revision ?? 0);
  // Ends after the feed, and writes what it has seen last.
  const checkHistory = stack.use(
    new CheckHistory({ store, fence: fence('checks'), keepMs: historyKeepMs || CHECK_KEEP_MS, clock, report }),
  );
  const projections = [...Object.values(states), checkHistory, new HistoryAuthors()];
  const mirrored = checkpoint === undefined ? {} : { checkpoint };
  loaded = stack.use(await StoreFeed.start({ store, projections, clock, report, ...mirrored }));
  const takesWrites = (): boolean => store.status().leaderKnown && !store.status().full;
  return { store, duties, feed: loaded, checkHistory, fence, takesWrites };
}
