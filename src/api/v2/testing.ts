import { type AccessSettings, AclState } from '../../access/index.ts';
import { testAccess } from '../../access/testing.ts';
import assert from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';
import { Changes, CheckHistory, HistoryAuthors, HistoryLog, type Receipt } from '../../change/index.ts';
import { EventLog, userEvents } from '../../event/index.ts';
import { Kv, KvWrites, sessionCompare, Sessions, SessionWrites, Transactions } from '../../kv/index.ts';
import { FakeClock, TIMING } from '../../lib/index.ts';
import type { ListenerStatus } from '../../listener/index.ts';
import {
  LiveQueries,
  NODE_MAINTENANCE,
  type NodeRecord,
  preparedParts,
  PreparedState,
  type Registry,
  serviceMaintenance,
} from '../../registry/index.ts';
import { checkRecordOf, startTestRegistry, type RegionLiteral, type TestRegistry } from '../../registry/testing.ts';
import { MemoryStore, type Write } from '../../store/index.ts';
import type { ApiContext } from '../context.ts';
import { buildHttpServer } from '../http-server.ts';
import { HTTP_SETTINGS } from '../http-settings.ts';
import { v2Routes } from './routes.ts';
import type { ListenerControl, LocalNode } from '../local-node.ts';

/** A region in memory with `/v1` and `/v2` over it; the nodes named in `hosted` are this agent's. */
export interface TestApiOptions extends RegionLiteral {
  /** Default: every node of the literal. */
  readonly hosted?: readonly string[];
  /** Nodes with a listener that only counts. */
  readonly listeners?: readonly string[];
  readonly balancers?: Readonly<Record<string, object>>;
  readonly pretty?: boolean;
  /** Access control over the region's own tokens; off unless told. */
  readonly acl?: Partial<AccessSettings>;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Parsed when it is JSON; tests look into it freely. */
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface AskOptions {
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What tests drive. */
export interface TestApi extends AsyncDisposable {
  readonly server: FastifyInstance;
  readonly context: ApiContext;
  readonly region: TestRegistry;
  readonly changes: Changes;
  readonly clock: FakeClock;
  readonly registry: Registry;
  /** What the agent logged as an error. */
  readonly logged: readonly string[];
  ask(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD' | 'PATCH',
    url: string,
    options?: AskOptions,
  ): Promise<TestAnswer>;
  /** A consumer's word. */
  receipt(receipt: Receipt): void;
}

/** @example await using api = await startTestApi({ nodes: ['staging'] }); (await api.ask('GET', '/v2/status')).body.region */
// oxlint-disable-next-line max-lines-per-function -- it lists the parts of an agent
export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  await using stack = new AsyncDisposableStack();
  const clock = new FakeClock();
  const store = stack.use(await MemoryStore.start({ clock, base: 1 }));
  const checkHistory = new CheckHistory({ store, keepMs: 86_400_000, clock });
  const kv = new Kv();
  const sessions = new Sessions({ clock });
  const preparedState = new PreparedState();
  const aclState = new AclState();
  const eventLog = new EventLog();
  const region = stack.use(
    await startTestRegistry({
      ...options,
      store,
      clock,
      projections: [kv, sessions, preparedState, aclState, eventLog, checkHistory, new HistoryAuthors()],
    }),
  );
  const { catalog, feed, registry } = region;
  const acl = testAccess(aclState, feed, clock, { enabled: options.acl !== undefined, ...options.acl });
  const changes = stack.use(await Changes.start({ feed, catalog, clock }));
  const queries = stack.use(
    await LiveQueries.start({ feed, index: (topic) => catalog.index(topic), clock, random: () => 0 }),
  );
  const logged: string[] = [];
  const names = options.hosted ?? catalog.nodes().map((node) => node.record.name);
  const withSession = (id: string): readonly Write[] => preparedState.writesWithSession(id);
  const sessionWrites = stack.use(await SessionWrites.start({ feed, kv, sessions, catalog, clock, withSession }));
  const nodes = new Map(names.map((name) => [name, fakeNode(name, region, changes, options)]));
  const note = (_fields: object, text: string): void => void logged.push(text);
  const context: ApiContext = {
    version: '0.0.0-test',
    region: catalog.region,
    legacy: false,
    pretty: options.pretty ?? false,
    clock,
    random: () => 0,
    timing: TIMING.local,
    http: HTTP_SETTINGS,
    isServer: true,
    store,
    feed,
    catalog,
    registry,
    access: acl.access,
    acl,
    queries,
    kv,
    kvWrites: new KvWrites({ feed, kv, sessions, clock }),
    sessions,
    sessionWrites,
    transactions: new Transactions({ feed, kv, sessions, catalog, clock, withSession }),
    ...preparedParts({
      state: preparedState,
      feed,
      catalog,
      agent: names[0] ?? '',
      session: (id) => sessionCompare(sessions, id),
    }),
    userEvents: userEvents(feed, eventLog),
    changes,
    history: new HistoryLog(store),
    checkHistory,
    nodes,
    firstNode: names[0] ?? '',
    dnsAddress: () => '127.0.0.1:8600',
    httpAddress: () => 'http://127.0.0.1:8500',
    reload: () => Promise.resolve(),
    restored: () => {},
    leave: () => {},
    log: { isDebug: false, debug: () => {}, tap: () => () => {}, info: () => {}, warn: note, error: note },
  };
  const server = await buildHttpServer(context);
  stack.defer(() => server.close());
  const running = stack.move();
  return {
    server,
    context,
    region,
    changes,
    clock,
    registry,
    logged,
    ask: (method, url, asked) => ask(server, method, url, asked),
    receipt: (receipt) => changes.receipt(receipt),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function ask(
  server: FastifyInstance,
  method: string,
  url: string,
  { body, text, headers }: AskOptions = {},
): Promise<TestAnswer> {
  const isJson = body !== undefined || text !== undefined;
  const answer = await server.inject({
    method: method as 'GET',
    url,
    headers: { host: '127.0.0.1:8500', ...(isJson ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(isJson ? { payload: text ?? JSON.stringify(body) } : {}),
  });
  const type = String(answer.headers['content-type'] ?? '');
  if (answer.statusCode < 300 && method !== 'HEAD') checkForm(method, url, answer.payload);
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: type.includes('json') && answer.payload !== '' ? answer.json() : answer.payload,
  };
}

const IDLE: ListenerStatus = Object.freeze({
  enabled: true,
  running: false,
  queued: false,
  runs: 0,
  last: null,
  configured: true,
  causes: [],
  held: null,
  retryAt: null,
});

/** Every answer has the form that is documented, and nothing beside it. */
function checkForm(method: string, url: string, payload: string): void {
  const path = url.replace(/\?.*$/, '').split('/');
  const fits = (pattern: string): boolean => {
    const parts = pattern.split('/');
    return parts.length === path.length && parts.every((part, index) => part.startsWith('{') || part === path[index]);
  };
  const route = v2Routes().find((one) => one.method === method && fits(one.path));
  if (route === undefined) throw new Error(`${method} ${url} is not in the table`);
  const body = JSON.parse(payload) as unknown;
  assert.deepEqual(route.answer.parse(body), body, `${method} ${url}`);
}

/** A listener that notes what it is told and runs nothing. */
class CountingListener implements ListenerControl {
  #status = IDLE;

  status(): ListenerStatus {
    return this.#status;
  }

  on(): Promise<void> {
    return this.#become({ enabled: true, queued: true });
  }

  off(): Promise<void> {
    return this.#become({ enabled: false });
  }

  provision(): Promise<void> {
    return this.#become({ queued: true, causes: ['provision'] });
  }

  provisions(): readonly object[] {
    return [];
  }

  #become(change: Partial<ListenerStatus>): Promise<void> {
    this.#status = { ...this.#status, ...change };
    return Promise.resolve();
  }
}

function fakeNode(
  name: string,
  { catalog, registry }: TestRegistry,
  changes: Changes,
  options: TestApiOptions,
): LocalNode {
  const listener = options.listeners?.includes(name) === true ? new CountingListener() : null;
  const unsupported = (): never => {
    throw new TypeError('/v2 does not register');
  };
  return {
    get record(): NodeRecord {
      return catalog.node(name)?.record as NodeRecord;
    },
    services: () => [...(catalog.node(name)?.instances.values() ?? [])].map((one) => one.record),
    checks: () => [],
    registerService: unsupported,
    deregisterService: unsupported,
    registerCheck: unsupported,
    deregisterCheck: unsupported,
    updateTtl: unsupported,
    setMaintenance(serviceId, enable, reason) {
      const id = serviceId === null ? NODE_MAINTENANCE : serviceMaintenance(serviceId);
      if (!enable) return registry.report(name, [{ type: 'check-gone', id }]);
      const check = checkRecordOf({ id, serviceId: serviceId ?? '', status: 'critical', notes: reason });
      return registry.report(name, [{ type: 'check', check }]);
    },
    view: () => changes.view(name) ?? null,
    listener,
    balancerStatus: () => Promise.resolve(options.balancers?.[name] ?? null),
  };
}
