import { rm } from 'node:fs/promises';
import { DroverProcess, type DroverProcessOptions, type Home } from './drover-process.ts';
import { EtcdCluster } from './etcd-cluster.ts';
import { written, type Ground } from './ground.ts';
import { LoopbackGround } from './loopback-ground.ts';
import { quickFolder } from './quick-folder.ts';

/** What is started: three members of etcd, three servers and no agents, on loopback addresses with lines, unless told. */
export interface DroverClusterOptions {
  readonly members?: number;
  readonly servers?: number;
  readonly agents?: number;
  /** Where all of them are to stand; it goes with the cluster. */
  readonly ground?: Ground;
  /** Of servers and agents; `local` unless told. `lan` for what is not about speed: on a busy machine links of the other are lost and made again. */
  readonly timing?: 'local' | 'lan';
  /** More of the configuration of each server. */
  readonly serverConfiguration?: object;
  /** More of the configuration of an agent. */
  readonly agentConfiguration?: (index: number, at: Home) => object;
  /** Of how many of the servers agents are told at first: there they link, and learn of the others. All unless told. */
  readonly toldOf?: number;
  /** More of the environment of each process. */
  readonly env?: (name: string) => Readonly<Record<string, string>>;
}

interface Parts {
  readonly ground: Ground;
  readonly etcd: EtcdCluster;
  readonly servers: readonly DroverProcess[];
  readonly agents: readonly DroverProcess[];
}

/** Etcd, drover's servers and its agents as real processes; between any two of them is a line that can be cut. */
export class DroverCluster implements AsyncDisposable {
  readonly ground: Ground;
  readonly etcd: EtcdCluster;
  /** `server-0`… */
  readonly servers: readonly DroverProcess[];
  /** `agent-0`… */
  readonly agents: readonly DroverProcess[];
  readonly #stack: AsyncDisposableStack;

  private constructor({ ground, etcd, servers, agents }: Parts, stack: AsyncDisposableStack) {
    this.ground = ground;
    this.etcd = etcd;
    this.servers = servers;
    this.agents = agents;
    this.#stack = stack;
  }

  /** Resolves when all of them answer. */
  static async start(options: DroverClusterOptions = {}): Promise<DroverCluster> {
    const { members = 3, ground = new LoopbackGround({ lines: true }) } = options;
    await using stack = new AsyncDisposableStack();
    stack.use(ground);
    const etcd = stack.use(await EtcdCluster.start({ members, ground }));
    const folder = await quickFolder('drover-cluster-');
    stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    const servers = await prepareServers(options, { ground, folder, store: etcd.url });
    const agents = await prepareAgents(options, { ground, folder, servers });
    for (const one of [...servers, ...agents]) stack.use(one);
    // One after the other: together they would find etcd slow on a small machine.
    for (const server of servers) await server.start();
    await Promise.all(agents.map((agent) => agent.start()));
    return new DroverCluster({ ground, etcd, servers, agents }, stack.move());
  }

  /** All of drover's processes. */
  get processes(): readonly DroverProcess[] {
    return [...this.servers, ...this.agents];
  }

  /** Cuts a party off from all others, or from one other. */
  cut(party: string, other?: string): Promise<void> {
    return this.ground.cut(party, other);
  }

  heal(party: string, other?: string): Promise<void> {
    return this.ground.heal(party, other);
  }

  /** Cuts a server off from the members of etcd, and from nobody else. */
  async cutFromStore(server: string): Promise<void> {
    for (const member of this.#members) await this.ground.cut(member, server);
  }

  async healFromStore(server: string): Promise<void> {
    for (const member of this.#members) await this.ground.heal(member, server);
  }

  /** Every line is whole, everything runs; resolves when all of them answer. */
  async healAll(): Promise<void> {
    await this.ground.healAll();
    for (const one of this.processes) one.resume();
    await this.etcd.healAll();
    await Promise.all(this.processes.map((one) => one.start()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  get #members(): readonly string[] {
    return this.etcd.endpoints.map((_, index) => `etcd-${index}`);
  }
}

async function prepareServers(
  { servers: count = 3, serverConfiguration = {}, env = () => ({}), timing = 'local' }: DroverClusterOptions,
  { ground, folder, store }: { readonly ground: Ground; readonly folder: string; readonly store: string },
): Promise<DroverProcess[]> {
  const configuration = (): object => ({ timing, server: true, store, ...serverConfiguration });
  return prepare(count, (index) => {
    const name = `server-${index}`;
    return { name, ground, folder, configuration, env: env(name) };
  });
}

async function prepareAgents(
  {
    agents: count = 0,
    agentConfiguration = () => ({}),
    env = () => ({}),
    timing = 'local',
    toldOf,
  }: DroverClusterOptions,
  {
    ground,
    folder,
    servers,
  }: { readonly ground: Ground; readonly folder: string; readonly servers: readonly DroverProcess[] },
): Promise<DroverProcess[]> {
  const join = { timing, retry_join: servers.slice(0, toldOf).map(({ http }) => written(http.reached)) };
  const more = (index: number, at: Home): object => ({ ...join, ...agentConfiguration(index, at) });
  return prepare(count, (index) => ({
    name: `agent-${index}`,
    ground,
    folder,
    configuration: (at) => more(index, at),
    env: env(`agent-${index}`),
  }));
}

async function prepare(count: number, options: (index: number) => DroverProcessOptions): Promise<DroverProcess[]> {
  const prepared: DroverProcess[] = [];
  for (let index = 0; index < count; index++) prepared.push(await DroverProcess.prepare(options(index)));
  return prepared;
}
