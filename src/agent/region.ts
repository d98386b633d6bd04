import { randomUUID } from 'node:crypto';
import {
  Access,
  AccessWrites,
  AclState,
  TokenExpiry,
  type AccessParts,
  type AccessSettings,
  type AgentTokens,
} from '../access/index.ts';
import {
  Changes,
  CheckHistory,
  type ConsumerKind,
  HistoryAuthors,
  HistoryLog,
  HistoryReaper,
} from '../change/index.ts';
import type { UpgradeHandler } from '../api/index.ts';
import { EventLog, userEvents, type UserEvents } from '../event/index.ts';
import { Kv, KvWrites, sessionCompare, Sessions, SessionWrites, Transactions } from '../kv/index.ts';
import { SlotState } from '../listener/index.ts';
import { messageOf, type Clock, type Timing } from '../lib/index.ts';
import {
  channelPair,
  LinkPulse,
  NODE_LINK_PATH,
  nodeEntrance,
  PEER_LINK_PATH,
  PeerKey,
  type PeerLinks,
  PROTOCOL_VERSION,
  RegionLinks,
  type NodeChannel,
} from '../link/index.ts';
import {
  CacheCheck,
  Catalog,
  type Indexed,
  indexOf,
  KnownServers,
  LiveQueries,
  PREPARED_TOPIC,
  type PreparedParts,
  preparedParts,
  PreparedState,
  Registry,
  StoreFeed,
  TombstoneReaper,
} from '../registry/index.ts';
import { Compaction, Duties, type EtcdAccess, type Fence, fenceOf, type Store, type Write } from '../store/index.ts';
import { AlarmState, startLiveness, startNodeReaper, type Liveness, type TcpProbe } from './liveness/index.ts';
import type { Log } from './log.ts';
import { ReachNode } from './reach-node.ts';
import { startSlots } from './start-slots.ts';
import { openRegionStore } from './servers/open-region-store.ts';
import { RegionServers } from './servers/region-servers.ts';
import { writeWhenPossible } from './servers/write-when-possible.ts';
import { startPeers, type OpenPeer } from './servers/start-peers.ts';

/** How long the transitions of a check that is gone are kept where there is no history else. */
const CHECK_KEEP_MS = 86_400_000;

/** How access control is. */
export interface AccessOptions {
  readonly settings: AccessSettings;
  readonly legacy: boolean;
  readonly tokens: AgentTokens;
  /** A management token that there shall be; null: none. */
  readonly initialManagement: string | null;
  readonly takeResetIndex: () => Promise<number>;
}

/** What a server says of itself to the others. */
export interface ServerSelf {
  readonly version: string;
  /** Where its nodes are; where HTTP answers is said once it does. */
  readonly address: string;
  /** What its data directory is known by: one name is one directory's. */
  readonly place: string;
}

const NOBODY: ServerSelf = Object.freeze({ version: '', address: '127.0.0.1', place: '' });

/** What a region's server is made from. */
export interface RegionOptions {
  readonly name: string;
  /** The name of this server: its first node. */
  readonly server: string;
  /** `memory:` or `sqlite:DIR`; or a store that is open, which the region leaves open. */
  readonly store: string | Store;
  /** How an etcd is spoken to. */
  readonly etcd?: EtcdAccess | undefined;
  /** The server's data directory: what it has read of an etcd is mirrored there. */
  readonly directory?: string;
  /** What this server says of itself to the others. */
  readonly self?: ServerSelf;
  /** How long history is kept; 0: there is none. */
  readonly historyKeepMs: number;
  /** Bytes of a KV value at most. */
  readonly valueBytes: number;
  /** The least TTL of a session. */
  readonly sessionTtlMinMs: number;
  readonly accessControl: AccessOptions;
  readonly timing: Timing;
  /** Which parts of this server take changes up, in their own right: its DNS; none unless told. */
  readonly serverConsumers?: readonly ConsumerKind[];
  /** How channels to other servers are made; over WebSockets unless told. */
  readonly openPeer?: OpenPeer;
  /** How long nodes that are down or left are kept; 72 h unless told. */
  readonly reapAfterMs?: number;
  /** How long a partition alarm stands at most (decision 191); 10 min unless told. */
  readonly alarmForMs?: number;
  /** How instances of suspected nodes are looked at; over the network unless told. */
  readonly probe?: TcpProbe;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** The parts of a region's server, in the order in which they start. */
interface Parts extends PreparedParts {
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

/** The region's half of a server: store, catalog, registry, changes and the region's end of all links. */
export class Region implements AsyncDisposable {
  readonly parts: Parts;
  readonly #accessControl: AccessOptions;
  readonly #stack: AsyncDisposableStack;

  /** @throws STORE_IN_USE, STORE_UNUSABLE, STORE_NEWER_LAYOUT */
  static async start(options: RegionOptions): Promise<Region> {
    await using stack = new AsyncDisposableStack();
    const parts = await startParts(options, stack);
    return new Region(options, parts, stack.move());
  }

  private constructor({ accessControl }: RegionOptions, parts: Parts, stack: AsyncDisposableStack) {
    this.#accessControl = accessControl;
    this.parts = parts;
    this.#stack = stack;
  }

  /** A node's end of a new link to this server. */
  connect(): NodeChannel {
    const [node, region] = channelPair();
    this.parts.links.accept(region);
    return node;
  }

  /**
   * The store was restored: every node has to say again what it is and runs, and those that do not are gone. The management token
   * of the configuration is there again, whatever the snapshot held.
   */
  async greetAgain(): Promise<void> {
    this.parts.links.greetAgain('the region was restored from a snapshot');
    this.parts.liveness.expectAll();
    await ensureManagement(this.#accessControl, this.parts.acl);
  }

  /** Ends the links of other processes, before HTTP does: their nodes go to another server. */
  endRemoteLinks(): void {
    this.parts.links.endRemote('the server stops');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

type Report = (error: unknown) => void;

/** What a server keeps of the store in memory. */
interface States {
  readonly catalog: Catalog;
  readonly kv: Kv;
  readonly sessions: Sessions;
  readonly preparedState: PreparedState;
  readonly eventLog: EventLog;
  readonly aclState: AclState;
  readonly known: KnownServers;
  readonly alarms: AlarmState;
  readonly slots: SlotState;
}

async function startParts(options: RegionOptions, stack: AsyncDisposableStack): Promise<Parts> {
  const { clock, log, random, historyKeepMs: keepMs } = options;
  const report: Report = (error) => log.error({ err: error }, messageOf(error));
  const { store, checkpoint } = await openRegionStore(options, stack);
  const states = newStates(options, report);
  const { catalog, kv, sessions, preparedState, eventLog, aclState, alarms } = states;
  const { known } = states;
  const duties = stack.use(
    Duties.start({ store, holder: options.server, ttlMs: options.timing.dutyLeaseMs, clock, random, report }),
  );
  let loaded: StoreFeed | null = null;
  const fence = (name: string): Fence => fenceOf(duties.duty(name), () => loaded?.revision ?? 0);
  // Ends after the feed, and writes what it has seen last.
  const checkHistory = stack.use(
    new CheckHistory({ store, fence: fence('checks'), keepMs: keepMs || CHECK_KEEP_MS, clock, report }),
  );
  const projections = [
    catalog,
    kv,
    sessions,
    preparedState,
    eventLog,
    aclState,
    alarms,
    states.slots,
    checkHistory,
    known,
    new HistoryAuthors(),
  ];
  const feed = stack.use(
    await StoreFeed.start({ store, projections, clock, report, ...(checkpoint === undefined ? {} : { checkpoint }) }),
  );
  const key = new PeerKey();
  const servers = stack.use(await startServers(options, { store, feed, known, duties }, key));
  const takesWrites = (): boolean => store.status().leaderKnown && !store.status().full;
  const registry = stack.use(
    new Registry({
      feed,
      catalog,
      clock,
      server: options.server,
      history: keepMs > 0,
      held: { feed, takesWrites, report },
    }),
  );
  const changes = stack.use(await Changes.start({ feed, catalog, clock, owns: ownsOf(catalog, options.server) }));
  const queries = stack.use(await LiveQueries.start({ feed, index: indexOfStates(states), clock, random }));
  loaded = feed;
  stack.use(Compaction.start({ store, fence: fence('compactor'), clock, report }));
  const cacheCheck = stack.use(CacheCheck.start({ feed, store, clock, random, report }));
  stack.use(await TombstoneReaper.start({ store, feed, fence: fence('tombstones'), clock, report }));
  const alongside = (): Promise<unknown> => checkHistory.expire();
  stack.use(await HistoryReaper.start({ store, fence: fence('history'), keepMs, clock, alongside, report }));
  const acl = await startAccess(options, aclState, { feed, fence: fence('tokens') }, stack);
  const linked = await startLinks(
    options,
    { catalog, feed, alarms, known, slots: states.slots, fence: fence('liveness'), registry, changes, acl },
    stack,
  );
  const { peers, upgrade } = await startPeers(
    { ...options, serverConsumers: options.serverConsumers ?? [], servers, key, changes, feed, pulse: linked.pulse },
    stack,
  );
  linked.upgrades.set(PEER_LINK_PATH, upgrade);
  const tell = (): void => linked.links.tellServers(servers.reachable());
  stack.defer(servers.onChange(tell));
  tell();
  const session = (id: string): ReturnType<typeof sessionCompare> => sessionCompare(sessions, id);
  return {
    reach: new ReachNode({ links: linked.links, catalog, servers }),
    store,
    duties,
    servers,
    cacheCheck,
    peers,
    catalog,
    kv,
    sessions,
    feed,
    registry,
    changes,
    checkHistory,
    queries,
    ...linked,
    ...(await startWrites(options, states, { store, feed, duties, peers }, stack)),
    ...preparedParts({ state: preparedState, feed, catalog, agent: options.server, session }),
    history: new HistoryLog(store),
    acl,
    userEvents: userEvents(feed, eventLog, (text) => log.warn({}, text)),
  };
}

/** Whether a node has not gone over to another server. */
function ownsOf(catalog: Catalog, self: string): (node: string) => boolean {
  return (node) => (catalog.nodeState(node)?.owner?.server ?? self) === self;
}

function newStates({ name, clock }: RegionOptions, report: Report): States {
  return {
    catalog: new Catalog({ region: name, report }),
    kv: new Kv({ report }),
    sessions: new Sessions({ clock, report }),
    preparedState: new PreparedState({ report }),
    eventLog: new EventLog({ report }),
    aclState: new AclState({ report }),
    known: new KnownServers({ report }),
    alarms: new AlarmState({ report }),
    slots: new SlotState({ report }),
  };
}

function indexOfStates({ catalog, kv, sessions, preparedState, aclState }: States): Indexed['index'] {
  return indexOf(
    [
      ['kv/', kv],
      ['sess', sessions],
      [PREPARED_TOPIC, preparedState],
      ['acl/', aclState],
    ],
    catalog,
  );
}

type Writes = Pick<Parts, 'kvWrites' | 'transactions' | 'sessionWrites'>;

/** What changes keys and sessions; what is bound to a session goes with it. */
async function startWrites(
  { clock, historyKeepMs, log, valueBytes, sessionTtlMinMs: ttlMinMs }: RegionOptions,
  { catalog, kv, sessions, preparedState }: States,
  { store, feed, duties, peers }: Pick<Parts, 'store' | 'feed' | 'duties' | 'peers'>,
  stack: AsyncDisposableStack,
): Promise<Writes> {
  const report: Report = (error) => log.error({ err: error }, messageOf(error));
  const withSession = (id: string): readonly Write[] => preparedState.writesWithSession(id);
  // Nobody else writes a store of this process alone.
  const lags = store.status().engine !== 'sqlite';
  const written = { feed, kv, sessions, catalog, clock, withSession, history: historyKeepMs > 0, lags };
  const sessionWrites = stack.use(
    await SessionWrites.start({
      ...written,
      ttlMinMs,
      report,
      duty: duties.duty('sessions'),
      hearsAll: () => peers.hearsAll(),
      onRenewed: (id) => peers.renewed(id),
    }),
  );
  peers.followRenewals(
    (renewals) => sessionWrites.hear(renewals),
    () => sessionWrites.renewals(),
  );
  return {
    kvWrites: new KvWrites({ ...written, maxValueBytes: valueBytes }),
    transactions: new Transactions(written),
    sessionWrites,
  };
}

function startServers(
  { name, server, self = NOBODY, timing, clock, log }: RegionOptions,
  parts: Pick<Parts, 'store' | 'feed' | 'duties'> & { readonly known: KnownServers },
  { publicKey: linkKey }: PeerKey,
): Promise<RegionServers> {
  const { version, address, place } = self;
  const incarnation = `${place === '' ? server : place}.${randomUUID()}`;
  return RegionServers.start({
    ...parts,
    record: {
      name: server,
      address,
      httpPort: 0,
      version,
      datacenter: name,
      protocol: PROTOCOL_VERSION,
      incarnation,
      linkKey,
    },
    ttlMs: timing.serverLeaseMs,
    clock,
    report: (error) => log.error({ err: error }, messageOf(error)),
  });
}

type Links = Pick<Parts, 'links' | 'liveness' | 'pulse' | 'upgrades'>;

interface Linked extends Pick<Parts, 'catalog' | 'feed' | 'registry' | 'changes' | 'acl'> {
  readonly alarms: AlarmState;
  readonly slots: SlotState;
  readonly known: KnownServers;
  readonly fence: Fence;
}

async function startLinks(
  options: RegionOptions,
  { registry, changes, acl: { access }, ...judged }: Linked,
  stack: AsyncDisposableStack,
): Promise<Links> {
  const { server, timing, clock } = options;
  const isRunning = (name: string): boolean => name === server || judged.known.get(name) !== undefined;
  const liveness = stack.use(startLiveness({ ...options, ...judged, isRunning, links: () => links }));
  const links: RegionLinks = stack.use(
    await RegionLinks.start({
      server,
      authority: registry,
      access,
      changes,
      clock,
      onLinked: (node) => liveness.linked(node),
      onUnlinked: (node, reason, silentForMs) => liveness.unlinked(node, reason, silentForMs),
    }),
  );
  liveness.expectAll();
  stack.use(startNodeReaper({ ...options, ...judged }));
  stack.use(startSlots({ ...options, ...judged, links, liveness }));
  const pulse = stack.use(new LinkPulse({ clock, timing }));
  const entrance = stack.use(nodeEntrance(links, access, { pulse }));
  return { links, liveness, pulse, upgrades: new Map([[NODE_LINK_PATH, entrance.upgrade]]) };
}

const EXPIRY_EVERY_MS = 60_000;

async function startAccess(
  { accessControl, clock, log }: RegionOptions,
  state: AclState,
  { feed, fence }: { readonly feed: StoreFeed; readonly fence: Fence },
  stack: AsyncDisposableStack,
): Promise<AccessParts> {
  const { settings, legacy, tokens, takeResetIndex } = accessControl;
  const access = new Access({ state, tokens, settings, clock });
  const writes = new AccessWrites({ feed, state, clock, legacy });
  const warn = (text: string): void => log.warn({}, text);
  const ensure = (): Promise<void> => ensureManagement(accessControl, { writes });
  stack.defer(await writeWhenPossible(ensure, { clock, warn }));
  const report = (error: unknown): void => log.error({ err: error }, messageOf(error));
  if (settings.enabled) stack.use(TokenExpiry.start({ writes, fence, clock, report, everyMs: EXPIRY_EVERY_MS }));
  return { access, state, writes, tokens, takeResetIndex };
}

async function ensureManagement(
  { settings, initialManagement }: AccessOptions,
  { writes }: Pick<AccessParts, 'writes'>,
): Promise<void> {
  if (settings.enabled && initialManagement !== null) await writes.ensureManagement(initialManagement);
}
