import { KvWrites, SessionWrites, Transactions } from '../../kv/index.ts';
import type { Write } from '../../store/index.ts';
import { reportTo, type RegionOptions } from './region-options.ts';
import type { RegionParts } from './region-parts.ts';
import type { Fed } from './start-feed.ts';
import type { States } from './states.ts';

/** What changes keys and sessions; what is bound to a session goes with it. */
export async function startWrites(
  { clock, historyKeepMs, log, valueBytes, sessionTtlMinMs: ttlMinMs }: RegionOptions,
  { catalog, kv, sessions, preparedState }: States,
  { store, feed, duties }: Fed,
  { peers, servers }: Pick<RegionParts, 'peers' | 'servers'>,
  stack: AsyncDisposableStack,
): Promise<Pick<RegionParts, 'kvWrites' | 'transactions' | 'sessionWrites'>> {
  const withSession = (id: string): readonly Write[] => preparedState.writesWithSession(id);
  // Nobody else writes a store of this process alone.
  const lags = store.status().engine !== 'sqlite';
  const written = { feed, kv, sessions, catalog, clock, withSession, history: historyKeepMs > 0, lags };
  const sessionWrites = stack.use(
    await SessionWrites.start({
      ...written,
      ttlMinMs,
      report: reportTo(log),
      duty: duties.duty('sessions'),
      hearsAll: () => peers.hearsAll(),
      isKnown: () => servers.isKnown,
      onRenewed: (id) => peers.renewed(id),
    }),
  );
  peers.followRenewals(
    (renewals) => sessionWrites.hear(renewals),
    () => sessionWrites.renewals(),
    () => sessionWrites.lostServer(),
  );
  return {
    kvWrites: new KvWrites({ ...written, maxValueBytes: valueBytes }),
    transactions: new Transactions(written),
    sessionWrites,
  };
}
