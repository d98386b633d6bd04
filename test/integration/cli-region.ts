import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until as untilSo } from '../until.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DROVER = path.join(ROOT, 'bin/drover');
const START_MS = 20_000;

/** The documents' own definitions. */
export const SERVICE_FILES = path.join(ROOT, 'examples/seatgeek/data_bags/service');
export const DATASTORES = path.join(ROOT, 'examples/seatgeek/datastores.json');

/** How a command line ended and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** An agent of its own on free ports, with the node `app`, which is provisioned, and `bare`, which is not. */
export class CliRegion {
  readonly directory: string;
  readonly #children = new Set<ChildProcess>();
  readonly #servers = new Set<http.Server>();
  readonly #keeps: boolean;
  #address = '';
  #agent: Running | undefined;

  private constructor(directory: string, keeps: boolean) {
    this.directory = directory;
    this.#keeps = keeps;
  }

  /** `keeps`: its store is on disk, so that it can be started again. */
  static async start({ keeps = false }: { readonly keeps?: boolean } = {}): Promise<CliRegion> {
    const region = new CliRegion(await mkdtemp(path.join(tmpdir(), 'drover-cli-')), keeps);
    try {
      await region.#startAgent();
      return region;
    } catch (error) {
      await region[Symbol.asyncDispose]();
      throw error;
    }
  }

  get address(): string {
    return this.#address;
  }

  /** Ends the agent by a signal and starts it again over what it kept. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    this.#agent?.child.kill(signal);
    await this.#agent?.ended;
    await this.#startAgent();
  }

  path(...parts: string[]): string {
    return path.join(this.directory, ...parts);
  }

  /** Runs a command line against this agent, to its end. */
  drover(words: string | readonly string[], input = ''): Promise<Ended> {
    const { child, ended } = this.start(words);
    child.stdin?.end(input);
    return ended;
  }

  /** Starts a command line against this agent. */
  start(words: string | readonly string[], more: Record<string, string> = {}): Running {
    const list = typeof words === 'string' ? words.split(' ') : words;
    const { DROVER_TOKEN: _token, CONSUL_HTTP_TOKEN: _old, ...inherited } = process.env;
    // Never the default address: something else may answer there.
    const env = { ...inherited, DROVER_HTTP_ADDR: this.#address || 'http://127.0.0.1:1', ...more };
    const child = spawn(DROVER, list, { env, cwd: this.directory });
    this.#children.add(child);
    const ended = endOf(child);
    void ended.then(() => this.#children.delete(child));
    return { child, ended };
  }

  /** Starts and registers an instance of api, without which app-www has no environment; gives its port. */
  async registerApi(): Promise<number> {
    const api = http.createServer((_request, response) => response.end('{}'));
    this.#servers.add(api);
    await once(api.listen(0, '127.0.0.1'), 'listening');
    const { port } = api.address() as AddressInfo;
    const body = JSON.stringify({
      Name: 'api',
      Port: port,
      Check: { HTTP: `http://127.0.0.1:${port}/`, Interval: '500ms' },
    });
    const response = await fetch(`${this.#address}/v1/agent/service/register`, { method: 'PUT', body });
    if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`);
    return port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = [...this.#children].map((child) => new Promise((resolve) => child.once('close', resolve)));
    for (const child of this.#children) child.kill('SIGTERM');
    const late = setTimeout(() => {
      for (const child of this.#children) child.kill('SIGKILL');
    }, 5_000);
    await Promise.all(ends);
    clearTimeout(late);
    for (const server of this.#servers) server.close().closeAllConnections();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #startAgent(): Promise<void> {
    await mkdir(this.path('services.d'), { recursive: true });
    const provision = { command: ['/bin/sh', '-c', `cat ${this.path('provision')} | sh`] };
    const nodes = [
      {
        name: 'app',
        address: '127.0.0.1',
        runs: ['app-www'],
        environment: { directory: this.path('services.d') },
        provision,
      },
      { name: 'bare', address: '127.0.0.1' },
    ];
    await writeFile(this.path('provision'), 'exit 0\n');
    await writeFile(this.path('agent.json'), JSON.stringify({ server: true, timing: 'local', nodes }), { mode: 0o600 });
    const flags = [
      '-http-port',
      '0',
      '--dns-port=0',
      '--store',
      this.#keeps ? `sqlite:${this.path('store')}` : 'memory:',
      '--data-dir',
      this.path('data'),
    ];
    this.#agent = this.start(['agent', ...flags, '-config-file', this.path('agent.json')]);
    this.#address = await readyAddress(this.#agent.child, this.#agent.ended);
  }
}

function endOf(child: ChildProcess): Promise<Ended> {
  const said = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, ...said })));
}

/** Where the agent says that it answers. */
function readyAddress(child: ChildProcess, ended: Promise<Ended>): Promise<string> {
  const found = Promise.withResolvers<string>();
  let text = '';
  const look = (chunk: string): void => {
    text += chunk;
    const [, address] = /"http":"(http:[^"]+)"/.exec(text) ?? [];
    if (address !== undefined) found.resolve(address);
  };
  child.stdout?.on('data', look);
  child.stderr?.on('data', look);
  const timer = setTimeout(() => found.reject(new Error(`the agent is not ready: ${text}`)), START_MS);
  void ended.then(() => found.reject(new Error(`the agent ended: ${text}`)));
  return found.promise.finally(() => clearTimeout(timer));
}

/** Waits until a question is answered with yes. */
export async function until(question: () => boolean | Promise<boolean>, timeoutMs?: number): Promise<void> {
  await untilSo(() => question.toString(), question, timeoutMs);
}
