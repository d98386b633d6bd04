import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ServerOptions, WebSocketServer } from 'ws';
import { messageOf } from '../lib/index.ts';
import { linkCrowded } from './errors.ts';
import type { LinkPulse } from './link-pulse.ts';
import { CHANNEL_LIMITS, WebSocketChannel, type ChannelLimits } from './websocket-channel.ts';

/** Who is at the other end of a link, as far as the connection says. */
export interface LinkPeer {
  /** Its token's secret; empty: none. */
  readonly secret: string;
  /** `10.0.0.7`; for messages. */
  readonly address: string;
}

export interface WebSocketEntranceOptions<Incoming, Outgoing> {
  readonly pulse: LinkPulse;
  /** Makes a message of what came. @throws when it is none */
  readonly parse: (value: unknown) => Incoming;
  /** Done before the first link is taken. */
  readonly prepare?: () => Promise<void>;
  /** Throws when whoever asks may have no link at all: a DroverError's status and text are the answer. */
  readonly admit: (peer: LinkPeer) => void;
  readonly accept: (channel: WebSocketChannel<Incoming, Outgoing>, peer: LinkPeer) => void;
  readonly limits?: ChannelLimits;
  /** How many links one address may have at once, for who has shown nothing that says who they are: each may hold a whole message in memory. */
  readonly mostOf?: (peer: LinkPeer) => number;
}

/** Where links over WebSockets come in: an upgrade of a request becomes a channel. */
export class WebSocketEntrance<Incoming, Outgoing> implements AsyncDisposable {
  readonly #options: WebSocketEntranceOptions<Incoming, Outgoing>;
  readonly #channels = new Set<WebSocketChannel<Incoming, Outgoing>>();
  /** Links of who is counted, open or about to be, by address. */
  readonly #crowds = new Map<string, number>();
  #server: Promise<WebSocketServer> | null = null;
  #isClosed = false;

  constructor(options: WebSocketEntranceOptions<Incoming, Outgoing>) {
    this.#options = options;
  }

  /** Takes a request's connection over, or refuses it in HTTP; never throws. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const onError = (): void => void socket.destroy();
    socket.on('error', onError);
    this.#upgrade(request, socket, head, onError).catch((error: unknown) => refuseUpgrade(socket, error));
  };

  /** Ends all links that came in, with what was sent before. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const channel of this.#channels) channel.close('the server stops');
    return Promise.resolve();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, onError: () => void): Promise<void> {
    const { accept, admit, limits = CHANNEL_LIMITS, parse, pulse } = this.#options;
    const token = request.headers['x-consul-token'];
    const address = request.socket.remoteAddress ?? 'this machine';
    const peer: LinkPeer = { secret: typeof token === 'string' ? token : '', address };
    admit(peer);
    this.#count(peer, socket);
    const server = await (this.#server ??= this.#load(limits));
    if (this.#isClosed) return void socket.destroy();
    socket.off('error', onError);
    server.handleUpgrade(request, socket, head, (websocket) => {
      const channel = new WebSocketChannel<Incoming, Outgoing>({
        socket: websocket,
        transport: request.socket,
        pulse,
        parse,
        limits,
      });
      this.#channels.add(channel);
      websocket.once('close', () => this.#channels.delete(channel));
      accept(channel, peer);
    });
  }

  /** @throws LINK_CROWDED */
  #count(peer: LinkPeer, socket: Duplex): void {
    const { address } = peer;
    const most = this.#options.mostOf?.(peer) ?? Infinity;
    if (most === Infinity) return;
    const before = this.#crowds.get(address) ?? 0;
    if (before >= most) throw linkCrowded(address, most);
    this.#crowds.set(address, before + 1);
    socket.once('close', () => {
      const left = (this.#crowds.get(address) ?? 1) - 1;
      if (left > 0) this.#crowds.set(address, left);
      else this.#crowds.delete(address);
    });
  }

  /** The code of WebSockets is read when the first link comes. */
  async #load(limits: ChannelLimits): Promise<WebSocketServer> {
    const [ws] = await Promise.all([import('ws'), this.#options.prepare?.()]);
    const options: ServerOptions & { readonly closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.messageBytes,
      closeTimeout: this.#options.pulse.silenceMs,
    };
    return new ws.WebSocketServer(options);
  }
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
};

/** Answers a request for an upgrade in plain text, and ends its connection. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const known = (error as { readonly status?: unknown }).status;
  const status = typeof known === 'number' && known in STATUS_TEXTS ? known : 500;
  const body = Buffer.from(messageOf(error));
  socket.on('error', () => socket.destroy());
  socket.end(
    Buffer.concat([
      Buffer.from(
        `HTTP/1.1 ${status} ${STATUS_TEXTS[status] ?? 'Internal Server Error'}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
          `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
      ),
      body,
    ]),
  );
}
