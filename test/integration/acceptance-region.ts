import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DroverClient } from '../../client/src/index.ts';
import type { WireListener, WireTrace } from '../../client/src/index.ts';
import { connects, endOf, processesNaming, runProgram, signal } from './acceptance-processes.ts';
import { until } from '../until.ts';
import type { Ran } from './acceptance-processes.ts';

export const ROOT = path.resolve(import.meta.dirname, '../..');
export const DROVER = path.join(ROOT, 'bin/drover');
const EXAMPLE = path.join(ROOT, 'examples/seatgeek');
/** The provision command of every node. */
export const PROVISION = path.join(import.meta.dirname, 'acceptance-provision.mjs');
export const HTTP_PORT = 8500;
export const DNS_PORT = 8600;
export const DATABASE = 'mysql://user:password@db1:3306/app';

/** The nodes by name; `spare` requires nothing, `external` has no agent. */
const HOSTS = { staging: 1, 'api-1': 2, 'api-2': 3, spare: 4, external: 5 } as const;
export type NodeName = keyof typeof HOSTS;
const PROVISIONED = ['staging', 'api-1', 'api-2', 'spare'] as const;

/** One program that stands in for a service on a node. */
export interface StandIn {
  readonly service: 'api' | 'app-www' | 'elasticsearch';
  readonly node: NodeName;
}

const STAND_INS: readonly StandIn[] = [
  { service: 'elasticsearch', node: 'staging' },
  { service: 'api', node: 'api-1' },
  { service: 'api', node: 'api-2' },
  { service: 'app-www', node: 'staging' },
];
const PROGRAMS = {
  api: { program: 'api.mjs', port: 1100 },
  'app-www': { program: 'www.mjs', port: 8080 },
  elasticsearch: { program: 'elasticsearch.mjs', port: 9200 },
} as const;

/** A line of what the provision command wrote down. */
export interface ProvisionLine {
  readonly node: string;
  readonly from: 'listener' | 'hand';
  readonly event: 'start' | 'end';
  readonly pid: number;
  readonly at: number;
  readonly revision?: number;
  readonly causes?: readonly string[];
  /** DATABASE_URL in the view that the command was given. */
  readonly database?: string | null;
  /** What stood in the node's environment files. */
  readonly files?: string;
  readonly exitCode?: number;
}

type AgentConfig = Record<string, unknown> & { nodes: Record<string, unknown>[] };

export interface RegionOptions {
  /** Changes the agent's configuration before it is written. */
  readonly alter?: (config: AgentConfig, region: { address(node: NodeName): string; directory: string }) => void;
  /** Starts the programs that stand in for services, applies the example's definitions and waits until all are well; default true. */
  readonly furnished?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts the documents' system on addresses of its own, in a folder of its own. */
export async function startRegion(options: RegionOptions = {}): Promise<TestRegion> {
  const region = await TestRegion.prepare(options);
  try {
    await region.startAgent();
    if (options.furnished !== false) await region.furnish();
    return region;
  } catch (error) {
    await region[Symbol.asyncDispose]();
    throw error;
  }
}

/** The documents' system: an agent of three nodes and one that requires nothing, and programs that stand in for services. */
export class TestRegion implements AsyncDisposable {
  readonly directory: string;
  readonly client: DroverClient;
  readonly #subnet: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #standIns = new Map<string, ChildProcess>();
  #agent: ChildProcess | null = null;

  private constructor(directory: string, subnet: string, env: NodeJS.ProcessEnv) {
    this.directory = directory;
    this.#subnet = subnet;
    this.client = new DroverClient({ address: `http://${subnet}.1:${HTTP_PORT}` });
    this.#env = { ...env, DROVER_HTTP_ADDR: `http://${subnet}.1:${HTTP_PORT}` };
  }

  static async prepare(options: RegionOptions = {}): Promise<TestRegion> {
    const directory = await mkdtemp(path.join(tmpdir(), 'drover-acceptance-'));
    const region = new TestRegion(directory, await freeSubnet(), options.env ?? process.env);
    await mkdir(path.join(directory, 'provision'));
    await cp(path.join(EXAMPLE, 'data_bags/service'), path.join(directory, 'definitions'), { recursive: true });
    await cp(path.join(EXAMPLE, 'datastores.json'), path.join(directory, 'datastores.json'));
    await region.#copyConsulDirectory();
    const config = region.#config();
    options.alter?.(config, region);
    await writeFile(region.configFile, JSON.stringify(config, null, 2));
    return region;
  }

  get configFile(): string {
    return path.join(this.directory, 'agent.json5');
  }

  get dataDirectory(): string {
    return path.join(this.directory, 'agent');
  }

  get http(): string {
    return `http://${this.address('staging')}:${HTTP_PORT}`;
  }

  address(node: NodeName): string {
    return `${this.#subnet}.${HOSTS[node]}`;
  }

  stateOf(node: NodeName): string {
    return path.join(this.dataDirectory, 'nodes', node);
  }

  environmentFile(node: NodeName, service: string): string {
    return path.join(this.directory, 'nodes', node, 'services.d', `${service}.conf`);
  }

  get agentPid(): number {
    return this.#agent?.pid ?? 0;
  }

  get agentLog(): string {
    const file = path.join(this.directory, 'agent.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Starts the agent and waits until it answers. */
  async startAgent(): Promise<void> {
    const log = openSync(path.join(this.directory, 'agent.log'), 'a');
    const child = spawn(DROVER, ['agent', '--config-file', this.configFile], {
      stdio: ['ignore', log, log],
      detached: true,
      env: this.#env,
    });
    closeSync(log);
    this.#agent = child;
    await until(
      'the agent is ready',
      async () => {
        if (child.exitCode !== null) throw new Error(`the agent ended at its start:\n${this.agentLog}`);
        return this.client.status().then(
          (status) => status.ready,
          () => false,
        );
      },
      20_000,
    );
  }

  /** Runs another agent with this region's configuration that is expected to end by itself, soon. */
  async runAgent(...flags: string[]): Promise<Ran> {
    const args = ['agent', '--config-file', this.configFile, ...flags];
    return runProgram(DROVER, args, { env: this.#env, timeout: 15_000 });
  }

  async killAgent(): Promise<void> {
    await this.#endAgent('SIGKILL');
  }

  async stopAgent(): Promise<void> {
    await this.#endAgent('SIGTERM');
  }

  async #endAgent(name: NodeJS.Signals): Promise<void> {
    const agent = this.#agent;
    if (agent?.pid === undefined) return;
    signal(agent.pid, name);
    await endOf(agent);
    this.#agent = null;
  }

  /** Applies definitions and datastores with the CLI, starts every stand-in and waits until all is well and at rest. */
  async furnish(): Promise<void> {
    for (const args of [
      ['datastore:import', path.join(this.directory, 'datastores.json')],
      ['service:apply', path.join(this.directory, 'definitions')],
    ]) {
      const ran = await this.drover(...args);
      if (ran.code !== 0) throw new Error(`drover ${args.join(' ')}: ${ran.stderr}`);
    }
    await Promise.all(STAND_INS.map((one) => this.start(one.service, one.node)));
    await this.untilHealthy();
    await this.untilAtRest();
  }

  async untilHealthy(): Promise<void> {
    await until('every service passes', async () => {
      const services = await this.client.services();
      return services.length > 0 && services.every((one) => one.instances > 0 && one.health === 'passing');
    });
  }

  /** Waits until no provision runs or is queued anywhere. */
  async untilAtRest(nodes: readonly NodeName[] = PROVISIONED): Promise<void> {
    await until('no provision runs or is queued', async () => {
      const all = await Promise.all(nodes.map((node) => this.listener(node)));
      return all.every((one) => !one.running && !one.queued);
    });
  }

  listener(node: NodeName): Promise<WireListener> {
    return this.client.listener({ node });
  }

  /** Runs `bin/drover` against this region. */
  drover(...args: string[]): Promise<Ran> {
    return runProgram(DROVER, args, { env: this.#env, cwd: this.directory });
  }

  /** A `bin/drover` that goes on running. */
  spawnDrover(...args: string[]): ChildProcess {
    return spawn(DROVER, args, { env: this.#env, cwd: this.directory, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Starts a stand-in on its node's own address and waits until it takes connections; app-www as the document has it: `. FILE && command`. */
  async start(service: StandIn['service'], node: NodeName, port: number = PROGRAMS[service].port): Promise<void> {
    const { program } = PROGRAMS[service];
    const host = this.address(node);
    // The last word marks the process as this region's.
    const command = [path.join(EXAMPLE, 'programs', program), node, host, String(port), this.directory];
    const file = this.environmentFile(node, service);
    if (service === 'app-www') await until(`${file} is written`, () => existsSync(file));
    const child =
      service === 'app-www'
        ? spawn('/bin/sh', ['-c', '. "$0" && exec "$@"', file, process.execPath, ...command], { stdio: 'ignore' })
        : spawn(process.execPath, command, { stdio: 'ignore' });
    this.#standIns.set(`${service}@${node}`, child);
    await until(`${service} listens on ${host}:${port}`, () => connects(host, port));
  }

  /** Ends a stand-in; SIGTERM lets it answer what is in flight. */
  async end(service: StandIn['service'], node: NodeName, name: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#standIns.get(`${service}@${node}`);
    if (child === undefined) return;
    child.kill(name);
    await endOf(child);
    this.#standIns.delete(`${service}@${node}`);
  }

  async endAll(): Promise<void> {
    for (const one of Array.from(this.#standIns.values())) {
      one.kill('SIGTERM');
      await endOf(one);
    }
    this.#standIns.clear();
  }

  /** Everything that provision commands wrote down so far. */
  provisionLines(): ProvisionLine[] {
    const file = path.join(this.directory, 'provisions.log');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as ProvisionLine);
  }

  /** The starts that were written down after the first so many lines, of all nodes or of one. */
  startsSince(lines: number, node?: NodeName): ProvisionLine[] {
    return this.provisionLines()
      .slice(lines)
      .filter((line) => line.event === 'start' && (node === undefined || line.node === node));
  }

  /** How long the next provisions of a node take and how they end. */
  async tellProvision(node: NodeName, told: { readonly takesMs?: number; readonly exitCode?: number }): Promise<void> {
    const file = path.join(this.directory, 'provision', `${node}.json`);
    await writeFile(`${file}.new`, JSON.stringify(told));
    await rename(`${file}.new`, file);
  }

  setDatabase(value: string): Promise<number> {
    return this.client.setDatastore('PRIMARY_DATABASE_URL', value).then((changed) => changed.revision);
  }

  /** A `/v1` call with a JSON body; gives the revision of the change. Throws when it is refused. */
  async put(route: string, body?: unknown): Promise<number> {
    const answer = await fetch(`${this.http}${route}`, {
      method: 'PUT',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`PUT ${route}: ${answer.status} ${text}`);
    return Number(answer.headers.get('x-drover-revision'));
  }

  /** The trace of a revision once it has arrived everywhere. */
  async arrived(revision: number, withinMs = 10_000): Promise<WireTrace> {
    return until(
      `r${revision} has arrived everywhere`,
      async () => {
        const trace = await this.client.trace(revision);
        return trace.converged ? trace : null;
      },
      withinMs,
    );
  }

  /** Ends everything, also what outlives the agent, and removes the folder. Throws when something could not be ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgent();
    for (const { pid } of processesNaming(this.directory)) {
      signal(pid, 'SIGKILL');
      signal(pid, 'SIGCONT');
    }
    await until('nothing of the region is left', () => processesNaming(this.directory).length === 0);
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #copyConsulDirectory(): Promise<void> {
    const name = 'consul.d/check_elasticsearch.json';
    const text = await readFile(path.join(EXAMPLE, name), 'utf8');
    await mkdir(path.join(this.directory, 'consul.d'));
    await writeFile(path.join(this.directory, name), text.replaceAll('127.0.0.1', this.address('staging')));
  }

  /** As `examples/seatgeek/agent.json5`, elsewhere. */
  #config(): AgentConfig {
    const [staging, api1, api2] = [this.address('staging'), this.address('api-1'), this.address('api-2')];
    const api = (address: string) => ({
      name: 'api',
      port: 1100,
      check: { http: `http://${address}:1100/status`, interval: '1s' },
    });
    const node = (name: NodeName, rest: object) => ({
      name,
      address: this.address(name),
      environment: { directory: path.join(this.directory, 'nodes', name, 'services.d') },
      provision: { command: [process.execPath, PROVISION, this.directory] },
      ...rest,
    });
    return {
      datacenter: 'aws',
      server: true,
      client_addr: staging,
      ports: { http: HTTP_PORT, dns: DNS_PORT },
      data_dir: './agent',
      timing: 'local',
      nodes: [
        node('staging', {
          runs: ['app-www', 'elasticsearch'],
          balancer: { address: staging, on_stop: 'stop' },
          config_dir: 'consul.d',
          services: [{ name: 'app-www', port: 8080, check: { tcp: `${staging}:8080`, interval: '1s' } }],
        }),
        node('api-1', { runs: ['api'], services: [api(api1)] }),
        node('api-2', { runs: ['api'], services: [api(api2)] }),
        node('spare', {}),
      ],
    };
  }
}

/** Loopback addresses that nobody else uses: `127.x.y`. */
async function freeSubnet(): Promise<string> {
  for (;;) {
    const pick = (): number => 2 + Math.floor(Math.random() * 250);
    const subnet = `127.${pick()}.${pick()}`;
    const taken = await Promise.all(Object.values(HOSTS).map((host) => connects(`${subnet}.${host}`, HTTP_PORT)));
    if (taken.every((one) => !one)) return subnet;
  }
}
