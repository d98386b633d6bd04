import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');
const START_MS = 20_000;
const STOP_MS = 10_000;

/** The management token of an agent with ACLs. */
export const ROOT_TOKEN = 'root-of-the-test';

/** How operators of Consul's old clients run an agent: `legacy`, ACLs on, everything allowed that no rule denies. */
export const LEGACY_CONFIGURATION = {
  node_name: 'legacy-1',
  acl: { enabled: true, default_policy: 'allow', tokens: { initial_management: ROOT_TOKEN } },
} as const;

export interface ConsulAgentOptions {
  /** `['-dev', '-legacy']` unless told; ports, data directory and configuration are added. */
  readonly flags?: readonly string[];
  /** With Consul's command line: `drover consul agent`. */
  readonly asConsul?: boolean;
  /** `LEGACY_CONFIGURATION` unless told. */
  readonly configuration?: object;
}

/** An agent in a process of its own, as Consul's clients meet it, on free ports. */
export class ConsulAgent implements AsyncDisposable {
  readonly host = '127.0.0.1';
  readonly directory: string;
  readonly #words: readonly string[];
  #child: ChildProcess | undefined;
  #port = 0;

  private constructor(directory: string, flags: readonly string[], asConsul: boolean) {
    this.directory = directory;
    this.#words = [...(asConsul ? ['consul'] : []), 'agent', ...flags];
  }

  static async start({
    flags = ['-dev', '-legacy'],
    configuration = LEGACY_CONFIGURATION,
    asConsul = false,
  }: ConsulAgentOptions = {}): Promise<ConsulAgent> {
    const agent = new ConsulAgent(await mkdtemp(path.join(tmpdir(), 'drover-consul-')), flags, asConsul);
    try {
      await writeFile(agent.#file, JSON.stringify(configuration), { mode: 0o600 });
      await agent.begin();
      return agent;
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      throw error;
    }
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://${this.host}:${this.#port}`;
  }

  /** Of its process. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts its process, on the port it had. */
  async begin(): Promise<void> {
    const own = ['-http-port', String(this.#port), '-dns-port', '0', '-data-dir', path.join(this.directory, 'data')];
    const child = spawn(DROVER, [...this.#words, ...own, '-config-file', this.#file], { cwd: this.directory });
    this.#child = child;
    this.#port = await portOf(child);
  }

  /** Sends its process a signal that does not end it. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGHUP'): void {
    this.#child?.kill(name);
  }

  /** Ends its process. */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  get #file(): string {
    return path.join(this.directory, 'agent.json');
  }
}

function portOf(child: ChildProcess): Promise<number> {
  const found = Promise.withResolvers<number>();
  let said = '';
  const look = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-16_384);
    const [, port] = /"http":"http:\/\/[^:]+:(\d+)"/.exec(said) ?? [];
    if (port !== undefined) found.resolve(Number(port));
  };
  child.stdout?.on('data', look);
  child.stderr?.on('data', look);
  child.once('close', () => found.reject(new Error(`the agent ended: ${said}`)));
  const timer = setTimeout(() => found.reject(new Error(`the agent is not ready: ${said}`)), START_MS);
  return found.promise.finally(() => clearTimeout(timer));
}
