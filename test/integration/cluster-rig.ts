import { Resolver } from 'node:dns/promises';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RuntimeClient } from '../../src/balancer/runtime.ts';
import { systemClock } from '../../src/lib/index.ts';
import type { DroverProcess } from '../cluster/drover-process.ts';
import type { Ground, Place, Site } from '../cluster/ground.ts';
import { GuardedProcess } from '../cluster/guarded-process.ts';
import { until } from '../cluster/until.ts';

/** A service's own program: HTTP that answers with its name, in a process that no agent has started. */
export class Program implements AsyncDisposable {
  readonly name: string;
  /** Where it listens, and is reached: not through a line, which would take connections for it. */
  readonly listen: Place;
  readonly #prefix: readonly string[];
  #process: GuardedProcess | null = null;

  private constructor(name: string, listen: Place, prefix: readonly string[]) {
    this.name = name;
    this.listen = listen;
    this.#prefix = prefix;
  }

  static async start(name: string, ground: Ground, site: Site): Promise<Program> {
    const { listen } = await ground.entrance(site, 80);
    const program = new Program(name, listen, site.prefix);
    await program.start();
    return program;
  }

  async start(): Promise<void> {
    const { host, port } = this.listen;
    const code = `require('node:http').createServer((q, a) => a.end(${JSON.stringify(this.name)})).listen(${port}, '${host}')`;
    const words = [...this.#prefix, process.execPath, '-e', code];
    this.#process = GuardedProcess.start({ program: 'env', words, cwd: '/' });
    await until(async () => (await said(this.listen)) === this.name, 20_000);
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** What a program answers; why not, where it does not. */
export function said({ host, port }: Place): Promise<string> {
  return new Promise((resolve) => {
    const request = http.get({ host, port, agent: false, timeout: 5_000 }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => (body += text));
      answer.once('end', () => resolve(answer.statusCode === 200 ? body : `${answer.statusCode} ${body.trim()}`));
      answer.once('error', (error) => resolve(error.message));
    });
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', (error) => resolve(error.message));
  });
}

export async function ask<T>(one: Pick<DroverProcess, 'url'>, url: string, init: RequestInit = {}): Promise<T> {
  const answer = await fetch(`${one.url}${url}`, { ...init, signal: AbortSignal.timeout(15_000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${url}: ${answer.status} ${text}`);
  return (text === '' ? null : JSON.parse(text)) as T;
}

/** Puts JSON. @throws with what was answered */
export function put<T = unknown>(one: Pick<DroverProcess, 'url'>, url: string, body: object): Promise<T> {
  return ask(one, url, {
    method: 'PUT',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
}

/** Addresses that an agent's DNS gives out for a service, in order; why none. */
export async function dnsOf(
  { site, dnsPort }: Pick<DroverProcess, 'site' | 'dnsPort'>,
  service: string,
): Promise<string> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([`${site.address}:${dnsPort}`]);
  const found = await resolver
    .resolve4(`${service}.service.consul`)
    .catch((error: unknown) => [(error as NodeJS.ErrnoException).code ?? 'failed']);
  return found.toSorted().join(' ');
}

/** Ids of instances that get traffic, in order. */
export async function passingOf(one: DroverProcess, service: string): Promise<string> {
  const rows = await ask<{ Service: { ID: string } }[]>(one, `/v1/health/service/${service}?passing`);
  return rows
    .map(({ Service }) => Service.ID)
    .toSorted()
    .join(' ');
}

/** Members of a node's HAProxy that get requests, `<node>/<id>` in order, by its own word. */
export async function membersOf({ folder, name }: DroverProcess, service: string): Promise<string> {
  const socket = path.join(folder, 'data/nodes', name, 'balancer/admin.sock');
  const text = await new RuntimeClient({ socket, clock: systemClock }).call('show stat').catch(() => '');
  const rows = text.split('\n').map((line) => line.split(','));
  return rows
    .filter((row) => row[0]?.endsWith(service) && !['FRONTEND', 'BACKEND'].includes(row[1] ?? ''))
    .filter((row) => /^(UP|no check)/.test(row[17] ?? ''))
    .map((row) => nameOf(row[1] ?? ''))
    .toSorted()
    .join(' ');
}

/** HAProxy's names have `:20` for a space. */
function nameOf(member: string): string {
  return member.replaceAll(/:([0-9A-F]{2})/gi, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Looks again and again, and keeps each answer that differs from the one before, with when it came. */
export class Follower {
  readonly seen: { readonly what: string; readonly atMs: number }[] = [];
  readonly #look: () => Promise<string>;
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(look: () => Promise<string>) {
    this.#look = look;
    this.#running = this.#run();
  }

  /** All that was seen, each once in the order of its first coming. */
  get answers(): string[] {
    return [...new Set(this.seen.map(({ what }) => what))];
  }

  async stop(): Promise<string[]> {
    this.#isOver = true;
    await this.#running;
    return this.answers;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const what = await this.#look().catch((error: unknown) => String(error));
      if (what !== this.seen.at(-1)?.what) this.seen.push({ what, atMs: performance.now() });
      await sleep(40);
    }
  }
}
