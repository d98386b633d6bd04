import { Changes } from '../change/index.ts';
import { FakeClock, TIMING } from '../lib/index.ts';
import { channelPair, RegionLinks, type NodeChannel } from '../link/index.ts';
import { startTestRegistry, type RegionLiteral, type TestRegistry } from '../registry/testing.ts';
import { UNFENCED } from '../store/index.ts';
import type { NodeConfig } from './config/config.ts';
import { AlarmState, startLiveness, type Found, type Liveness } from './liveness/index.ts';
import { regionTargets } from './node-targets.ts';
import type { Log } from './log.ts';
import { startNode, type StartedNode } from './start-node.ts';

/** A log that remembers what it was told. */
export interface TestLog extends Log {
  readonly lines: readonly string[];
}

/** A log for tests: `warn: text`, one after the other. */
export function testLog(): TestLog {
  const lines: string[] = [];
  const at = (level: string) => (_fields: object, text: string) => void lines.push(`${level}: ${text}`);
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A region in memory with its end of all links. */
export interface TestRegion extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly registry: TestRegistry;
  readonly changes: Changes;
  readonly links: RegionLinks;
  readonly liveness: Liveness;
  readonly alarms: AlarmState;
  /** What probes find by `address:port`: `refuses` unless it is put here. */
  readonly found: Map<string, Found>;
  readonly log: TestLog;
  connect(): NodeChannel;
  /** Closes every link, as a server that goes away does. */
  cut(reason: string): void;
  /** Statuses by `node/check id`, as the region holds them. */
  statuses(): Record<string, string>;
}

/** A whole region on a fake clock. */
export async function startTestRegion(literal: RegionLiteral = {}): Promise<TestRegion> {
  await using stack = new AsyncDisposableStack();
  const clock = new FakeClock();
  const log = testLog();
  const alarms = new AlarmState();
  const registry = stack.use(await startTestRegistry({ ...literal, clock, projections: [alarms] }));
  const { feed, catalog } = registry;
  const changes = stack.use(await Changes.start({ feed, catalog, clock }));
  const found = new Map<string, Found>();
  const liveness = stack.use(
    startLiveness({
      server: 'server',
      catalog,
      feed,
      alarms,
      fence: UNFENCED,
      isRunning: (name) => name === 'server',
      links: () => links,
      probe: async ({ address, port }) => found.get(`${address}:${port}`) ?? 'refuses',
      timing: TIMING.lan,
      clock,
      random: () => 0.5,
      log,
    }),
  );
  const links: RegionLinks = stack.use(
    await RegionLinks.start({
      server: 'server',
      authority: registry.registry,
      changes,
      onLinked: (node) => liveness.linked(node),
      onUnlinked: (node, reason) => liveness.unlinked(node, reason),
    }),
  );
  liveness.expectAll();
  const channels: NodeChannel[] = [];
  const running = stack.move();
  return {
    clock,
    registry,
    changes,
    links,
    liveness,
    alarms,
    found,
    log,
    connect() {
      const [near, far] = channelPair();
      links.accept(far);
      channels.push(near);
      return near;
    },
    cut: (reason) => channels.splice(0).forEach((channel) => channel.close(reason)),
    statuses: () => statusesIn(registry),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function statusesIn({ catalog }: TestRegistry): Record<string, string> {
  const found = catalog.nodes().flatMap((node) => {
    const checks = [
      ...node.checks.values(),
      ...[...node.instances.values()].flatMap((one) => [...one.checks.values()]),
    ];
    return checks.map(({ record }): [string, string] => [`${node.record.name}/${record.id}`, record.status]);
  });
  return Object.fromEntries(found);
}

/** A node's configuration with every default filled in: no consumers, nothing registered. */
export function nodeConfigOf(literal: Partial<NodeConfig> = {}): NodeConfig {
  return {
    name: 'n1',
    id: null,
    address: '127.0.0.1',
    federation: 'default',
    runs: [],
    meta: {},
    balancer: null,
    environment: null,
    provision: null,
    services: [],
    checks: [],
    watches: [],
    reactions: [],
    ...literal,
  };
}

export interface TestNodeOptions extends Partial<NodeConfig> {
  /** Where it keeps its state; null keeps nothing. */
  readonly directory: string;
  readonly keepsRegistrations?: boolean;
  readonly scripts?: { readonly local: boolean; readonly remote: boolean };
}

/** A node of a test region, without consumers unless its configuration says so. */
export function startTestNode(region: TestRegion, options: TestNodeOptions): Promise<StartedNode> {
  const { directory, keepsRegistrations = true, scripts = { local: true, remote: false }, ...literal } = options;
  return startNode({
    config: nodeConfigOf(literal),
    datacenter: 'aws',
    version: '0.0.0',
    stateDirectory: directory,
    keepsRegistrations,
    scripts,
    connect: () => region.connect(),
    elsewhere: regionTargets(region.registry.catalog, region.registry.feed),
    ownInstances: [],
    timing: TIMING.lan,
    clock: region.clock,
    random: () => 0.5,
    log: region.log,
  });
}
