import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Clock } from '../lib/index.ts';
import { TcpConnection } from './tcp-connection.ts';
import type { Transport, TransportOptions } from './transport.ts';

/** Bounds of what strangers can hold open (RFC 7766 6.2.3). */
export interface TcpLimits {
  /** Connections at a time; one more closes the one that was idle longest. */
  readonly connections: number;
  /** How long a connection may be without a whole query. */
  readonly idleMs: number;
  /** The longest query that is read; more closes the connection. */
  readonly queryOctets: number;
}

const LIMITS: TcpLimits = { connections: 256, idleMs: 10_000, queryOctets: 4_096 };

/** DNS over TCP: two octets of length before each message, any number of queries one after another (RFC 7766). */
export class TcpTransport implements Transport {
  readonly port: number;
  readonly #server: Server;
  readonly #connections: Set<TcpConnection>;

  private constructor(server: Server, connections: Set<TcpConnection>) {
    this.#server = server;
    this.#connections = connections;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Listens; fails with the system's error when the port is taken or not permitted. */
  static async start(
    options: TransportOptions & { readonly clock: Clock; readonly limits?: Partial<TcpLimits> },
  ): Promise<TcpTransport> {
    const limits = { ...LIMITS, ...options.limits };
    // In order of their last whole query: the first is the one that was idle longest.
    const connections = new Set<TcpConnection>();
    const server = createServer({ noDelay: true }, (socket) => accept(socket, connections, limits, options));
    const listening = once(server, 'listening');
    server.listen({ host: options.address, port: options.port, exclusive: true });
    await listening;
    server.on('error', () => undefined);
    return new TcpTransport(server, connections);
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#connections.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const connection of this.#connections) connection.close();
    await closed;
  }
}

function accept(
  socket: Socket,
  connections: Set<TcpConnection>,
  limits: TcpLimits,
  { answer, clock }: { readonly answer: TransportOptions['answer']; readonly clock: Clock },
): void {
  if (connections.size >= limits.connections) [...connections][0]?.close();
  const connection: TcpConnection = new TcpConnection(socket, {
    answer,
    clock,
    limits,
    onQuery: () => {
      connections.delete(connection);
      connections.add(connection);
    },
    onClose: () => connections.delete(connection),
  });
  connections.add(connection);
}
