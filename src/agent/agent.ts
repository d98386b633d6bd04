import path from 'node:path';
import { loadHttpApi, refuseTakenPort, type ApiContext, type HttpApi } from '../api/index.ts';
import { safeEnvironment } from '../health/index.ts';
import { messageOf, systemClock, TIMING, type Clock } from '../lib/index.ts';
import { LinkPulse, QuestionHandlers, type NodeChannel, type NodeQuestions } from '../link/index.ts';
import { DirectoryLock } from '../store/index.ts';
import type { AgentConfig, NodeConfig } from './config/config.ts';
import { accessOptionsOf } from './access-options.ts';
import type { AgentOptions } from './agent-options.ts';
import { AgentDns } from './agent-dns.ts';
import { dropDataDirectory, openDataDirectory } from './data-directory.ts';
import { dnsOptionsOf } from './dns-options.ts';
import { noRegion } from './errors.ts';
import { AgentHandlers } from './agent-handlers.ts';
import { HostedNodes } from './hosted-nodes.ts';
import { answerProbe, tcpProbe } from './liveness/index.ts';
import { apiLogOf } from './log.ts';
import { endLeftBalancers } from './left-balancers.ts';
import { nodeRecordOf } from './node-record.ts';
import { regionTargets } from './node-targets.ts';
import { JoinedRegion } from './joined/joined-region.ts';
import { JoinedServers } from './joined/servers.ts';
import { ServerDesk } from './joined/server-desk.ts';
import { ServerLinks } from './joined/server-links.ts';
import { Region } from './region/region.ts';
import type { AccessOptions, ServerSelf } from './region/region-options.ts';
import type { ScheduledSnapshots } from './snapshots/scheduled-snapshots.ts';
import { advertisedAddress } from './servers/advertised-address.ts';
import { serverPlace } from './servers/server-place.ts';
import { bracketed, ownAddress } from './own-address.ts';
import { ownerOf } from './owner.ts';
import { planReload, type DnsSettings } from './reload-plan.ts';
import { serverInstance } from './server-instance.ts';
import { startNode, type StartedNode } from './start-node.ts';

/** One process: its nodes and, as a server, the region, HTTP and DNS (design 2). */
export class Agent implements AsyncDisposable {
  readonly #options: AgentOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #nodes: HostedNodes;
  #stack = new AsyncDisposableStack();
  /** As it was at the start, with what a reload took up since; nodes know theirs. */
  #config: AgentConfig;
  /** The region, where it is in this process; else what there is of it here. */
  #region: Region | null = null;
  #joined: JoinedRegion | null = null;
  #links: ServerLinks | null = null;
  readonly #desk = new ServerDesk(() => this.#links?.any ?? null);
  /** What its nodes answer when the region asks. */
  readonly #questions = new QuestionHandlers<NodeQuestions>();
  #http: HttpApi | null = null;
  #handlers: AgentHandlers | null = null;
  #snapshots: ScheduledSnapshots | null = null;
  #dns: AgentDns | null = null;
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
    agent.#stack = stack.move();
    return agent;
  }

  private constructor(options: AgentOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#nodes = new HostedNodes({
      start: (config) => this.#startNode(config),
      change: (node, config) => this.#changeNode(node, config),
      log: options.log,
    });
  }

  /** Where HTTP answers; null when it is switched off. */
  get httpAddress(): string | null {
    const { addresses, sockets } = this.#config.http;
    if (this.#http === null) return null;
    const [address] = addresses;
    return address === undefined ? `unix://${sockets[0]?.path}` : `http://${bracketed(address)}:${this.#http.port}`;
  }

  /** Where DNS answers; null when it is switched off. */
  get dnsAddress(): string | null {
    const port = this.#dns?.servers?.port;
    return port === undefined ? null : `${bracketed(this.#config.dns.addresses[0] as string)}:${port}`;
  }

  /** Names of the nodes it hosts, the first with the agent API. */
  get nodes(): readonly string[] {
    return [...this.#nodes.local.keys()];
  }

  /**
   * Reads the configuration again and takes up what belongs to nodes; one after the other when asked for several times.
   *
   * @throws what is wrong with the configuration, and then nothing changed; or what could not be started
   */
  reload(): Promise<void> {
    const next = this.#reloading.catch(() => undefined).then(() => this.#reload());
    this.#reloading = next;
    return next;
  }

  /** Says to the region that its nodes leave, and ends what would outlive them; to be followed by disposing. */
  async leave(): Promise<void> {
    this.#region?.parts.liveness.rest();
    await this.#nodes.leave();
  }

  /** Stops everything in reverse order. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reloading.catch(() => undefined);
    await this.#stack.disposeAsync();
  }

  async #start(stack: AsyncDisposableStack): Promise<void> {
    const { config, log } = this.#options;
    await openDataDirectory(config);
    stack.defer(() => dropDataDirectory(config));
    stack.use(DirectoryLock.take(config.dataDirectory));
    const { addresses, port } = config.http;
    for (const address of addresses) await refuseTakenPort({ address, port });
    for (const warning of config.warnings) log.warn({}, warning);
    const starting = config.server ? this.#startRegion(stack) : this.#startJoined(stack);
    starting.catch(() => undefined);
    // While the store opens in its own thread, this one reads the code of HTTP.
    const loading = loadHttpApi();
    loading.catch(() => undefined);
    await starting;
    await this.#startDns(stack);
    stack.use(this.#nodes);
    stack.defer(() => this.#region?.parts.liveness.rest());
    await endLeftBalancers(config, this.#clock, log);
    await this.#nodes.start(config.nodes);
    await this.#startHttp(await loading, stack);
    if (this.#region !== null) void this.#announce(this.#region);
    await this.#startHandlers(stack);
  }

  async #startRegion(stack: AsyncDisposableStack): Promise<void> {
    const { config, log } = this.#options;
    const accessControl = await accessOptionsOf(config, firstOf(config).name);
    const region = await Region.start({
      accessControl,
      name: config.datacenter,
      server: firstOf(config).name,
      self: await this.#self(),
      onReplaced: this.#options.onFailed,
      signal: this.#options.signal,
      store: config.store,
      etcd: config.etcd,
      directory: config.dataDirectory,
      historyKeepMs: config.historyKeepMs,
      valueBytes: config.http.settings.valueBytes,
      sessionTtlMinMs: config.sessionTtlMinMs,
      reapAfterMs: config.reapAfterMs,
      alarmForMs: config.alarmForMs,
      // Said before DNS answers: a change that it may yet say something else of is waited for from the start.
      serverConsumers: config.dns.port < 0 ? [] : ['dns'],
      timing: TIMING[config.timing],
      clock: this.#clock,
      random: this.#random,
      log,
    });
    this.#region = stack.use(region);
    await this.#startSnapshots(region, stack);
  }

  async #startSnapshots({ parts: { store, duties } }: Region, stack: AsyncDisposableStack): Promise<void> {
    const { config, version, log } = this.#options;
    if (config.snapshots === null) return;
    const { ScheduledSnapshots } = await import('./snapshots/scheduled-snapshots.ts');
    this.#snapshots = stack.use(
      ScheduledSnapshots.start({
        ...config.snapshots,
        store,
        duty: duties.duty('snapshot'),
        datacenter: config.datacenter,
        version,
        clock: this.#clock,
        report: (error) => log.error({ err: error }, messageOf(error)),
      }),
    );
  }

  /** What an agent without a server has of the region: those that it can ask, and what it remembers of their answers. */
  async #startJoined(stack: AsyncDisposableStack): Promise<void> {
    const { config, log } = this.#options;
    const { clock, random } = { clock: this.#clock, random: this.#random };
    const accessControl = await accessOptionsOf(config, firstOf(config).name);
    const servers = config.join.length === 0 ? null : stack.use(await this.#openServers());
    this.#links = servers === null ? null : this.#linksTo(servers, accessControl, stack);
    const desk = this.#desk;
    this.#joined = stack.use(await JoinedRegion.start({ config, accessControl, servers, desk, clock, random, log }));
  }

  #linksTo(servers: JoinedServers, { tokens }: AccessOptions, stack: AsyncDisposableStack): ServerLinks {
    this.#questions.set('probe', answerProbe(tcpProbe(this.#clock)));
    this.#questions.set('stale', ({ topics }) => {
      this.#dns?.answers?.stale(topics);
      return {};
    });
    return new ServerLinks({
      servers,
      pulse: stack.use(new LinkPulse({ clock: this.#clock, timing: TIMING[this.#config.timing] })),
      token: () => tokens.get('agent') || tokens.get('default'),
      clock: this.#clock,
      onChange: () => this.#dns?.answers?.doubt(),
    });
  }

  #openServers(): Promise<JoinedServers> {
    const { config, log } = this.#options;
    const { heartbeatMs, reconnectJitterMs } = TIMING[config.timing];
    return JoinedServers.open({
      join: config.join,
      directory: config.dataDirectory,
      retryFirstMs: heartbeatMs,
      retryMostMs: Math.max(heartbeatMs, 2 * reconnectJitterMs),
      clock: this.#clock,
      random: this.#random,
      warn: (text) => log.warn({}, text),
    });
  }

  get #parts(): Region['parts'] | JoinedRegion['parts'] {
    return (this.#region ?? (this.#joined as JoinedRegion)).parts;
  }

  async #self(): Promise<ServerSelf> {
    const { config, version } = this.#options;
    return { version, address: firstOf(config).address, place: await serverPlace(config.dataDirectory) };
  }

  /** Tells the region's other servers and agents where this one is reached. */
  async #announce({ parts }: Region): Promise<void> {
    const { config, log } = this.#options;
    const { addresses } = config.http;
    const nodeAddress = firstOf(config).address;
    const { advertised, store } = config;
    const { address, warning } = advertisedAddress({ httpAddresses: addresses, nodeAddress, advertised, store });
    if (warning !== null) log.warn({}, warning);
    const httpPort = addresses.length === 0 ? 0 : (this.#http?.port ?? 0);
    await parts.servers.announce({ address, httpPort });
  }

  #startNode(config: NodeConfig): Promise<StartedNode> {
    const { version, log } = this.#options;
    const { datacenter, dataDirectory, dev, scripts, timing } = this.#config;
    const { catalog, feed } = this.#parts;
    return startNode({
      config,
      datacenter,
      version,
      stateDirectory: path.join(dataDirectory, 'nodes', encodeURIComponent(config.name)),
      keepsRegistrations: !dev,
      scripts,
      connect: (signal) => this.#connect(signal),
      isElsewhere: this.#region === null,
      onLinked: (link, channel) => this.#links?.linked(link, channel),
      onRefused: (channel) => this.#links?.refused(channel),
      questions: this.#questions,
      elsewhere: this.#joined?.targets ?? regionTargets(catalog, feed),
      ownInstances: this.#isServer(config) ? [serverInstance()] : [],
      timing: TIMING[timing],
      clock: this.#clock,
      random: this.#random,
      log,
    });
  }

  /** @throws AGENT_NO_REGION saying why there is no server to link to, or the signal's reason */
  #connect(signal: AbortSignal): NodeChannel | Promise<NodeChannel> {
    if (this.#region !== null) return this.#region.connect();
    if (this.#links !== null) return this.#links.connect(signal);
    throw noRegion([], '');
  }

  /** Whether a node is the server's own. */
  #isServer({ name }: NodeConfig): boolean {
    return this.#config.server && name === firstOf(this.#config).name;
  }

  async #changeNode({ node }: StartedNode, config: NodeConfig): Promise<void> {
    await node.reconfigure(nodeRecordOf(config, this.#config.datacenter, this.#options.version), config);
  }

  async #startDns(stack: AsyncDisposableStack): Promise<void> {
    const { config, log } = this.#options;
    const options = { config, node: firstOf(config).name, clock: this.#clock, log };
    if (this.#region !== null) this.#dns = stack.use(await AgentDns.startOnServer(options, this.#region));
    // Without a region every name would be answered with "there is no such name", and that be remembered.
    else if (this.#links !== null) this.#dns = stack.use(await AgentDns.startJoined(options, this.#desk));
  }

  async #startHttp(Http: typeof HttpApi, stack: AsyncDisposableStack): Promise<void> {
    const { config } = this.#options;
    if (config.http.port < 0) return;
    const { addresses, port } = config.http;
    const sockets = await Promise.all(
      config.http.sockets.map(async (one) => ({ ...one, owner: await ownerOf(one.owner) })),
    );
    this.#http = stack.use(await Http.start({ context: this.#apiContext(), addresses, port, sockets }));
    stack.defer(() => this.#region?.endRemoteLinks());
  }

  async #startHandlers(stack: AsyncDisposableStack): Promise<void> {
    const http = this.#http;
    if (http === null) return;
    this.#handlers = stack.use(
      await AgentHandlers.start({
        dataDirectory: this.#config.dataDirectory,
        ask: (token) => (question, signal) => http.ask(question, { token, signal }),
        address: ownAddress(this.httpAddress ?? ''),
        environment: safeEnvironment(process.env),
        clock: this.#clock,
        log: this.#options.log,
      }),
    );
    await this.#handlers.apply(this.#nodes.configs);
  }

  #apiContext(): ApiContext {
    const { config, version, log } = this.#options;
    return {
      ...this.#parts,
      access: this.#joined?.parts.access ?? this.#parts.acl.access,
      version,
      region: config.datacenter,
      isServer: config.server,
      forward: this.#joined?.forwarder ?? null,
      legacy: config.legacy,
      snapshots: () => this.#snapshots?.status ?? null,
      pretty: config.dev,
      clock: this.#clock,
      random: this.#random,
      timing: TIMING[config.timing],
      http: config.http.settings,
      nodes: this.#nodes.local,
      firstNode: firstOf(config).name,
      dnsAddress: () => this.dnsAddress,
      httpAddress: () => this.httpAddress ?? '',
      reload: () => this.reload(),
      restored: async () => this.#region?.greetAgain(),
      leave: () => this.#options.onLeave?.(),
      log: apiLogOf(log),
    };
  }

  /** Checks what DNS is to take up, and gives what takes it up. */
  #reloadDns(changed: DnsSettings | null): () => void {
    if (changed === null) return () => undefined;
    const next = { ...this.#config, ...changed };
    const options = dnsOptionsOf(next, firstOf(next).name);
    return () => {
      this.#dns?.reconfigure(options);
      this.#config = next;
    };
  }

  async #reload(): Promise<void> {
    const { readConfig, log } = this.#options;
    if (readConfig === undefined) return;
    const next = await readConfig();
    const { steps, dns, warnings } = planReload({ ...this.#config, nodes: this.#nodes.configs }, next);
    for (const warning of [...next.warnings, ...warnings]) log.warn({}, warning);
    const takeUpDns = this.#reloadDns(dns);
    try {
      await this.#nodes.apply(steps);
    } finally {
      await this.#handlers?.apply(this.#nodes.configs);
    }
    takeUpDns();
    this.#parts.acl.tokens.configure(next.acl.tokens);
    const taken = steps.map((step) => `${step.type} ${step.type === 'leave' ? step.name : step.config.name}`);
    log.info({ nodes: taken }, 'the configuration was read again');
  }
}

function firstOf({ nodes }: Pick<AgentConfig, 'nodes'>): NodeConfig {
  return nodes[0] as NodeConfig;
}
