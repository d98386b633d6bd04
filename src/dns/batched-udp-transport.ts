import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { MessageBatch } from './message-batch.ts';
import { loadSystemCalls } from './system-calls.ts';
import type { SystemCalls } from './system-calls.ts';
import type { AnswerQuery, Transport, TransportOptions } from './transport.ts';
import { RECEIVE_BUFFER_OCTETS, reply, send } from './udp-transport.ts';

const VIA = { transport: 'udp' } as const;
const AF_INET = 2;
/** Closed in children, which would hold the port otherwise. */
const SOCK_DGRAM_CLOEXEC = 0x8_0002;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;

/**
 * DNS over UDP on the event loop of the caller, with all datagrams that wait taken and answered in three system calls instead
 * of two each. Node watches the socket and hands over the first datagram; the others are taken past it. IPv4 only.
 */
export class BatchedUdpTransport implements Transport {
  readonly port: number;
  readonly #socket: Socket;
  /** Held here because C knows its memory by address only. */
  readonly #batch: MessageBatch;
  readonly #answer: AnswerQuery;
  #closed: Promise<unknown> | undefined;

  private constructor(socket: Socket, batch: MessageBatch, answer: AnswerQuery) {
    this.#socket = socket;
    this.#batch = batch;
    this.#answer = answer;
    this.port = socket.address().port;
    socket.on('error', () => undefined);
    socket.on('message', (query, from) => this.#work(query, from));
  }

  /** Binds; null where batches cannot be had, and when binding failed: a plain socket then says why. */
  static async start({ answer, address, port }: TransportOptions): Promise<BatchedUdpTransport | null> {
    const calls = isIPv4(address) ? await loadSystemCalls() : null;
    const fd = calls === null ? -1 : bound(calls, address, port);
    if (calls === null || fd < 0) return null;
    const socket = createSocket({ type: 'udp4' });
    try {
      const listening = once(socket, 'listening');
      socket.bind({ fd });
      await listening;
      socket.setRecvBufferSize(RECEIVE_BUFFER_OCTETS);
      // libuv sets it on sockets that it is given; another process could then share the port.
      setOption(calls, fd, SO_REUSEADDR, 0);
    } catch {
      socket.close();
      return null;
    }
    return new BatchedUdpTransport(socket, new MessageBatch(calls, fd), answer);
  }

  #work(first: Buffer, from: RemoteInfo): void {
    reply(this.#socket, this.#answer, first, from);
    // One batch only: libuv comes back for what is left, and after some rounds gives the rest of the program its turn.
    const batch = this.#batch;
    const count = batch.receive();
    for (let slot = 0; slot < count; slot++) {
      const answer = this.#answer(batch.query(slot), VIA, batch.peer(slot));
      if (answer instanceof Promise) this.#sendLater(answer, batch.peer(slot));
      else if (answer !== null) batch.put(slot, answer);
    }
    batch.flush();
  }

  #sendLater(
    answer: Promise<Uint8Array>,
    { address, port }: { readonly address: string; readonly port: number },
  ): void {
    if (port !== 0) void answer.then((bytes) => send(this.#socket, bytes, port, address));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = once(this.#socket, 'close');
      this.#socket.close();
    }
    await this.#closed;
  }
}

/** A socket bound to the address, or a negative number. */
function bound(calls: SystemCalls, address: string, port: number): number {
  const fd = calls.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return fd;
  const name = Uint8Array.of(
    AF_INET,
    0,
    port >> 8,
    port & 0xff,
    ...address.split('.').map(Number),
    ...new Uint8Array(8),
  );
  const failed = withMemory(calls, name, (pointer) => calls.bind(fd, pointer, name.length)) < 0;
  if (failed) calls.close(fd);
  return failed ? -1 : fd;
}

function setOption(calls: SystemCalls, fd: number, option: number, value: number): void {
  const memory = new Uint8Array(Int32Array.of(value).buffer);
  withMemory(calls, memory, (pointer) => calls.setsockopt(fd, SOL_SOCKET, option, pointer, memory.length));
}

/** Calls C with the address of memory that is certain to be there until C has returned. */
function withMemory(calls: SystemCalls, memory: Uint8Array<ArrayBuffer>, call: (pointer: bigint) => number): number {
  const result = call(calls.pointerTo(memory.buffer));
  // A use after the call: without it V8 may free the memory before.
  return memory.length > 0 ? result : -1;
}
