import http from 'node:http';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { RuntimeClient } from '../../src/balancer/runtime.ts';
import { systemClock } from '../../src/lib/index.ts';
import { processesNaming } from './acceptance-processes.ts';
import type { NodeName, TestRegion } from './acceptance-region.ts';

/** What a client sent through a balancer and what came of it. */
export interface TrafficResult {
  readonly sent: number;
  readonly errors: readonly string[];
  /** Answers by the node that gave them. */
  readonly answeredBy: ReadonlyMap<string, number>;
}

/** Clients on kept-alive connections that go on asking until they are stopped. */
export class Traffic {
  readonly #agent: http.Agent;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #errors: string[] = [];
  readonly #answeredBy = new Map<string, number>();
  readonly #clients: Promise<void>[];
  #sent = 0;
  #stopped = false;

  constructor(target: { readonly host: string; readonly port: number }, options: { readonly connections: number }) {
    this.#target = target;
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: options.connections });
    this.#clients = Array.from({ length: options.connections }, () => this.#ask());
  }

  get sent(): number {
    return this.#sent;
  }

  async stop(): Promise<TrafficResult> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
    return { sent: this.#sent, errors: this.#errors, answeredBy: this.#answeredBy };
  }

  /** Leaves the machine room to do something else: a few milliseconds between requests. */
  async #ask(): Promise<void> {
    while (!this.#stopped) {
      // One in ten changes something, so nobody may send it twice.
      const method = this.#sent++ % 10 === 0 ? 'POST' : 'GET';
      const answer = await send({ ...this.#target, method, agent: this.#agent });
      if (answer.status === 200) this.#count(answer.body);
      else this.#errors.push(`${method}: ${answer.status} ${answer.body}`);
      await systemClock.sleep(5);
    }
  }

  #count(body: string): void {
    const { node } = JSON.parse(body) as { node: string };
    this.#answeredBy.set(node, (this.#answeredBy.get(node) ?? 0) + 1);
  }
}

/** Sends a request; a connection that fails is status 0. */
export function send(options: http.RequestOptions): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve) => {
    const request = http.request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', (error) => resolve({ status: 0, body: error.message }));
    });
    request.once('error', (error) => resolve({ status: 0, body: error.message })).end();
  });
}

/** Asks so many times on a connection each and says which nodes answered; `error` for what was none. */
export async function nodesAnswering(host: string, port: number, times: number): Promise<Set<string>> {
  const found = new Set<string>();
  for (let count = 0; count < times; count++) {
    const { status, body } = await send({ host, port, agent: false });
    found.add(status === 200 ? (JSON.parse(body) as { node: string }).node : `error ${status} ${body}`);
  }
  return found;
}

/** A node's HAProxy as it is by its own word. */
export interface Haproxy {
  readonly master: number;
  readonly worker: number;
  readonly reloads: number;
}

export async function haproxyOf(region: TestRegion, node: NodeName): Promise<Haproxy> {
  const socket = path.join(region.stateOf(node), 'balancer', 'master.sock');
  const text = await new RuntimeClient({ socket, clock: systemClock }).call('show proc');
  const [, master, reloads] = /^(\d+)\s+master\s+(\d+)/m.exec(text) ?? [];
  const [, worker] = /^(\d+)\s+worker\s/m.exec(text) ?? [];
  return { master: Number(master), worker: Number(worker), reloads: Number(reloads) };
}

/** Members of a backend that get requests, `<node>/<id>`, by the runtime's own word. */
export async function membersOf(region: TestRegion, node: NodeName, service: string): Promise<string[]> {
  const socket = path.join(region.stateOf(node), 'balancer', 'admin.sock');
  const text = await new RuntimeClient({ socket, clock: systemClock }).call('show stat');
  const rows = text.split('\n').map((line) => line.split(','));
  return rows
    .filter((row) => row[0]?.endsWith(service) && !['FRONTEND', 'BACKEND'].includes(row[1] ?? ''))
    .filter((row) => /^(UP|no check)/.test(row[17] ?? ''))
    .map((row) => decodeURIComponent((row[1] ?? '').replaceAll(':', '%')))
    .toSorted();
}

/** Every process of a region's HAProxies. */
export const haproxyPids = (region: TestRegion): number[] =>
  processesNaming(region.directory)
    .filter(({ command }) => /^\S*haproxy /.test(command))
    .map(({ pid }) => pid);

/** What a file is, so that a change of any kind shows. */
export async function pictureOf(file: string): Promise<object> {
  const { ino, mtimeMs, mode } = await stat(file);
  return { ino, mtimeMs, mode, content: await readFile(file, 'utf8') };
}

/** Looks again and again until it is stopped; gives all the different things it saw, in order. */
export function watchOf(look: () => Promise<string>): { stop(): Promise<string[]> } {
  const seen = new Set<string>();
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      seen.add(await look().catch((error: unknown) => String(error)));
      await systemClock.sleep(20);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await watching;
      return [...seen];
    },
  };
}
