import { once } from 'node:events';
import { lchown, lstat, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { systemClock } from '../lib/index.ts';
import { httpSocketTaken } from './errors.ts';
import type { UnixSocket } from './http-settings.ts';
import { toListenError } from './refuse-taken-port.ts';

/** Where one of Node's servers listens: an IP address with a port, 0 for a free one; or a Unix socket. */
export type ListenPlace = { readonly address: string; readonly port: number } | UnixSocket;

const ALL_BITS = 0o777;

/** One place where HTTP is answered, until it is disposed of. */
export class HttpListener implements AsyncDisposable {
  readonly #server: Server;
  readonly #closeMs: number;

  private constructor(server: Server, closeMs: number) {
    this.#server = server;
    this.#closeMs = closeMs;
  }

  /** @throws API_PORT_TAKEN, API_SOCKET_TAKEN naming who holds it, and the system's errors */
  static async start(server: Server, place: ListenPlace, closeMs: number): Promise<HttpListener> {
    if ('path' in place) await listenAtSocket(server, place);
    else await listenAtPort(server, place);
    return new HttpListener(server, closeMs);
  }

  /** 0 for a socket. */
  get port(): number {
    return (this.#server.address() as AddressInfo | string as AddressInfo).port ?? 0;
  }

  /** Takes nothing new, lets what is under way end for a moment, then cuts what is left: blocked queries, above all. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    const cut = systemClock.after(this.#closeMs, () => this.#server.closeAllConnections());
    await closed;
    cut.cancel();
  }
}

async function listenAtPort(server: Server, { address, port }: { address: string; port: number }): Promise<void> {
  try {
    server.listen({ host: address, port });
    await once(server, 'listening');
  } catch (error) {
    throw await toListenError(error, address, port);
  }
}

async function listenAtSocket(server: Server, { path, mode, owner }: UnixSocket): Promise<void> {
  await removeLeftSocket(path);
  // The socket is made within `listen`, so it never has another mode, not for a moment.
  const before = process.umask(ALL_BITS & ~mode);
  try {
    server.listen({ path });
  } finally {
    process.umask(before);
  }
  await once(server, 'listening');
  // Never what a link that took its place would lead to.
  if (owner !== null) await lchown(path, owner.uid, owner.gid);
}

/** A socket that nobody answers at is what a killed agent left. @throws API_SOCKET_TAKEN */
async function removeLeftSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) throw httpSocketTaken(path, 'something is there that is no socket');
  if (await isAnswered(path)) throw httpSocketTaken(path, 'another program answers there');
  await rm(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(path);
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
}
