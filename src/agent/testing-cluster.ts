import type { AccessSettings } from '../access/index.ts';
import { AgentTokens } from '../access/index.ts';
import { FakeClock, TIMING, type Timing } from '../lib/index.ts';
import {
  memoryChannels,
  NodeLink,
  type NodeChannel,
  type NodeLinkOptions,
  type PeerMessage,
  type PeerReply,
  type SpeakerChannel,
} from '../link/index.ts';
import type { NodeRegistration, ServerRecord } from '../registry/index.ts';
import { MemoryStore, type Store } from '../store/index.ts';
import { Region } from './region/region.ts';
import type { RegionOptions } from './region/region-options.ts';
import { lateChannel, lateStore, type DelayMs } from './testing-delays.ts';
import { testLog, type TestLog } from './testing.ts';

export interface TestClusterOptions {
  /** How many servers `s1`, `s2`, … there are; 2 unless told. */
  readonly servers?: number;
  readonly clock?: FakeClock;
  readonly timing?: Timing;
  /** Shared by all; a MemoryStore of its own unless told; one that is given is not closed. */
  readonly store?: Store;
  /** How late each message between servers, and each revision, arrives at a server; nothing is, unless told. */
  readonly delayMs?: DelayMs;
  /** Differences from how a region is started here. */
  readonly region?: Partial<RegionOptions>;
}

/** One server of a test cluster. */
export interface TestServer {
  readonly name: string;
  /** null while it is stopped. */
  readonly region: Region | null;
  /** The running region's parts. @throws while it is stopped */
  readonly parts: Region['parts'];
  readonly log: TestLog;
}

/** Several servers in one process over one store, on a fake clock. */
export interface TestCluster extends AsyncDisposable {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly servers: readonly TestServer[];
  /** The server of that place, from 0. */
  server(at: number): TestServer;
  /** A node's end of a new link to a server: to be greeted over by `NodeLink`, or by a node's keeper. */
  connect(at: number): NodeChannel;
  /** Links a node to a server with a greeting; a later attachment greets with a later epoch. */
  attach(at: number, registration: NodeRegistration, more?: Partial<NodeLinkOptions>): Promise<NodeLink>;
  /** Ends every link of nodes to a server, as a cable does: the server goes on. */
  cut(at: number, reason?: string): void;
  /** Cuts the line between two servers, both ways, until it is mended; both go on. */
  cutPeers(at: number, other: number): void;
  mendPeers(at: number, other: number): void;
  /** Stops a server, as a process that is told to. */
  stop(at: number): Promise<void>;
  /** Starts it again. */
  start(at: number): Promise<TestServer>;
  /** Lets time go by, at most a second, until every server hears every other that its line leads to. */
  linked(): Promise<void>;
  /** Lets everything that is under way come to rest; the clock stands. */
  settle(): Promise<void>;
}

/**
 * Starts servers over one store.
 *
 * @example
 * await using cluster = await startTestCluster({ servers: 3 });
 * const link = await cluster.attach(0, { node: nodeRecordOf({ name: 'n1' }), instances: [], checks: [] });
 */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await Cluster.start(options);
  return cluster;
}

/** Without access control. */
const SETTINGS: AccessSettings = Object.freeze({
  enabled: false,
  defaultPolicy: 'allow',
  keyListPolicy: false,
  datacenter: 'aws',
  node: 's1',
});

class Server implements TestServer {
  readonly name: string;
  readonly log: TestLog = testLog();
  readonly channels = new Set<NodeChannel>();
  region: Region | null = null;

  constructor(name: string) {
    this.name = name;
  }

  get parts(): Region['parts'] {
    if (this.region === null) throw new Error(`${this.name} is stopped`);
    return this.region.parts;
  }
}

class Cluster implements TestCluster {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly servers: readonly Server[];
  readonly #options: TestClusterOptions;
  readonly #epochs = new Map<string, number>();
  /** Open channels between servers, by line. */
  readonly #lines = new Map<string, Set<SpeakerChannel>>();
  readonly #cut = new Set<string>();

  static async start(options: TestClusterOptions): Promise<Cluster> {
    const clock = options.clock ?? new FakeClock({ nowMs: 1_000 });
    const store = options.store ?? (await MemoryStore.start({ clock, base: 1 }));
    const cluster = new Cluster(options, clock, store);
    await using stack = new AsyncDisposableStack();
    stack.use(cluster);
    for (const at of cluster.servers.keys()) await cluster.start(at);
    await cluster.linked();
    stack.move();
    return cluster;
  }

  private constructor(options: TestClusterOptions, clock: FakeClock, store: Store) {
    this.#options = options;
    this.clock = clock;
    this.store = store;
    this.servers = Array.from({ length: options.servers ?? 2 }, (_, at) => new Server(`s${at + 1}`));
  }

  server(at: number): Server {
    const server = this.servers[at];
    if (server === undefined) throw new Error(`there is no server ${at}`);
    return server;
  }

  connect(at: number): NodeChannel {
    const server = this.server(at);
    if (server.region === null) throw new Error(`${server.name} is stopped`);
    const channel = server.region.connect();
    server.channels.add(channel);
    return channel;
  }

  attach(at: number, registration: NodeRegistration, more: Partial<NodeLinkOptions> = {}): Promise<NodeLink> {
    const { name } = registration.node;
    const epoch = more.epoch ?? (this.#epochs.get(name) ?? 0) + 1;
    this.#epochs.set(name, epoch);
    return NodeLink.connect({ channel: this.connect(at), node: name, registration, choices: {}, ...more, epoch });
  }

  cut(at: number, reason = 'the line is cut'): void {
    const { channels } = this.server(at);
    for (const channel of channels) channel.close(reason);
    channels.clear();
  }

  cutPeers(at: number, other: number): void {
    const line = lineOf(this.server(at).name, this.server(other).name);
    this.#cut.add(line);
    for (const channel of this.#lines.get(line) ?? []) channel.close('the line is cut');
    this.#lines.delete(line);
  }

  mendPeers(at: number, other: number): void {
    this.#cut.delete(lineOf(this.server(at).name, this.server(other).name));
  }

  async stop(at: number): Promise<void> {
    const server = this.server(at);
    const { region } = server;
    server.region = null;
    server.channels.clear();
    if (region !== null) await this.#passing(region[Symbol.asyncDispose]());
  }

  async start(at: number): Promise<Server> {
    const server = this.server(at);
    if (server.region !== null) return server;
    const region = await this.#passing(Region.start(this.#regionOptions(server)));
    server.region = region;
    region.parts.changes.addServerConsumer({ node: server.name, kind: 'dns', take: () => 'applied' });
    await this.#passing(region.parts.servers.announce({ address: '127.0.0.1', httpPort: at + 1 }));
    return server;
  }

  async linked(): Promise<void> {
    const running = this.servers.filter(({ region }) => region !== null);
    const isLinked = (server: Server): boolean =>
      server.parts.peers
        .status()
        .every((one) => this.#cut.has(lineOf(server.name, one.server)) || (one.told && one.heard));
    for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 100) {
      await this.settle();
      const all = running.every((one) => isLinked(one) && one.parts.peers.status().length === running.length - 1);
      if (all) return;
      await this.clock.advance(100);
    }
    throw new Error(`the servers do not link: ${JSON.stringify(running.map(({ parts }) => parts.peers.status()))}`);
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) await this.clock.advance(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const at of this.servers.keys()) await this.stop(at);
    if (this.#options.store === undefined) await this.store[Symbol.asyncDispose]();
  }

  /** What waits for time to go by gets it. */
  async #passing<T>(task: Promise<T>): Promise<T> {
    let isOver = false;
    const over = task.finally(() => (isOver = true));
    over.catch(() => undefined);
    for (let waited = 0; !isOver && waited < 1_000; waited++) await this.clock.advance(waited < 10 ? 0 : 50);
    return over;
  }

  async #openPeer(from: string, { name }: ServerRecord): Promise<SpeakerChannel> {
    const line = lineOf(from, name);
    const peer = this.servers.find((one) => one.name === name)?.region;
    if (this.#cut.has(line)) throw new Error('the line is cut');
    if (peer === undefined || peer === null) throw new Error('connection refused');
    const [near, far] = memoryChannels<PeerReply, PeerMessage>();
    peer.parts.peers.accept(far);
    const { delayMs } = this.#options;
    const channel = delayMs === undefined ? near : lateChannel(near, this.clock, delayMs);
    this.#lines.set(line, (this.#lines.get(line) ?? new Set()).add(channel));
    return channel;
  }

  #regionOptions({ name, log }: Server): RegionOptions {
    const { delayMs } = this.#options;
    return {
      name: 'aws',
      server: name,
      store: delayMs === undefined ? this.store : lateStore(this.store, this.clock, delayMs),
      historyKeepMs: 3_600_000,
      valueBytes: 524_288,
      sessionTtlMinMs: 10_000,
      accessControl: {
        settings: SETTINGS,
        legacy: false,
        tokens: new AgentTokens(),
        initialManagement: null,
        takeResetIndex: () => Promise.resolve(0),
      },
      timing: this.#options.timing ?? TIMING.lan,
      clock: this.clock,
      random: () => 0.5,
      log,
      self: { version: '0.0.0', address: '127.0.0.1', place: name },
      serverConsumers: ['dns'],
      openPeer: (peer) => this.#openPeer(name, peer),
      ...this.#options.region,
    };
  }
}

function lineOf(one: string, other: string): string {
  return [one, other].toSorted().join(' ');
}
