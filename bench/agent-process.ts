import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const DROVER = path.join(import.meta.dirname, '../bin/drover');
const STOP_MS = 15_000;

export interface AgentProcessOptions {
  /** The agent's configuration file, as an operator writes it. */
  readonly config?: object;
  /** The store's URL; `sqlite:` in the agent's folder unless told. */
  readonly store?: string;
  /** Servers that it joins, being none itself. */
  readonly join?: readonly string[];
  /** Made before the agent starts; the agent's store is `sqlite:` of it. */
  readonly fillStore?: (directory: string) => Promise<void>;
  /** How long it may take until it is ready; 30 s unless told. */
  readonly readyWithinMs?: number;
}

interface Started {
  readonly directory: string;
  readonly httpPort: number;
  readonly dnsPort: number;
  readonly pid: number;
  /** `performance.now()` just before it was spawned. */
  readonly spawnedAt: number;
}

/** A real agent, started as an operator starts it, on free ports and a sqlite store, with a folder that goes with it. */
export class AgentProcess implements AsyncDisposable {
  readonly started: Started;
  readonly #stack: AsyncDisposableStack;

  private constructor(started: Started, stack: AsyncDisposableStack) {
    this.started = started;
    this.#stack = stack;
  }

  /** Resolves when the agent says that it is ready. @throws an Error with its last words when it ends before */
  static async start(options: AgentProcessOptions = {}): Promise<AgentProcess> {
    await using stack = new AsyncDisposableStack();
    const directory = await mkdtemp(path.join(os.tmpdir(), 'agent-'));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    await options.fillStore?.(path.join(directory, 'store'));
    const file = path.join(directory, 'agent.json');
    await writeFile(file, JSON.stringify(options.config ?? {}));
    const spawnedAt = performance.now();
    const child = spawn(DROVER, argumentsOf(directory, file, options), { stdio: ['ignore', 'ignore', 'pipe'] });
    const kill = (): void => void child.kill('SIGTERM');
    process.once('exit', kill);
    stack.defer(() => void process.off('exit', kill));
    stack.defer(() => stop(child));
    const { http, dns } = await ready(child, options.readyWithinMs ?? 30_000);
    const started = { directory, httpPort: portOf(http), dnsPort: portOf(dns), pid: child.pid ?? 0, spawnedAt };
    return new AgentProcess(started, stack.move());
  }

  /** Where the agent keeps the state of one of its nodes. */
  nodeDirectory(node: string): string {
    return path.join(this.started.directory, 'data/nodes', encodeURIComponent(node));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

function argumentsOf(directory: string, file: string, { store, join }: AgentProcessOptions): string[] {
  const at = (name: string): string => path.join(directory, name);
  const state = ['--data-dir', at('data'), '--config-file', file, '--http-port', '0', '--dns-port', '0'];
  if (join !== undefined) return ['agent', ...join.flatMap((server) => ['--join', server]), ...state];
  return ['agent', '--server', '--store', store ?? `sqlite:${at('store')}`, ...state];
}

interface Ready {
  readonly http: string;
  readonly dns: string;
}

function ready(child: ChildProcess, withinMs: number): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const fail = (why: string): void => reject(new Error(`the agent ${why}: ${said.slice(-5).join('\n')}`));
    const timer = setTimeout(() => fail(`was not ready within ${withinMs} ms`), withinMs);
    child.once('exit', (code, signal) => fail(`ended with ${signal ?? code}`));
    child.once('error', reject);
    const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      said.push(line);
      if (said.length > 100) said.shift();
      if (!line.includes('"msg":"ready"')) return;
      clearTimeout(timer);
      resolve(JSON.parse(line) as Ready);
    });
  });
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}
