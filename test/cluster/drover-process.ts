import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { endAllWith } from './end-all-with.ts';
import { GuardedProcess } from './guarded-process.ts';
import { written, type Entrance, type Ground, type Site } from './ground.ts';
import { until } from './until.ts';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');
/** A busy machine with two cores keeps this. */
const READY_MS = 60_000;
/** It is not to fall; one on a busy machine may find its etcd too slow. */
const MOST_FALLS = 5;

/** Where an agent is at home. */
export interface Home {
  readonly address: string;
  /** Goes with the cluster. */
  readonly folder: string;
}

/** One agent of a cluster. */
export interface DroverProcessOptions {
  /** Its first node's name, and what it is called among the parties. */
  readonly name: string;
  readonly ground: Ground;
  /** Below which it has a folder of its own. */
  readonly folder: string;
  /** Beside where it listens and what it is called; see docs/reference/configuration.md. */
  readonly configuration: (at: Home) => object;
  /** Beside the test's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** `drover agent` in a process of its own; killed, stopped and started again on the same data and places. */
export class DroverProcess implements AsyncDisposable {
  readonly name: string;
  readonly site: Site;
  /** Where HTTP answers: itself, and as the others call it. */
  readonly http: Entrance;
  readonly folder: string;
  readonly dnsPort: number;
  readonly #options: DroverProcessOptions;
  /** What it said each time that it ended by itself. While it is waited for it is then started again, as a supervisor would. */
  readonly falls: string[] = [];
  #expected = false;
  #process: GuardedProcess | null = null;

  private constructor(options: DroverProcessOptions, site: Site, ports: { http: Entrance; dnsPort: number }) {
    this.name = options.name;
    this.folder = path.join(options.folder, options.name);
    this.site = site;
    this.http = ports.http;
    this.dnsPort = ports.dnsPort;
    this.#options = options;
  }

  /** Finds its place; `start` starts it. */
  static async prepare(options: DroverProcessOptions): Promise<DroverProcess> {
    const site = await options.ground.site(options.name);
    const http = await options.ground.entrance(site, 8_500);
    const { listen } = await options.ground.entrance(site, 8_600);
    const one = new DroverProcess(options, site, { http, dnsPort: listen.port });
    await mkdir(one.folder, { recursive: true });
    await writeFile(one.#file, JSON.stringify(one.#configuration), { mode: 0o600 });
    return one;
  }

  /** `http://host:port`, not through its line. */
  get url(): string {
    return `http://${written(this.http.listen)}`;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  /** The end of what it said. */
  get said(): string {
    return this.#process?.said ?? '';
  }

  /** Starts its process, and resolves when HTTP answers. @throws with what it said when it falls again and again, or takes too long */
  async start(): Promise<void> {
    this.begin();
    await this.ready();
  }

  /** Starts its process, and waits for nothing. */
  begin(): void {
    if (this.running) return;
    const { prefix } = this.site;
    const [program, ...words] = [...prefix, DROVER, 'agent', '--config-file', this.#file];
    // What it keeps for a run goes with its folder, also when it is killed.
    const env = { ...this.#options.env, TMPDIR: this.folder };
    this.#process = GuardedProcess.start({ program, words, cwd: this.folder, env, removes: this.#options.folder });
    this.#options.ground.begun(this.name, this.#process.pid);
    this.#expected = false;
    const begun = this.#process;
    void begun.ended.then(() => this.#expected || this.falls.push(begun.said));
  }

  async ready(): Promise<void> {
    await until(
      () => this.#answers(),
      READY_MS,
      () => `${this.name} is not ready: ${this.said}`,
    );
  }

  /** Kills it as a loss of power would. */
  async kill(): Promise<void> {
    this.#expected = true;
    await this.#process?.kill();
  }

  /** Asks it to end. */
  async end(): Promise<void> {
    this.#expected = true;
    await this.#process?.end();
  }

  pause(): void {
    this.#process?.pause();
  }

  resume(): void {
    this.#process?.resume();
  }

  /** Also what outlives an agent that is killed: its HAProxy, and runs under their shim. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await endAllWith(`${this.folder}/`);
  }

  get #file(): string {
    return path.join(this.folder, 'agent.json');
  }

  get #configuration(): object {
    const { address, outerAddress } = this.site;
    return {
      node_name: this.name,
      data_dir: path.join(this.folder, 'data'),
      client_addr: address,
      advertise_addr: outerAddress,
      ports: { http: this.http.listen.port, dns: this.dnsPort },
      timing: 'local',
      ...this.#options.configuration({ address, folder: this.folder }),
    };
  }

  #fell(): void {
    if (this.falls.length > MOST_FALLS) throw new Error(`${this.name} ended: ${this.said}`);
    this.begin();
  }

  async #answers(): Promise<boolean> {
    if (!this.running) this.#fell();
    return this.answers();
  }

  /** Whether HTTP answers now. */
  async answers(): Promise<boolean> {
    const answer = await fetch(`${this.url}/v1/agent/self`, { signal: AbortSignal.timeout(1_000) }).catch(() => null);
    await answer?.body?.cancel();
    return answer?.ok === true;
  }
}
