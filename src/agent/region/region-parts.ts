import type { AccessParts } from '../../access/index.ts';
import type { UpgradeHandler } from '../../api/index.ts';
import type { Changes, CheckHistory, HistoryLog } from '../../change/index.ts';
import type { UserEvents } from '../../event/index.ts';
import type { Kv, KvWrites, Sessions, SessionWrites, Transactions } from '../../kv/index.ts';
import type { LinkPulse, PeerLinks, RegionLinks } from '../../link/index.ts';
import type { CacheCheck, Catalog, LiveQueries, PreparedParts, Registry, StoreFeed } from '../../registry/index.ts';
import type { Duties, Store } from '../../store/index.ts';
import type { Liveness } from '../liveness/index.ts';
import type { RegionServers } from '../servers/region-servers.ts';
import type { ReachNode } from './reach-node.ts';

/** What a region's server is made of: what HTTP, DNS and the links are served from. */
export interface RegionParts extends PreparedParts {
  readonly store: Store;
  readonly duties: Duties;
  readonly servers: RegionServers;
  readonly peers: PeerLinks;
  readonly cacheCheck: CacheCheck;
  readonly catalog: Catalog;
  readonly kv: Kv;
  readonly feed: StoreFeed;
  readonly registry: Registry;
  readonly kvWrites: KvWrites;
  readonly sessions: Sessions;
  readonly sessionWrites: SessionWrites;
  readonly transactions: Transactions;
  readonly changes: Changes;
  readonly history: HistoryLog;
  readonly checkHistory: CheckHistory;
  readonly userEvents: UserEvents;
  readonly queries: LiveQueries;
  readonly links: RegionLinks;
  readonly liveness: Liveness;
  readonly reach: ReachNode;
  readonly acl: AccessParts;
  /** Signs of life for all links of this server to other processes. */
  readonly pulse: LinkPulse;
  /** Where links come in, by path. */
  readonly upgrades: Map<string, UpgradeHandler>;
}
