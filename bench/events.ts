import { fork, execFile } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AgentProcess } from './agent-process.ts';
import { cpuSeconds } from './http-load.ts';
import { percentile, rounded, type BenchOptions, type BenchResult } from './result.ts';

const BOUND_MS = 100;
const NODES = 100;
const FIRES = 60;
/** Fires of the scripts: each starts a hundred processes. */
const SCRIPT_FIRES = 10;
/** Fires on both sides that are not counted: connections are made and code is compiled. */
const WARM_UP = 5;
const LATEST_MS = 30_000;
const BETWEEN_MS = 100;

/**
 * An event is fired at a real agent that hosts a hundred nodes, each with a watch of events of its own: the time from the PUT until
 * each node's handler has it. HTTP handlers post to one sink in this process; script handlers are a `/bin/sh` each, which
 * writes into a pipe that this process reads. In turns with a bare server and a hundred waiting clients that post as well.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const fires = quick ? 3 : FIRES;
  const arrivals = new Arrivals();
  await using sink = await Sink.start(arrivals);
  await using bare = await Bare.start(sink.url);
  const [ours, baseline] = await withAgent(httpHandlers(sink.url), async (agent) => {
    const sides = [new Side(agent, arrivals), new Side(bare, arrivals)] as const;
    for (let n = 0; n < WARM_UP; n++) for (const side of sides) await side.fire();
    for (const side of sides) side.begin();
    // Who is first alternates.
    for (let n = 0; n < fires; n++) for (const side of n % 2 === 0 ? sides : sides.toReversed()) await side.fire();
    return sides;
  });
  const scripts = await throughScripts(arrivals, quick ? 1 : SCRIPT_FIRES);
  const rows = [
    { handlers: 'HTTP', ...ours.figures() },
    { handlers: 'bare server and clients', ...baseline.figures() },
    { handlers: 'script: one /bin/sh each', ...scripts.figures() },
  ];
  const ok = percentile(ours.times, 0.99) <= BOUND_MS;
  return { name: 'events', bound: `HTTP handlers of ${NODES} nodes: p99 ≤ ${BOUND_MS} ms`, rows, ok };
}

/** What is fired at, and its process. */
interface Fired {
  readonly pid: number;
  readonly fire: () => Promise<unknown>;
}

/** Times of one side, and the CPU time that it used for them. */
class Side {
  times: number[] = [];
  readonly #fired: Fired;
  readonly #arrivals: Arrivals;
  #fires = 0;
  #cpuSeconds = 0;

  constructor(fired: Fired, arrivals: Arrivals) {
    this.#fired = fired;
    this.#arrivals = arrivals;
  }

  /** Forgets what was: only what follows counts. */
  begin(): void {
    this.times = [];
    this.#fires = 0;
    this.#cpuSeconds = 0;
  }

  async fire(): Promise<void> {
    const before = cpuSeconds(this.#fired.pid);
    this.times.push(...(await this.#arrivals.of(() => this.#fired.fire())));
    this.#cpuSeconds += cpuSeconds(this.#fired.pid) - before;
    this.#fires++;
  }

  figures(): Record<string, number> {
    return {
      runs: this.times.length,
      'p50 ms': rounded(percentile(this.times, 0.5), 1),
      'p99 ms': rounded(percentile(this.times, 0.99), 1),
      'last ms': rounded(Math.max(...this.times), 1),
      'CPU ms a fire': rounded((this.#cpuSeconds * 1_000) / this.#fires, 1),
    };
  }
}

/** When each node's handler had the event that was just fired. */
class Arrivals {
  readonly #times = new Map<string, number>();
  #all = Promise.withResolvers<void>();

  note(node: string): void {
    if (!this.#times.has(node)) this.#times.set(node, performance.now());
    if (this.#times.size === NODES) this.#all.resolve();
  }

  /** ms from the fire until each has it. @throws an Error when not everyone has it in time */
  async of(fire: () => Promise<unknown>): Promise<number[]> {
    this.#times.clear();
    this.#all = Promise.withResolvers();
    const started = performance.now();
    await fire();
    const late = new AbortController();
    await Promise.race([
      this.#all.promise,
      sleep(LATEST_MS, undefined, { signal: late.signal }).then(() => {
        throw new Error(`${this.#times.size} of ${NODES} handlers ran in ${LATEST_MS} ms`);
      }),
    ]);
    late.abort();
    const times = [...this.#times.values()].map((time) => time - started);
    await sleep(BETWEEN_MS);
    return times;
  }
}

/** What HTTP handlers are sent to. */
class Sink implements AsyncDisposable {
  readonly url: string;
  readonly #server: http.Server;

  private constructor(server: http.Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(arrivals: Arrivals): Promise<Sink> {
    const server = http.createServer((request, response) => {
      request.resume().once('end', () => {
        arrivals.note(request.url ?? '');
        response.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Sink(server);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }
}

/** The baseline in a process of its own. */
class Bare implements AsyncDisposable, Fired {
  readonly pid: number;
  readonly fire: () => Promise<unknown>;
  readonly #stop: () => Promise<void>;

  private constructor({ pid, fire }: Fired, stop: () => Promise<void>) {
    this.pid = pid;
    this.fire = fire;
    this.#stop = stop;
  }

  static async start(sink: string): Promise<Bare> {
    const child = fork(path.join(import.meta.dirname, 'events-bare.ts'), [String(NODES), sink]);
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    await sleep(500);
    const fire = (): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/`, { method: 'PUT', body: '[{"Name":"bench"}]' });
    return new Bare({ pid: child.pid ?? 0, fire }, async () => {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop();
  }
}

const NAMES = Array.from({ length: NODES }, (_, n) => `n${n}`);

function httpHandlers(sink: string): object[] {
  return NAMES.map((name) => ({ handler_type: 'http', http_handler_config: { path: `${sink}/${name}` } }));
}

/** A real agent on a sqlite store, each node with a watch of the event and the handler that is given for it. */
async function withAgent<T>(handlers: readonly object[], task: (agent: Fired) => Promise<T>): Promise<T> {
  const nodes = NAMES.map((name, at) => ({ name, watches: [{ type: 'event', name: 'bench', ...handlers[at] }] }));
  await using agent = await AgentProcess.start({ config: { nodes } });
  const address = `http://127.0.0.1:${agent.started.httpPort}`;
  // A watch begins with what is fired after its first answer.
  await sleep(2_000);
  // Awaited here: the agent ends with this function.
  const fire = (): Promise<Response> => fetch(`${address}/v1/event/fire/bench`, { method: 'PUT', body: 'x' });
  return await task({ pid: agent.started.pid, fire });
}

async function throughScripts(arrivals: Arrivals, fires: number): Promise<Side> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'events-'));
  const pipe = path.join(folder, 'pipe');
  await promisify(execFile)('mkfifo', [pipe]);
  // Opened for both, so that it does not end with each writer; as a socket, since reading a file would hold a thread.
  const stream = new Socket({ fd: openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK), writable: false });
  createInterface({ input: stream }).on('line', (line) => arrivals.note(line));
  const handlers = NAMES.map(() => ({ args: ['/bin/sh', '-c', `echo "$DROVER_NODE" > ${pipe}`] }));
  try {
    return await withAgent(handlers, async (agent) => {
      const side = new Side(agent, arrivals);
      for (let n = 0; n < fires; n++) await side.fire();
      return side;
    });
  } finally {
    stream.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}
