import { type AccessControl, type AccessSettings, AclState } from '../access/index.ts';
import { testAccess } from '../access/testing.ts';
import { Changes, CheckHistory, HistoryAuthors, HistoryLog } from '../change/index.ts';
import { EventLog, userEvents } from '../event/index.ts';
import { Kv, KvWrites, sessionCompare, Sessions, SessionWrites, Transactions } from '../kv/index.ts';
import type { FakeClock } from '../lib/index.ts';
import { indexOf, LiveQueries, PREPARED_TOPIC, preparedParts, PreparedState } from '../registry/index.ts';
import { startTestRegistry, type TestRegistry, type TestRegistryOptions } from '../registry/testing.ts';
import { MemoryStore, type Store, type Write } from '../store/index.ts';
import type { ApiContext } from './context.ts';

export interface TestRegionOptions extends TestRegistryOptions {
  readonly clock: FakeClock;
  /** The first node that the agent hosts. */
  readonly agent: string | undefined;
  readonly legacy?: boolean;
  /** In place of tokens, policies and roles. */
  readonly access?: AccessControl;
  /** Access control over the region's own tokens; off unless told. */
  readonly acl?: Partial<AccessSettings>;
}

/** A region in memory, and what the API gets from it. */
export async function startTestRegion(options: TestRegionOptions, stack: AsyncDisposableStack) {
  const { clock } = options;
  const store = options.store ?? stack.use(await MemoryStore.start({ clock, base: 1 }));
  const held = projectionsOver(store, clock);
  const projections = [...Object.values(held), new HistoryAuthors()];
  const region = stack.use(await startTestRegistry({ ...options, store, projections }));
  const { feed, catalog, registry } = region;
  const acl = accessOver(options, held, region);
  const parts = {
    store,
    feed,
    catalog,
    registry,
    access: options.access ?? acl.access,
    acl,
    queries: stack.use(await LiveQueries.start({ feed, index: indexOver(held, catalog), clock, random: () => 0 })),
    ...(await startWrites(options, held, region, stack)),
    userEvents: userEvents(feed, held.eventLog),
    changes: stack.use(await Changes.start({ feed, catalog, clock })),
    history: new HistoryLog(store),
    checkHistory: held.checkHistory,
  } satisfies Partial<ApiContext>;
  return { region, parts };
}

type Held = ReturnType<typeof projectionsOver>;

function projectionsOver(store: Store, clock: FakeClock) {
  return {
    kv: new Kv(),
    sessions: new Sessions({ clock }),
    preparedState: new PreparedState(),
    eventLog: new EventLog(),
    aclState: new AclState(),
    checkHistory: new CheckHistory({ store, keepMs: 86_400_000, clock }),
  };
}

function accessOver({ acl, clock, legacy = false }: TestRegionOptions, { aclState }: Held, { feed }: TestRegistry) {
  return testAccess(aclState, feed, clock, { enabled: acl !== undefined, ...acl, legacy });
}

function indexOver({ kv, sessions, preparedState, aclState }: Held, catalog: TestRegistry['catalog']) {
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

/** Keys, sessions, transactions and prepared queries: they go together where a session ends. */
async function startWrites(
  { agent = '', clock }: TestRegionOptions,
  { kv, sessions, preparedState }: Held,
  { feed, catalog }: TestRegistry,
  stack: AsyncDisposableStack,
) {
  const withSession = (id: string): readonly Write[] => preparedState.writesWithSession(id);
  const shared = { feed, kv, sessions, catalog, clock, withSession };
  const session = (id: string): ReturnType<typeof sessionCompare> => sessionCompare(sessions, id);
  return {
    kv,
    kvWrites: new KvWrites({ feed, kv, sessions, clock }),
    sessions,
    sessionWrites: stack.use(await SessionWrites.start(shared)),
    transactions: new Transactions(shared),
    ...preparedParts({ state: preparedState, feed, catalog, agent, session }),
  };
}
