import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const BODY = 'Your IP is issuing too many concurrent connections, please rate limit your calls\n';
const REFUSAL = [
  'HTTP/1.1 429 Too Many Requests',
  'Content-Type: text/plain',
  `Content-Length: ${BODY.length}`,
  'Connection: close',
  '',
  BODY,
].join('\r\n');

/** Counts each address's connections and answers one too many with 429 (Consul's `http_max_conns_per_client`). */
export class ClientConnections {
  readonly #most: number;
  readonly #open = new Map<string, number>();
  readonly #drops = new WeakMap<Duplex, () => void>();

  /** `most` is above 0. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Connections of a Unix socket have no address and are not counted, nor are those that became links: many agents share a machine. */
  watch(server: Server): void {
    server.on('connection', (socket) => this.#take(socket));
    server.on('upgrade', (_request, socket) => this.#drops.get(socket)?.());
  }

  #take(socket: Socket): void {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined) return;
    const count = (this.#open.get(remoteAddress) ?? 0) + 1;
    if (count > this.#most) return void socket.end(REFUSAL);
    this.#open.set(remoteAddress, count);
    const drop = (): void => {
      if (this.#drops.delete(socket)) this.#drop(remoteAddress);
    };
    this.#drops.set(socket, drop);
    socket.once('close', drop);
  }

  #drop(address: string): void {
    const count = (this.#open.get(address) ?? 1) - 1;
    if (count === 0) this.#open.delete(address);
    else this.#open.set(address, count);
  }
}
