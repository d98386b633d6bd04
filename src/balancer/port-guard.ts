import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { describeHolder, findPortHolder } from '../lib/index.ts';
import type { PortHolder } from '../lib/index.ts';
import { endpoint } from './wanted.ts';

const WORD_LENGTH = 200;
const ASK_TIMEOUT_MS = 500;

export interface PortGuardOptions {
  /** Told to other drovers that want the same port: `node staging`. */
  readonly owner: string;
}

/**
 * Keeps drovers of one machine off each other's ports and off strangers': HAProxy binds with SO_REUSEPORT, so that two
 * of them, or one and a stranger, would silently share a port (semantics 3).
 *
 * The lock of a port is a listening abstract Unix socket named after it: the kernel frees it with its process, it lives
 * in the same network namespace as the port, and whoever finds it taken can ask it for its owner.
 */
export class PortGuard implements AsyncDisposable {
  readonly #owner: string;
  readonly #locks = new Map<string, net.Server>();

  constructor(options: PortGuardOptions) {
    this.#owner = options.owner;
  }

  /**
   * Takes a port: null when it may be bound now, else why not, with the holder's name. `bound`: our own HAProxy has it
   * already, so that only the lock is taken.
   */
  async claim(address: string, port: number, bound: boolean): Promise<string | null> {
    const other = await this.#lock(address, port);
    if (other !== null) return `port ${endpoint(address, port)} is taken by the balancer of another drover, ${other}`;
    return bound ? null : await probe(address, port);
  }

  /** Gives up all ports but these. */
  async keepOnly(endpoints: ReadonlySet<string>): Promise<void> {
    const rest = [...this.#locks].filter(([name]) => !endpoints.has(name));
    const closed = rest.map(([name, server]) => {
      this.#locks.delete(name);
      return server[Symbol.asyncDispose]();
    });
    await Promise.all(closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.keepOnly(new Set());
  }

  async #lock(address: string, port: number): Promise<string | null> {
    const name = endpoint(address, port);
    if (this.#locks.has(name)) return null;
    const server = net.createServer((socket) =>
      socket.on('error', () => undefined).end(`${this.#owner}, pid ${process.pid}`),
    );
    const failure = await listen(server, { path: lockPath(name) });
    if (failure?.code === 'EADDRINUSE') return await askOwner(lockPath(name));
    if (failure !== null) return `whose lock says ${failure.message}`;
    server.unref();
    this.#locks.set(name, server);
    return null;
  }
}

/** Tries the port alone, without sharing; null when it is free. */
async function probe(address: string, port: number): Promise<string | null> {
  const server = net.createServer((socket) => socket.destroy());
  const failure = await listen(server, { host: address, port, exclusive: true });
  if (failure === null) {
    await server[Symbol.asyncDispose]();
    return null;
  }
  const where = `port ${endpoint(address, port)}`;
  if (failure.code === 'EADDRINUSE') return `${where} is taken by ${await nameHolder(address, port)}`;
  if (failure.code === 'EADDRNOTAVAIL') return `${where}: this machine has no address ${address}`;
  if (failure.code === 'EACCES') return `${where} may not be bound by this user`;
  return `${where}: ${failure.message}`;
}

async function nameHolder(address: string, port: number): Promise<string> {
  const holder = await findPortHolder(address, port);
  if (holder === null) return 'a process that cannot be seen from here';
  const drover = await droverNode(holder);
  return drover === null ? describeHolder(holder) : `${describeHolder(holder)}, the balancer of drover node ${drover}`;
}

/** The first line of a configuration that drover wrote names its node. */
async function droverNode(holder: PortHolder): Promise<string | null> {
  const file = holder.command[holder.command.lastIndexOf('-f') + 1];
  if (file === undefined || !file.endsWith('haproxy.cfg')) return null;
  const text = await readFile(file, 'utf8').catch(() => '');
  return /^# The balancer of drover node (.*?)\. Written by drover/.exec(text)?.[1] ?? null;
}

function lockPath(name: string): string {
  return `\0drover/balancer/${name}`;
}

/** Resolves when it listens (null) or with why it does not. */
function listen(server: net.Server, options: net.ListenOptions): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(options, () => {
      server.off('error', resolve);
      resolve(null);
    });
  });
}

function askOwner(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    let answer = '';
    const finish = (): void => {
      socket.destroy();
      resolve(answer.replace(/[^\x20-\x7e]/g, '').slice(0, WORD_LENGTH) || 'which does not say its name');
    };
    socket.setEncoding('utf8').setTimeout(ASK_TIMEOUT_MS, finish);
    socket.on('data', (data: string) => {
      answer += data;
      if (answer.length > WORD_LENGTH) finish();
    });
    socket.once('end', finish).once('error', finish);
  });
}
