import {
  Access,
  AccessWrites,
  AclState,
  TokenExpiry,
  type AccessParts,
  type AccessSettings,
  type AgentTokens,
} from '../access/index.ts';
import { Changes, CheckHistory, HistoryAuthors, HistoryLog, HistoryReaper } from '../change/index.ts';
import { EventLog, userEvents, type UserEvents } from '../event/index.ts';
import { Kv, KvWrites, sessionCompare, Sessions, SessionWrites, Transactions } from '../kv/index.ts';
import { messageOf, type Clock, type Timing } from '../lib/index.ts';
import { channelPair, RegionLinks, type NodeChannel } from '../link/index.ts';
import {
  Catalog,
  indexOf,
  LiveQueries,
  PREPARED_TOPIC,
  preparedParts,
  type PreparedParts,
  PreparedState,
  Registry,
  StoreFeed,
  TombstoneReaper,
} from '../registry/index.ts';
import { openStore, type Store, type Write } from '../store/index.ts';
import { Liveness } from './liveness.ts';
import type { Log } from './log.ts';

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

/** What a region's server is made from. */
export interface RegionOptions {
  readonly name: string;
  /** The name of this server: its first node. */
  readonly server: string;
  /** `memory:` or `sqlite:DIR`. */
  readonly store: string;
  /** How long history is kept; 0: there is none. */
  readonly historyKeepMs: number;
  /** Bytes of a KV value at most. */
  readonly valueBytes: number;
  /** The least TTL of a session. */
  readonly sessionTtlMinMs: number;
  readonly accessControl: AccessOptions;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** The parts of a region's server, in the order in which they start. */
interface Parts extends PreparedParts {
  readonly store: Store;
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
  readonly acl: AccessParts;
}

/** The region's half of a server: store, catalog, registry, changes and the region's end of all links. */
export class Region implements AsyncDisposable {
  readonly parts: Parts;
  readonly #stack: AsyncDisposableStack;

  /** @throws STORE_IN_USE, STORE_UNUSABLE, STORE_NEWER_LAYOUT */
  static async start(options: RegionOptions): Promise<Region> {
    await using stack = new AsyncDisposableStack();
    const parts = await startParts(options, stack);
    return new Region(parts, stack.move());
  }

  private constructor(parts: Parts, stack: AsyncDisposableStack) {
    this.parts = parts;
    this.#stack = stack;
  }

  /** A node's end of a new link to this server. */
  connect(): NodeChannel {
    const [node, region] = channelPair();
    this.parts.links.accept(region);
    return node;
  }

  /** The store was restored: every node has to say again what it is and runs, and those that do not are gone. */
  greetAgain(): void {
    this.parts.links.greetAgain('the region was restored from a snapshot');
    this.parts.liveness.expectAll();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

async function startParts(options: RegionOptions, stack: AsyncDisposableStack): Promise<Parts> {
  const { clock, log, random } = options;
  const report = (error: unknown): void => log.error({ err: error }, messageOf(error));
  const store = stack.use(await openStore(options.store, { clock }));
  const catalog = new Catalog({ region: options.name, report });
  const kv = new Kv({ report });
  const sessions = new Sessions({ clock, report });
  const preparedState = new PreparedState({ report });
  const eventLog = new EventLog({ report });
  const aclState = new AclState({ report });
  const keepMs = options.historyKeepMs;
  // Ends after the feed, and writes what it has seen last.
  const checkHistory = stack.use(new CheckHistory({ store, keepMs: keepMs || CHECK_KEEP_MS, clock, report }));
  const feed = stack.use(
    await StoreFeed.start({
      store,
      projections: [catalog, kv, sessions, preparedState, eventLog, aclState, checkHistory, new HistoryAuthors()],
      clock,
      report,
    }),
  );
  const registry = new Registry({ feed, catalog, clock, history: keepMs > 0 });
  const changes = stack.use(await Changes.start({ feed, catalog, clock }));
  const index = indexOf(
    [
      ['kv/', kv],
      ['sess', sessions],
      [PREPARED_TOPIC, preparedState],
      ['acl/', aclState],
    ],
    catalog,
  );
  const queries = stack.use(await LiveQueries.start({ feed, index, clock, random }));
  stack.use(await TombstoneReaper.start({ store, feed, clock, report }));
  const alongside = (): Promise<unknown> => checkHistory.expire();
  stack.use(await HistoryReaper.start({ store, keepMs, clock, alongside, report }));
  const liveness = stack.use(new Liveness({ catalog, registry, timing: options.timing, clock, log }));
  const links = stack.use(
    await RegionLinks.start({
      server: options.server,
      authority: registry,
      changes,
      onLinked: (node) => liveness.linked(node),
      onUnlinked: (node, reason) => liveness.unlinked(node, reason),
    }),
  );
  liveness.expectAll();
  const withSession = (id: string): readonly Write[] => preparedState.writesWithSession(id);
  const written = { feed, kv, sessions, catalog, clock, withSession, history: keepMs > 0 };
  const kvWrites = new KvWrites({ ...written, maxValueBytes: options.valueBytes });
  const transactions = new Transactions(written);
  const sessionWrites = stack.use(await SessionWrites.start({ ...written, ttlMinMs: options.sessionTtlMinMs, report }));
  const prepared = {
    state: preparedState,
    feed,
    catalog,
    agent: options.server,
    session: (id: string) => sessionCompare(sessions, id),
  };
  const events = userEvents(feed, eventLog, (text) => log.warn({}, text));
  const history = new HistoryLog(store);
  const acl = await startAccess(options, aclState, feed, stack);
  return {
    store,
    catalog,
    kv,
    feed,
    registry,
    kvWrites,
    sessions,
    sessionWrites,
    transactions,
    ...preparedParts(prepared),
    changes,
    history,
    checkHistory,
    queries,
    links,
    liveness,
    acl,
    userEvents: events,
  };
}

const EXPIRY_EVERY_MS = 60_000;

async function startAccess(
  { accessControl, clock, log }: RegionOptions,
  state: AclState,
  feed: StoreFeed,
  stack: AsyncDisposableStack,
): Promise<AccessParts> {
  const { settings, legacy, tokens, initialManagement, takeResetIndex } = accessControl;
  const access = new Access({ state, tokens, settings, clock });
  const writes = new AccessWrites({ feed, state, clock, legacy });
  if (settings.enabled && initialManagement !== null) await writes.ensureManagement(initialManagement);
  const report = (error: unknown): void => log.error({ err: error }, messageOf(error));
  if (settings.enabled) stack.use(TokenExpiry.start({ writes, clock, report, everyMs: EXPIRY_EVERY_MS }));
  return { access, state, writes, tokens, takeResetIndex };
}
