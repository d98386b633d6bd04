import type { Server } from 'node:http';
import type { Socket } from 'node:net';

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

  /** `most` is above 0. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Connections of a Unix socket have no address and are not counted. */
  watch(server: Server): void {
    server.on('connection', (socket) => this.#take(socket));
  }

  #take(socket: Socket): void {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined) return;
    const count = (this.#open.get(remoteAddress) ?? 0) + 1;
    if (count > this.#most) return void socket.end(REFUSAL);
    this.#open.set(remoteAddress, count);
    socket.once('close', () => this.#drop(remoteAddress));
  }

  #drop(address: string): void {
    const count = (this.#open.get(address) ?? 1) - 1;
    if (count === 0) this.#open.delete(address);
    else this.#open.set(address, count);
  }
}
