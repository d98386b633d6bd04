import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Receipt } from '../../src/change/index.ts';
import { LocalBalancer } from '../../src/balancer/index.ts';
import type { LocalBalancerOptions } from '../../src/balancer/index.ts';
import { systemClock, TIMING } from '../../src/lib/index.ts';
import type { Timing } from '../../src/lib/index.ts';
import type { Frontend, Member, NodeView } from '../../src/registry/index.ts';

export type SentReceipt = Omit<Receipt, 'node' | 'kind'>;

/** A node's view with these frontends. */
export function viewOf(revision: number, frontends: readonly Frontend[] | null, address = '127.0.0.1'): NodeView {
  const fingerprint = JSON.stringify([address, frontends]);
  return {
    revision,
    node: 'staging',
    address: '127.0.0.1',
    federation: 'default',
    region: 'aws',
    services: [],
    environments: [],
    balancer: frontends === null ? null : { address, frontends, skipped: [] },
    listener: { services: {}, membership: null, hash: '' },
    checks: {},
    choices: {},
    fingerprints: { environment: '', balancer: fingerprint, listener: '' },
  };
}

export function frontendOf(port: number, members: readonly Member[], rest: Partial<Frontend> = {}): Frontend {
  return { service: 'api', port, protocol: 'http', members, panicking: false, ...rest };
}

export function memberOf(name: string, port: number, rest: Partial<Member> = {}): Member {
  const [node = '', id = ''] = name.split('/');
  return { key: name, node, id, address: '127.0.0.1', port, weight: 1, draining: false, ...rest };
}

/** Ports that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(net.createServer())));
  const ports = servers.map(portOf);
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  return ports;
}

export async function listen<T extends net.Server>(server: T, port = 0): Promise<T> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port;

/** An instance of a service: answers its name. */
export async function startInstance(name: string): Promise<{ readonly port: number; readonly server: http.Server }> {
  const server = await listen(http.createServer((_request, response) => response.end(name)));
  return { port: portOf(server), server };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
}

export function get(port: number, options: http.RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (data: string) => (body += data));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
      response.on('error', reject);
    });
    request.on('error', reject).end();
  });
}

/** What a test started: balancers, their folders and receipts, and everything else to be cleaned up. */
export class BalancerBench implements AsyncDisposable {
  readonly receipts: SentReceipt[] = [];
  readonly directory: string;
  readonly #stack = new AsyncDisposableStack();

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<BalancerBench> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'drover-balancer-'));
    const bench = new BalancerBench(directory);
    bench.#stack.defer(() => rm(directory, { recursive: true, force: true }));
    return bench;
  }

  /** Disposed at the end, in reverse. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    return this.#stack.use(resource);
  }

  async balancer(options: Partial<LocalBalancerOptions> = {}): Promise<LocalBalancer> {
    const balancer = await LocalBalancer.start({
      node: 'staging',
      stateDirectory: this.directory,
      clock: systemClock,
      timing: TIMING.local,
      receipt: (receipt) => this.receipts.push(receipt),
      log: { info: () => undefined, warn: () => undefined },
      onStop: 'stop',
      ...options,
    });
    return this.use(balancer);
  }

  async instance(name: string): Promise<{ readonly port: number; readonly server: http.Server }> {
    const instance = await startInstance(name);
    this.#stack.defer(async () => {
      instance.server.closeAllConnections();
      if (instance.server.listening) await instance.server[Symbol.asyncDispose]();
    });
    return instance;
  }

  /** The timing that the balancers of a test have unless it says otherwise. */
  get timing(): Timing {
    return TIMING.local;
  }

  /** The last word about a revision. */
  receipt(revision: number): SentReceipt | undefined {
    return this.receipts.findLast((receipt) => receipt.revision === revision);
  }

  get configurationFile(): string {
    return path.join(this.directory, 'balancer', 'haproxy.cfg');
  }

  configuration(): Promise<string> {
    return readFile(this.configurationFile, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

/** The processes of a HAProxy by its configuration file: masters first have no HAProxy for a parent. */
export async function haproxyPids(configuration: string): Promise<{ master: number; workers: number[] }> {
  const { processesOf } = await import('../../src/balancer/leftovers.ts');
  const pids = processesOf(configuration);
  const parents = new Map<number, number>();
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const workers = pids.filter((pid) => pids.includes(parents.get(pid) ?? 0));
  return { master: pids.find((pid) => !workers.includes(pid)) ?? 0, workers };
}
