import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { AnswerQuery, Transport, TransportOptions } from './transport.ts';

/** Bursts wait here while the event loop is busy elsewhere, instead of being lost. */
export const RECEIVE_BUFFER_OCTETS = 4 << 20;
const VIA = { transport: 'udp' } as const;

/** DNS over UDP, one datagram a query, on the event loop of the caller. */
export class UdpTransport implements Transport {
  readonly port: number;
  readonly #socket: Socket;
  #closed: Promise<unknown> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
  }

  /** Binds; fails with the system's error when the port is taken or not permitted. */
  static async start({ answer, address, port }: TransportOptions): Promise<UdpTransport> {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER_OCTETS });
    try {
      const listening = once(socket, 'listening');
      socket.bind(port, address);
      await listening;
    } catch (error) {
      socket.close();
      throw error;
    }
    // An answer that cannot be delivered is the asker's loss: it asks again. The socket itself goes on.
    socket.on('error', () => undefined);
    socket.on('message', (query, from) => reply(socket, answer, query, from));
    return new UdpTransport(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = once(this.#socket, 'close');
      this.#socket.close();
    }
    await this.#closed;
  }
}

/** Answers one datagram through a socket of Node's. */
export function reply(socket: Socket, answer: AnswerQuery, query: Buffer, from: RemoteInfo): void {
  // Port 0 can be forged and never be answered.
  if (from.port === 0) return;
  const bytes = answer(query, VIA, from);
  if (bytes instanceof Promise) void bytes.then((late) => send(socket, late, from.port, from.address));
  else if (bytes !== null) socket.send(bytes, 0, bytes.length, from.port, from.address, ignore);
}

/** Sends an answer that took its time; the socket may be closed by now. */
export function send(socket: Socket, bytes: Uint8Array, port: number, address: string): void {
  try {
    socket.send(bytes, 0, bytes.length, port, address, ignore);
  } catch {
    // Closed: the asker asks another server.
  }
}

/** With a callback, errors of this datagram come here instead of as an event of the socket. */
const ignore = (): void => undefined;
