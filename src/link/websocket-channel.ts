import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { messageOf, nestsDeeper } from '../lib/index.ts';
import type { Channel } from './channel.ts';
import type { Beating, LinkPulse } from './link-pulse.ts';

/** What a link over a WebSocket may hold. */
export interface ChannelLimits {
  /** Bytes of one message. */
  readonly messageBytes: number;
  /** Bytes that wait for an end that does not read them: more, and the link is closed. */
  readonly bufferedBytes: number;
}

export const CHANNEL_LIMITS: ChannelLimits = Object.freeze({
  messageBytes: 16 * 1024 * 1024,
  bufferedBytes: 32 * 1024 * 1024,
});

/** Lists and objects of a message within each other at most. */
const MOST_LEVELS = 64;
/** A close frame's reason is no longer (RFC 6455, 5.5). */
const REASON_BYTES = 123;

/** Close codes of RFC 6455, 7.4.1. */
const CODE = { normal: 1000, notText: 1003, abnormal: 1006, badMessage: 1007 } as const;

export interface WebSocketChannelOptions<Incoming> {
  /** Open. */
  readonly socket: WebSocket;
  /** What it runs over. */
  readonly transport: Pick<Duplex, 'destroyed'> & { readonly bytesRead?: number };
  readonly pulse: LinkPulse;
  /** Makes a message of what came. @throws when it is none: the link is closed with the reason */
  readonly parse: (value: unknown) => Incoming;
  readonly limits?: ChannelLimits;
}

/**
 * One end of a link over a WebSocket: messages are JSON texts. It closes itself, with the reason, when the other end is silent,
 * does not read, or sends what is no message; nothing that comes makes it throw.
 */
export class WebSocketChannel<Incoming, Outgoing> implements Channel<Incoming, Outgoing>, Beating {
  readonly #socket: WebSocket;
  readonly #transport: WebSocketChannelOptions<Incoming>['transport'];
  readonly #pulse: LinkPulse;
  readonly #parse: (value: unknown) => Incoming;
  readonly #limits: ChannelLimits;
  readonly #early: Incoming[] = [];
  #handle: ((message: Incoming) => void) | undefined;
  #handleClose: ((reason: string) => void) | undefined;
  #handleQuiet: (() => void) | undefined;
  #closed: string | undefined;
  #error = '';
  #bytesSent = 0;
  #silentForMs = 0;

  constructor({ socket, transport, pulse, parse, limits = CHANNEL_LIMITS }: WebSocketChannelOptions<Incoming>) {
    this.#socket = socket;
    this.#transport = transport;
    this.#pulse = pulse;
    this.#parse = parse;
    this.#limits = limits;
    socket.on('message', (data: RawData, isBinary: boolean) => this.#receive(data, isBinary));
    // What is wrong with a connection is told by the close that follows.
    socket.on('error', (error: Error) => (this.#error = messageOf(error)));
    socket.on('close', (code: number, reason: Buffer) => this.#finish(this.#reasonOf(code, reason)));
    pulse.add(this);
  }

  get silentForMs(): number {
    return this.#silentForMs;
  }

  get bytesRead(): number {
    return this.#transport.bytesRead ?? 0;
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  send(message: Outgoing): void {
    if (this.#closed !== undefined) return;
    const text = JSON.stringify(message);
    // A quarter of the bound cannot be more bytes than the bound, whatever is in it.
    if (text.length > this.#limits.messageBytes / 4 && Buffer.byteLength(text) > this.#limits.messageBytes)
      return this.close(`a message of ${text.length} characters is larger than a link takes`);
    this.#bytesSent += text.length;
    this.#socket.send(text);
    const waiting = this.#socket.bufferedAmount;
    if (waiting > this.#limits.bufferedBytes) this.#cut(`the other end does not read: ${waiting} bytes wait for it`);
  }

  onMessage(handle: (message: Incoming) => void): void {
    this.#handle = handle;
    if (this.#early.length === 0) return;
    queueMicrotask(() => {
      for (let one = this.#early.shift(); one !== undefined; one = this.#early.shift()) this.#deliver(one);
      this.#socket.resume();
    });
  }

  onClose(handle: (reason: string) => void): void {
    this.#handleClose = handle;
    if (this.#closed !== undefined) queueMicrotask(() => handle(this.#closed as string));
  }

  close(reason: string): void {
    this.#end(CODE.normal, reason);
  }

  beat(): void {
    // An unsolicited pong is a sign of life that asks for no answer (RFC 6455, 5.5.3).
    this.#socket.pong();
  }

  onQuiet(handle: () => void): void {
    this.#handleQuiet = handle;
  }

  quiet(): void {
    if (this.#closed === undefined) this.#handleQuiet?.();
  }

  silent(forMs: number): void {
    this.#silentForMs = forMs;
    this.#cut(`nothing was heard from the other end for ${Math.round(forMs)} ms`);
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#closed !== undefined) return;
    if (isBinary) return this.#end(CODE.notText, 'a message is not text');
    const message = this.#read((data as Buffer).toString());
    if (message === undefined) return;
    if (this.#handle !== undefined && this.#early.length === 0) return this.#deliver(message);
    this.#early.push(message);
    this.#socket.pause();
  }

  /** Undefined: it was no message, and the link is closed. */
  #read(text: string): Incoming | undefined {
    try {
      if (nestsDeeper(text, MOST_LEVELS)) throw new Error('it nests too deep');
      return this.#parse(JSON.parse(text));
    } catch (error) {
      this.#end(CODE.badMessage, `not a message of a link: ${messageOf(error)}`);
      return undefined;
    }
  }

  #deliver(message: Incoming): void {
    if (this.#closed !== undefined) return;
    try {
      this.#handle?.(message);
    } catch (error) {
      this.close(`a message could not be taken: ${messageOf(error)}`);
    }
  }

  #end(code: number, reason: string): void {
    if (this.#closed !== undefined) return;
    this.#socket.close(code, shortened(reason));
    // A paused socket would never see the other end's answer.
    this.#socket.resume();
    this.#finish(reason);
  }

  /** Without a word: nothing that is sent would arrive. */
  #cut(reason: string): void {
    this.#finish(reason);
    this.#socket.terminate();
  }

  #reasonOf(code: number, reason: Buffer): string {
    if (reason.length > 0) return reason.toString();
    if (this.#error !== '') return this.#error;
    return code === CODE.abnormal ? 'the connection broke' : `the other end closed it (${code})`;
  }

  #finish(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#early.length = 0;
    this.#pulse.remove(this);
    const handle = this.#handleClose;
    if (handle !== undefined) queueMicrotask(() => handle(reason));
  }
}

/** At most the bytes that a close frame takes, cut between characters. */
function shortened(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= REASON_BYTES) return reason;
  let end = REASON_BYTES - 3;
  while (((bytes[end] as number) & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}…`;
}
