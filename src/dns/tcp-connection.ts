import type { Socket } from 'node:net';
import type { Clock, Timer } from '../lib/index.ts';
import type { TcpLimits } from './tcp-transport.ts';
import type { AnswerQuery } from './transport.ts';

const VIA = { transport: 'tcp' } as const;
/** Questions of one connection that may wait for recursors at a time. */
const MOST_LATE = 64;

export interface TcpConnectionOptions {
  readonly answer: AnswerQuery;
  readonly clock: Clock;
  readonly limits: TcpLimits;
  /** A whole query came. */
  readonly onQuery: () => void;
  readonly onClose: () => void;
}

/** One client: takes its queries apart, answers them in order, and closes it when it idles, floods or sends nonsense. */
export class TcpConnection {
  readonly #socket: Socket;
  readonly #options: TcpConnectionOptions;
  #pending: Buffer = Buffer.alloc(0);
  #idle: Timer | undefined;
  /** Answers that take their time. */
  #late = 0;

  constructor(socket: Socket, options: TcpConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#resume());
    socket.on('error', () => undefined);
    socket.on('close', () => this.#closed());
    this.#restartIdle();
  }

  close(): void {
    this.#socket.destroy();
    this.#closed();
  }

  #closed(): void {
    this.#idle?.cancel();
    this.#options.onClose();
  }

  /** Only whole queries count as activity: a byte now and then does not keep a connection. */
  #restartIdle(): void {
    this.#idle?.cancel();
    this.#idle = this.#options.clock.after(this.#options.limits.idleMs, () =>
      this.#late > 0 ? this.#restartIdle() : this.close(),
    );
  }

  #receive(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#work();
  }

  #resume(): void {
    this.#socket.resume();
    this.#work();
  }

  /** Answers the whole queries that came; what follows the last one waits for more octets, or for the client to read. */
  #work(): void {
    let at = 0;
    this.#socket.cork();
    while (!this.#socket.destroyed && this.#pending.length - at >= 2) {
      if (this.#socket.writableNeedDrain || this.#late >= MOST_LATE) {
        // The client does not read its answers, or asks faster than others answer: it gets no more until that changes.
        this.#socket.pause();
        break;
      }
      const length = this.#pending.readUInt16BE(at);
      if (length === 0 || length > this.#options.limits.queryOctets) return this.close();
      if (this.#pending.length - at - 2 < length) break;
      this.#reply(this.#pending.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    this.#pending = this.#pending.subarray(at);
    this.#socket.uncork();
  }

  #reply(query: Buffer): void {
    this.#restartIdle();
    this.#options.onQuery();
    const answer = this.#options.answer(query, VIA, { address: this.#socket.remoteAddress ?? '' });
    if (answer === null) return this.close();
    if (answer instanceof Promise) void this.#writeLater(answer);
    else this.#write(answer);
  }

  /** Answers that recursors give come when they come: clients know them by their ids (RFC 7766 7). */
  async #writeLater(answer: Promise<Uint8Array>): Promise<void> {
    this.#late++;
    const bytes = await answer;
    this.#late--;
    if (this.#socket.destroyed) return;
    this.#restartIdle();
    this.#write(bytes);
    if (this.#socket.isPaused() && !this.#socket.writableNeedDrain) this.#resume();
  }

  #write(bytes: Uint8Array): void {
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(bytes.length);
    this.#socket.write(length);
    this.#socket.write(bytes);
  }
}
