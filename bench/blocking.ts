import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostOrder, HostReport } from './blocking-host.ts';
import { rounded, type BenchOptions, type BenchResult } from './result.ts';

const BOUND_US = 60;
const BOUND_SLICE_MS = 50;
const MANY = 10_000;
const FEW = 100;
/** Connections are opened so many at a time: the queue of a listening socket is short. */
const AT_ONCE = 200;
/** Who should not be woken has so long to show that they were. */
const SILENCE_MS = 500;

/**
 * 10,000 queries over as many sockets block in one server: a change to a service wakes exactly those that wait for it; then
 * all the others are woken by one change. CPU time is that of the server's thread alone.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const many = quick ? 500 : MANY;
  needFiles(many + FEW);
  await using host = await Host.start();
  const all = await host.block('all', many - FEW);
  const one = await host.block('one', FEW);
  await host.blocked(many);
  const few = await host.order({ change: 'one', left: many - FEW });
  await answered(one);
  await sleep(SILENCE_MS);
  const others = all.filter((client) => client.isAnswered).length;
  const again = await host.block('all', FEW);
  await host.blocked(many);
  const woken = await host.order({ change: 'all', left: 0 });
  await answered([...all, ...again]);
  const perWakeUs = (woken.cpuMs * 1_000) / many;
  const rows = [
    {
      'blocked queries': many,
      'woken by a change to one service of 100': many - few.waiters,
      'others woken': others,
      'CPU µs each when all are woken': rounded(perWakeUs, 1),
      'longest slice ms': rounded(woken.longestMs, 1),
    },
  ];
  const isExact = few.waiters === many - FEW && others === 0;
  const ok = isExact && woken.waiters === 0 && perWakeUs < BOUND_US && woken.longestMs <= BOUND_SLICE_MS;
  const bound = `only its waiters; < ${BOUND_US} µs CPU each; slices ≤ ${BOUND_SLICE_MS} ms`;
  return { name: 'blocking', bound, rows, ok };
}

/** @throws an Error that says how to get them, when a process may not have so many connections */
function needFiles(count: number): void {
  const [, soft = '0'] = /Max open files\s+(\d+|unlimited)/.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  const needed = count + 300;
  if (soft !== 'unlimited' && Number(soft) < needed)
    throw new Error(`${needed} open files are needed and ${soft} allowed: ulimit -n ${needed}`);
}

/** A client that asked once and waits. */
class Client {
  isAnswered = false;
  readonly socket: Socket;

  constructor(port: number, service: string, index: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.once('data', () => (this.isAnswered = true)).on('error', () => undefined);
    this.socket.write(`GET /v1/health/service/${service}?index=${index}&wait=10m HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  }
}

/** The server, and who waits on it. */
class Host implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #clients: Client[] = [];
  readonly #index: number;

  private constructor(child: ChildProcess, port: number, index: number) {
    this.#child = child;
    this.#port = port;
    this.#index = index;
  }

  static async start(): Promise<Host> {
    const file = path.join(import.meta.dirname, 'blocking-host.ts');
    const child = fork(file, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    const [{ port, index }] = (await once(child, 'message')) as [{ port: number; index: number }];
    return new Host(child, port, index);
  }

  async block(service: string, count: number): Promise<Client[]> {
    const clients: Client[] = [];
    while (clients.length < count) {
      const some = Array.from(
        { length: Math.min(AT_ONCE, count - clients.length) },
        () => new Client(this.#port, service, this.#index),
      );
      await Promise.all(some.map(({ socket }) => once(socket, 'connect')));
      clients.push(...some);
    }
    this.#clients.push(...clients);
    return clients;
  }

  /** Resolves once so many wait. */
  async blocked(count: number): Promise<void> {
    for (;;) {
      const { waiters } = await this.#ask<{ waiters: number }>('waiters');
      if (waiters === count) return;
      await sleep(20);
    }
  }

  order(order: HostOrder): Promise<HostReport> {
    return this.#ask<HostReport>(order);
  }

  async #ask<T>(message: HostOrder | 'waiters'): Promise<T> {
    const reply = once(this.#child, 'message') as Promise<[T]>;
    this.#child.send(message);
    return (await reply)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.#clients) socket.destroy();
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}

async function answered(clients: readonly Client[]): Promise<void> {
  while (!clients.every((client) => client.isAnswered)) await sleep(10);
}
