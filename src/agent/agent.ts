import path from 'node:path';
import { HttpApi, type ApiContext, type LocalNode } from '../api/index.ts';
import { DnsServer, parseDnsOptions } from '../dns/index.ts';
import { messageOf, systemClock, TIMING, type Clock } from '../lib/index.ts';
import type { InstanceRecord } from '../registry/index.ts';
import type { AgentConfig, NodeConfig } from './config/config.ts';
import { dropDataDirectory, openDataDirectory } from './data-directory.ts';
import { clientModeUnavailable } from './errors.ts';
import type { Log } from './log.ts';
import { nodeRecordOf } from './node-record.ts';
import { Region } from './region.ts';
import { startNode, type StartedNode } from './start-node.ts';

const SERVER_PORT = 8_300;

/** What an agent is started with. */
export interface AgentOptions {
  readonly config: AgentConfig;
  readonly version: string;
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Reads the configuration again, for a reload. */
  readonly readConfig?: () => Promise<AgentConfig>;
  /** Called when the agent was told to leave; it still has to be disposed of. */
  readonly onLeave?: () => void;
}

/** One process: its nodes and, as a server, the region, HTTP and DNS (design 2). */
export class Agent implements AsyncDisposable {
  readonly #options: AgentOptions;
  readonly #stack: AsyncDisposableStack;
  readonly #nodes = new Map<string, StartedNode>();
  #config: AgentConfig;
  #http: HttpApi | null = null;
  #dns: DnsServer | null = null;
  #reloading: Promise<void> = Promise.resolve();

  /**
   * Starts everything in the order in which a change flows; what was started is stopped when a later part fails.
   *
   * @throws what the parts throw: STORE_…, DNS_…, API_…, LINK_…, AGENT_…
   */
  static async start(options: AgentOptions): Promise<Agent> {
    await using stack = new AsyncDisposableStack();
    const agent = new Agent(options);
    await agent.#start(stack);
    agent.#stack.use(stack.move());
    return agent;
  }

  private constructor(options: AgentOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#stack = new AsyncDisposableStack();
  }

  /** Where HTTP answers; null when it is switched off. */
  get httpAddress(): string | null {
    const { address } = this.#config.http;
    return this.#http === null ? null : `http://${bracketed(address)}:${this.#http.port}`;
  }

  /** Where DNS answers; null when it is switched off. */
  get dnsAddress(): string | null {
    return this.#dns === null ? null : `${bracketed(this.#config.dns.address)}:${this.#dns.port}`;
  }

  /** Names of the nodes it hosts, the first with the agent API. */
  get nodes(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /** Reads the configuration again and takes up what belongs to nodes. @throws what is wrong with it; then nothing changed */
  reload(): Promise<void> {
    const next = this.#reloading.catch(() => undefined).then(() => this.#reload());
    this.#reloading = next;
    return next;
  }

  /** Stops everything in reverse order. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  async #start(stack: AsyncDisposableStack): Promise<void> {
    const { config, log } = this.#options;
    if (!config.server) throw clientModeUnavailable();
    await openDataDirectory(config);
    stack.defer(() => dropDataDirectory(config));
    const clock = this.#options.clock ?? systemClock;
    const random = this.#options.random ?? Math.random;
    const [first] = config.nodes as [NodeConfig];
    const region = stack.use(
      await Region.start({ name: config.datacenter, server: first.name, store: config.store, clock, random, log }),
    );
    await this.#startDns(region, stack);
    for (const node of config.nodes) {
      const started = stack.use(await this.#startNode(node, region, node === first));
      this.#nodes.set(node.name, started);
    }
    await this.#startHttp(region, stack);
    for (const warning of config.warnings) log.warn({}, warning);
  }

  #startNode(config: NodeConfig, region: Region, isServer: boolean): Promise<StartedNode> {
    const { version, log } = this.#options;
    return startNode({
      config,
      datacenter: this.#config.datacenter,
      version,
      stateDirectory: path.join(this.#config.dataDirectory, 'nodes', encodeURIComponent(config.name)),
      scripts: this.#config.scripts,
      connect: () => region.connect(),
      ownInstances: isServer ? [serverInstance(version)] : [],
      timing: TIMING[this.#config.timing],
      clock: this.#options.clock ?? systemClock,
      random: this.#options.random ?? Math.random,
      log,
    });
  }

  async #startDns(region: Region, stack: AsyncDisposableStack): Promise<void> {
    const { config, log } = this.#options;
    if (config.dns.port < 0) return;
    const { catalog, feed, changes } = region.parts;
    const server = config.nodes[0]?.name ?? '';
    const dns = stack.use(
      await DnsServer.start({
        catalog,
        feed,
        options: dnsOptions(config, server),
        ...config.dns,
        clock: this.#options.clock ?? systemClock,
        onError: (error) => log.error({ err: error }, `DNS: ${messageOf(error)}`),
      }),
    );
    // The responder dropped its prebuilt answers in the same turn, before anyone hears of the commit.
    stack.defer(changes.addServerConsumer({ node: server, kind: 'dns', take: () => 'applied' }));
    this.#dns = dns;
  }

  async #startHttp(region: Region, stack: AsyncDisposableStack): Promise<void> {
    const { config } = this.#options;
    if (config.http.port < 0) return;
    this.#http = stack.use(await HttpApi.start({ context: this.#apiContext(region), ...config.http }));
  }

  #apiContext(region: Region): ApiContext {
    const { config, version, log, clock = systemClock, random = Math.random } = this.#options;
    const hosted = [...this.#nodes].map(([name, { node }]): [string, LocalNode] => [name, node]);
    return {
      ...region.parts,
      version,
      region: config.datacenter,
      legacy: config.legacy,
      pretty: config.dev,
      clock,
      random,
      timing: TIMING[config.timing],
      nodes: new Map(hosted),
      firstNode: config.nodes[0]?.name ?? '',
      dnsAddress: () => this.dnsAddress,
      httpAddress: () => this.httpAddress ?? '',
      reload: () => this.reload(),
      leave: () => this.#options.onLeave?.(),
      log,
    };
  }

  async #reload(): Promise<void> {
    const { readConfig, log, version } = this.#options;
    if (readConfig === undefined) return;
    const next = await readConfig();
    for (const config of next.nodes) {
      const record = nodeRecordOf(config, this.#config.datacenter, version);
      await this.#nodes.get(config.name)?.node.reconfigure(record, config);
    }
    const known = next.nodes.every((node) => this.#nodes.has(node.name)) && next.nodes.length === this.#nodes.size;
    if (!known)
      log.warn({}, 'nodes were added to or removed from the configuration: restart the agent to take that up');
    this.#config = { ...this.#config, nodes: next.nodes };
    log.info({}, 'the configuration was read again');
  }
}

/** The region's own service, which every server registers on its node as Consul's servers do. */
function serverInstance(version: string): InstanceRecord {
  return {
    id: 'consul',
    service: 'consul',
    tags: [],
    address: '',
    port: SERVER_PORT,
    meta: { version },
    weights: { passing: 1, warning: 1 },
    enableTagOverride: false,
    taggedAddresses: {},
  };
}

function dnsOptions(config: AgentConfig, server: string): ReturnType<typeof parseDnsOptions> {
  const { nodeTtlMs, serviceTtlMs, ...others } = config.dnsConfig;
  const seconds = (ms: number): number => Math.floor(ms / 1_000);
  return parseDnsOptions({
    ...others,
    domain: config.domain,
    altDomain: config.altDomain,
    datacenter: config.datacenter,
    legacy: config.legacy,
    servers: [server],
    ...(nodeTtlMs === undefined ? {} : { nodeTtl: seconds(nodeTtlMs) }),
    ...(serviceTtlMs === undefined
      ? {}
      : { serviceTtl: Object.fromEntries(Object.entries(serviceTtlMs).map(([name, ms]) => [name, seconds(ms)])) }),
  });
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
