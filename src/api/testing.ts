import type { FastifyInstance } from 'fastify';
import { type AccessControl, type AccessSettings, AclState } from '../access/index.ts';
import { testAccess } from '../access/testing.ts';
import { Changes, CheckHistory, HistoryAuthors, HistoryLog } from '../change/index.ts';
import { EventLog, userEvents } from '../event/index.ts';
import { Kv, KvWrites, sessionCompare, Sessions, SessionWrites, Transactions } from '../kv/index.ts';
import { FakeClock, TIMING } from '../lib/index.ts';
import { indexOf, LiveQueries, PREPARED_TOPIC, preparedParts, PreparedState } from '../registry/index.ts';
import { nodeRecordOf, startTestRegistry, type TestRegistry, type TestRegistryOptions } from '../registry/testing.ts';
import { MemoryStore, type Store, type Write } from '../store/index.ts';
import type { ApiContext } from './context.ts';
import { buildHttpServer } from './http-server.ts';
import { HTTP_SETTINGS, type HttpSettings } from './http-settings.ts';
import { TestNode } from './testing-node.ts';

export interface TestApiOptions extends TestRegistryOptions {
  readonly clock?: FakeClock;
  /** Nodes that the agent hosts; `n1` unless told. The first has Consul's agent API. */
  readonly hosted?: readonly string[];
  readonly legacy?: boolean;
  readonly pretty?: boolean;
  /** In place of tokens, policies and roles. */
  readonly access?: AccessControl;
  /** Access control over the region's own tokens; off unless told. */
  readonly acl?: Partial<AccessSettings>;
  readonly reload?: () => Promise<void>;
  readonly http?: HttpSettings;
  /** Yes unless told. */
  readonly isServer?: boolean;
}

/** What was asked and answered. */
export interface TestReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON. */
  readonly json: unknown;
}

export interface AskOptions {
  /** Sent as it is; anything but text and bytes as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the connection when aborted. */
  readonly signal?: AbortSignal;
}

/** An agent's HTTP API over a region in memory, with a clock that moves only when told. */
export interface TestApi extends AsyncDisposable {
  readonly context: ApiContext;
  readonly server: FastifyInstance;
  readonly region: TestRegistry;
  readonly clock: FakeClock;
  /** The first hosted node. */
  readonly node: TestNode;
  /** Texts of logged warnings and errors. */
  readonly logged: readonly string[];
  /** How often the agent was told to leave. */
  readonly left: () => number;
  ask(method: string, url: string, options?: AskOptions): Promise<TestReply>;
}

/**
 * Starts one.
 *
 * @example
 * await using api = await startTestApi({ nodes: [{ name: 'n2', services: ['web'] }] });
 * expect((await api.ask('GET', '/v1/catalog/services')).json).toEqual({ web: [] });
 */
export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  await using stack = new AsyncDisposableStack();
  const clock = options.clock ?? new FakeClock();
  const { region, nodes, parts } = await startTestParts(options, clock, stack);
  const logged: string[] = [];
  const note = (_fields: object, text: string): void => void logged.push(text);
  let left = 0;
  const context: ApiContext = {
    ...parts,
    ...settingsOf(options),
    version: '0.0.0',
    region: region.catalog.region,
    clock,
    random: () => 0,
    timing: TIMING.local,
    nodes,
    firstNode: firstOf(nodes),
    dnsAddress: () => '127.0.0.1:8600',
    httpAddress: () => 'http://127.0.0.1:8500',
    restored: () => {},
    leave: () => void left++,
    log: { isDebug: false, debug: () => {}, info: () => {}, warn: note, error: note, tap: () => () => {} },
  };
  const server = await buildHttpServer(context);
  stack.defer(() => server.close());
  const running = stack.move();
  return {
    context,
    server,
    region,
    clock,
    node: nodes.get(context.firstNode) as TestNode,
    logged,
    ask: (method, url, asked) => inject(server, method, url, asked),
    left: () => left,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function settingsOf(options: TestApiOptions): Pick<ApiContext, 'isServer' | 'legacy' | 'pretty' | 'http' | 'reload'> {
  return {
    isServer: options.isServer ?? true,
    legacy: options.legacy ?? false,
    pretty: options.pretty ?? false,
    http: options.http ?? HTTP_SETTINGS,
    reload: options.reload ?? (() => Promise.resolve()),
  };
}

/** What the API gets from the region, of a region in memory. */
type RegionParts = Omit<
  ApiContext,
  | keyof ReturnType<typeof settingsOf>
  | 'version'
  | 'region'
  | 'clock'
  | 'random'
  | 'timing'
  | 'nodes'
  | 'firstNode'
  | 'dnsAddress'
  | 'httpAddress'
  | 'restored'
  | 'leave'
  | 'log'
>;

interface TestParts {
  readonly region: TestRegistry;
  readonly nodes: Map<string, TestNode>;
  readonly parts: RegionParts;
}

async function startTestParts(
  options: TestApiOptions,
  clock: FakeClock,
  stack: AsyncDisposableStack,
): Promise<TestParts> {
  const store = options.store ?? stack.use(await MemoryStore.start({ clock, base: 1 }));
  const held = projectionsOver(store, clock);
  const { kv, sessions, preparedState, aclState, eventLog, checkHistory } = held;
  const projections = [...Object.values(held), new HistoryAuthors()];
  const region = stack.use(await startTestRegistry({ ...options, store, clock, projections }));
  const { feed, catalog, registry } = region;
  const changes = stack.use(await Changes.start({ feed, catalog, clock }));
  const index = indexOver(held, catalog);
  const { legacy = false } = options;
  const acl = testAccess(aclState, feed, clock, { enabled: options.acl !== undefined, ...options.acl, legacy });
  const queries = stack.use(await LiveQueries.start({ feed, index, clock, random: () => 0 }));
  const withSession = (id: string): readonly Write[] => preparedState.writesWithSession(id);
  const shared = { feed, kv, sessions, catalog, clock, withSession };
  const sessionWrites = stack.use(await SessionWrites.start(shared));
  const nodes = await startTestNodes(options, region, clock, stack);
  const session = (id: string): ReturnType<typeof sessionCompare> => sessionCompare(sessions, id);
  const parts: RegionParts = {
    store,
    feed,
    catalog,
    registry,
    access: options.access ?? acl.access,
    acl,
    queries,
    kv,
    kvWrites: new KvWrites({ feed, kv, sessions, clock }),
    sessions,
    sessionWrites,
    transactions: new Transactions(shared),
    ...preparedParts({ state: preparedState, feed, catalog, agent: firstOf(nodes), session }),
    userEvents: userEvents(feed, eventLog),
    changes,
    history: new HistoryLog(store),
    checkHistory,
  };
  return { region, nodes, parts };
}

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

function indexOver(
  { kv, sessions, preparedState, aclState }: ReturnType<typeof projectionsOver>,
  catalog: TestRegistry['catalog'],
): ReturnType<typeof indexOf> {
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

async function startTestNodes(
  { hosted = ['n1'] }: TestApiOptions,
  { registry, feed }: TestRegistry,
  clock: FakeClock,
  stack: AsyncDisposableStack,
): Promise<Map<string, TestNode>> {
  const nodes = new Map<string, TestNode>();
  for (const name of hosted) {
    const record = nodeRecordOf({ name, taggedAddresses: { lan: '127.0.0.1', wan: '127.0.0.1' } });
    nodes.set(name, stack.use(await TestNode.start({ record, registry, feed, clock })));
  }
  return nodes;
}

function firstOf(nodes: ReadonlyMap<string, unknown>): string {
  return [...nodes.keys()][0] ?? '';
}

async function inject(
  server: FastifyInstance,
  method: string,
  url: string,
  { body, headers = {}, signal }: AskOptions = {},
): Promise<TestReply> {
  const isRaw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
  const response = await server.inject({
    method: method as 'GET',
    url,
    headers: { host: '127.0.0.1:8500', ...headers },
    ...(body === undefined ? {} : { payload: isRaw ? (body as string | Buffer) : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    status: response.statusCode,
    headers: response.headers as Record<string, string>,
    bytes: response.rawPayload,
    text: response.payload,
    get json(): unknown {
      return JSON.parse(response.payload);
    },
  };
}
