import { Access, AccessWrites, AclState, type AccessControl, type AccessParts } from '../../access/index.ts';
import type { ApiContext } from '../../api/index.ts';
import { Changes, CheckHistory, HistoryLog } from '../../change/index.ts';
import { EventLog, userEvents } from '../../event/index.ts';
import { Kv, KvWrites, sessionCompare, Sessions, SessionWrites, Transactions } from '../../kv/index.ts';
import type { Clock } from '../../lib/index.ts';
import {
  Catalog,
  indexOf,
  LiveQueries,
  preparedParts,
  PreparedState,
  Registry,
  StoreFeed,
} from '../../registry/index.ts';
import { MemoryStore } from '../../store/index.ts';
import { noRegion } from '../errors.ts';
import type { AccessOptions } from '../region/region-options.ts';

export interface BareRegionOptions {
  /** Its name. */
  readonly name: string;
  /** The agent's first node. */
  readonly node: string;
  readonly accessControl: AccessOptions;
  /** Who may, where servers say it; else by the tokens of the region, of which there are none. */
  readonly access: AccessControl | null;
  readonly sessionTtlMinMs: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * What an agent that is no server has of the region: nothing, in memory, and nobody who sees to it. Its API speaks of its own
 * nodes from it; all else is a server's to answer.
 */
export async function startBareRegion(options: BareRegionOptions, stack: AsyncDisposableStack) {
  const { clock, name, random, sessionTtlMinMs: ttlMinMs } = options;
  const store = stack.use(await MemoryStore.start({ clock }));
  const catalog = new Catalog({ region: name });
  const [kv, sessions, preparedState] = [new Kv(), new Sessions({ clock }), new PreparedState()];
  const [eventLog, aclState] = [new EventLog(), new AclState()];
  const projections = [catalog, kv, sessions, preparedState, eventLog, aclState];
  const feed = stack.use(await StoreFeed.start({ store, projections, clock }));
  const shared = { feed, kv, sessions, catalog, clock };
  const acl = accessParts(options, aclState, feed);
  return {
    store,
    catalog,
    kv,
    sessions,
    feed,
    registry: new Registry({ feed, catalog, clock }),
    changes: stack.use(await Changes.start({ feed, catalog, clock })),
    queries: stack.use(await LiveQueries.start({ feed, index: indexOf([], catalog), clock, random })),
    kvWrites: new KvWrites(shared),
    transactions: new Transactions(shared),
    sessionWrites: stack.use(await SessionWrites.start({ ...shared, ttlMinMs })),
    ...preparedParts({
      state: preparedState,
      feed,
      catalog,
      agent: options.node,
      session: (id) => sessionCompare(sessions, id),
    }),
    history: new HistoryLog(store),
    checkHistory: new CheckHistory({ store, keepMs: 0, clock }),
    userEvents: userEvents(feed, eventLog),
    access: options.access ?? acl.access,
    acl,
    // Both are a server's to answer.
    liveness: { alarm: null, release: () => Promise.reject(noRegion([], '')) },
    reach: {
      provision: () => Promise.reject(noRegion([], '')),
      provisions: () => Promise.reject(noRegion([], '')),
      answers: () => Promise.resolve(false),
    },
    upgrades: new Map(),
  } satisfies Partial<ApiContext>;
}

function accessParts({ accessControl, clock }: BareRegionOptions, state: AclState, feed: StoreFeed): AccessParts {
  const { settings, legacy, tokens, takeResetIndex } = accessControl;
  const access = new Access({ state, tokens, settings, clock });
  return { access, state, tokens, takeResetIndex, writes: new AccessWrites({ feed, state, clock, legacy }) };
}
