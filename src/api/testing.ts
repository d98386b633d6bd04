import type { FastifyInstance } from 'fastify';
import type { AccessControl, AccessSettings } from '../access/index.ts';
import { FakeClock, TIMING } from '../lib/index.ts';
import { nodeRecordOf, type TestRegistry, type TestRegistryOptions } from '../registry/testing.ts';
import type { ApiContext } from './context.ts';
import { buildHttpServer } from './http-server.ts';
import { HTTP_SETTINGS, type HttpSettings } from './http-settings.ts';
import type { LocalNode } from './local-node.ts';
import { type AskOptions, askServer, type TestReply } from './testing-ask.ts';
import { TestNode } from './testing-node.ts';
import { startTestRegion } from './testing-region.ts';

export type { AskOptions, TestReply };

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
  const hosted = options.hosted ?? ['n1'];
  const { region, parts } = await startTestRegion({ ...options, clock, agent: hosted[0] }, stack);
  const nodes = await startTestNodes(hosted, region, clock, stack);
  const { context, ...told } = testContext(options, clock, parts, nodes);
  const server = await buildHttpServer(context);
  stack.defer(() => server.close());
  const running = stack.move();
  return {
    context,
    server,
    region,
    clock,
    node: nodes.get(context.firstNode) as TestNode,
    ...told,
    ask: (method, url, asked) => askServer(server, method, url, asked),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

type RegionParts = Awaited<ReturnType<typeof startTestRegion>>['parts'];

/** All that an agent fills in, and what it was told meanwhile. */
export function testContext(
  { isServer = true, legacy = false, pretty = false, http = HTTP_SETTINGS, reload = async () => {} }: TestApiOptions,
  clock: FakeClock,
  parts: RegionParts,
  nodes: ReadonlyMap<string, LocalNode>,
): { readonly context: ApiContext; readonly logged: readonly string[]; readonly left: () => number } {
  const logged: string[] = [];
  const note = (_fields: object, text: string): void => void logged.push(text);
  let left = 0;
  const context: ApiContext = {
    ...parts,
    isServer,
    legacy,
    forward: null,
    pretty,
    http,
    reload,
    upgrades: new Map(),
    reach: {
      provision: () => Promise.resolve(),
      provisions: () => Promise.resolve({ listener: null, provisions: [] }),
      answers: () => Promise.resolve(true),
    },
    liveness: { alarm: null, release: () => Promise.resolve(parts.feed.revision) },
    clock,
    nodes,
    version: '0.0.0',
    region: parts.catalog.region,
    random: () => 0,
    timing: TIMING.local,
    firstNode: [...nodes.keys()][0] ?? '',
    dnsAddress: () => '127.0.0.1:8600',
    httpAddress: () => 'http://127.0.0.1:8500',
    restored: () => Promise.resolve(),
    leave: () => void left++,
    log: { isDebug: false, debug: () => {}, info: () => {}, warn: note, error: note, tap: () => () => {} },
  };
  return { context, logged, left: () => left };
}

async function startTestNodes(
  hosted: readonly string[],
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
