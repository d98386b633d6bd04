import type { AccessControl, AccessParts } from '../access/index.ts';
import type { Changes, CheckHistory, HistoryLog } from '../change/index.ts';
import type { Clock, Timing } from '../lib/index.ts';
import type { UserEvents } from '../event/index.ts';
import type { Kv, KvWrites, Sessions, SessionWrites, Transactions } from '../kv/index.ts';
import type { CatalogReader, Feed, LiveQueries, PreparedParts, Registry, ServerRecord } from '../registry/index.ts';
import type { Store } from '../store/index.ts';
import type { ApiLog } from './api-log.ts';
import type { Forwarder } from './forward/index.ts';
import type { HttpSettings } from './http-settings.ts';
import type { PeerLinks } from '../link/index.ts';
import type { LivenessControl } from './liveness-control.ts';
import type { LocalNode } from './local-node.ts';
import type { NodeReach } from './node-reach.ts';
import type { UpgradeHandler } from './upgrades.ts';

/** How scheduled snapshots stand. */
export interface SnapshotsFacts {
  /** The newest that this server has; null for none. */
  readonly newest: { readonly file: string; readonly revision: number; readonly at: string } | null;
  /** Why the last attempt failed; null when it did not. */
  readonly failure: string | null;
}

/** Everything that the HTTP API speaks for; filled in by the agent. */
export interface ApiContext extends PreparedParts {
  readonly version: string;
  /** Consul's datacenter. */
  readonly region: string;
  /** One that is no server, and has none that it could reach, speaks for itself only. */
  readonly isServer: boolean;
  /** Hands on what is about the region, where the region is not in this process; null where it is, or where there is none. */
  readonly forward: Forwarder | null;
  /** The servers of the region that run; absent where only this one can be known. */
  readonly servers?: {
    list(): readonly ServerRecord[];
    /** null while none leads, or it is not known which. */
    leader(): ServerRecord | null;
  };
  /** What has been found to differ between memory and the store since the start. */
  readonly cacheCheck?: { readonly divergence: number };
  readonly legacy: boolean;
  /** How the snapshots stand that servers save by themselves; null where they do not. */
  readonly snapshots?: () => SnapshotsFacts | null;
  /** `-dev` pretty-prints every answer. */
  readonly pretty: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timing: Timing;
  readonly http: HttpSettings;
  readonly store: Store;
  readonly feed: Feed;
  readonly catalog: CatalogReader;
  readonly registry: Registry;
  /** Who may; every request's token is looked up here. */
  readonly access: AccessControl;
  /** Tokens, policies and roles, for the endpoints that are about them. */
  readonly acl: AccessParts;
  readonly queries: LiveQueries;
  readonly kv: Kv;
  readonly kvWrites: KvWrites;
  readonly sessions: Sessions;
  readonly sessionWrites: SessionWrites;
  readonly transactions: Transactions;
  readonly changes: Changes;
  /** How the region's other servers stand to this one; absent where there can be none. */
  readonly peers?: Pick<PeerLinks, 'status'>;
  readonly liveness: LivenessControl;
  readonly reach: NodeReach;
  readonly history: HistoryLog;
  readonly checkHistory: CheckHistory;
  readonly userEvents: UserEvents;
  /** The nodes this agent hosts by name; the first has Consul's agent API. */
  readonly nodes: ReadonlyMap<string, LocalNode>;
  readonly firstNode: string;
  /** Requests that become another protocol's, by path: links. */
  readonly upgrades: ReadonlyMap<string, UpgradeHandler>;
  /** Where DNS answers: `127.0.0.1:8600`; null when it is off. */
  dnsAddress(): string | null;
  /** Where HTTP answers: `http://127.0.0.1:8500`. */
  httpAddress(): string;
  /** Reads the configuration anew. @throws what is wrong with it; then everything stays as it was */
  reload(): Promise<void>;
  /** After the store was restored: has every node greet anew, and the configured management token there again. */
  restored(): Promise<void>;
  /** Ends the agent for good, after this answer. */
  leave(): void;
  readonly log: ApiLog;
}
