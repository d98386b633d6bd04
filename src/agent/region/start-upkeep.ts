import { HistoryReaper } from '../../change/index.ts';
import { DeploymentReaper } from '../../listener/index.ts';
import { CacheCheck, TombstoneReaper } from '../../registry/index.ts';
import { Compaction } from '../../store/index.ts';
import { reportTo, type RegionOptions } from './region-options.ts';
import type { Fed } from './start-feed.ts';

/** The store's upkeep: what the region's leader removes in time, and each server's look at whether its memory is what is stored. */
export async function startUpkeep(
  { historyKeepMs: keepMs, clock, random, log }: RegionOptions,
  { store, feed, fence, checkHistory }: Fed,
  stack: AsyncDisposableStack,
): Promise<CacheCheck> {
  const report = reportTo(log);
  stack.use(Compaction.start({ store, fence: fence('compactor'), clock, report }));
  const cacheCheck = stack.use(CacheCheck.start({ feed, store, clock, random, report }));
  stack.use(await TombstoneReaper.start({ store, feed, fence: fence('tombstones'), clock, report }));
  stack.use(DeploymentReaper.start({ store, fence: fence('deployments'), clock, report }));
  const alongside = (): Promise<unknown> => checkHistory.expire();
  stack.use(await HistoryReaper.start({ store, fence: fence('history'), keepMs, clock, alongside, report }));
  return cacheCheck;
}
