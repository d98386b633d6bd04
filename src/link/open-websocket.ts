import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientOptions, WebSocket } from 'ws';
import { messageOf } from '../lib/index.ts';
import { linkUnreachable } from './errors.ts';
import type { LinkPulse } from './link-pulse.ts';
import { CHANNEL_LIMITS, WebSocketChannel, type ChannelLimits } from './websocket-channel.ts';

export interface OpenWebSocketOptions<Incoming> {
  /** Of the server: `http://10.0.0.1:8500`. */
  readonly url: string;
  /** Where it takes links: `/v2/link`. */
  readonly path: string;
  /** Sent as `X-Consul-Token`; empty: none. */
  readonly token: string;
  readonly pulse: LinkPulse;
  /** Makes a message of what came. @throws when it is none */
  readonly parse: (value: unknown) => Incoming;
  readonly signal?: AbortSignal;
  readonly limits?: ChannelLimits;
}

/** Of what a server says to a refused upgrade, so much is read. */
const MOST_REFUSAL_BYTES = 1_024;

/**
 * Opens a channel to a server over HTTP.
 *
 * @throws LINK_UNREACHABLE with the system's or the server's words, or the signal's reason
 */
export async function openWebSocket<Incoming, Outgoing>(
  options: OpenWebSocketOptions<Incoming>,
): Promise<WebSocketChannel<Incoming, Outgoing>> {
  const { url, path, token, pulse, parse, signal, limits = CHANNEL_LIMITS } = options;
  signal?.throwIfAborted();
  // Its code is read where there are links to other processes only.
  const ws = await import('ws');
  const settings: ClientOptions & { readonly closeTimeout: number } = {
    headers: token === '' ? {} : { 'X-Consul-Token': token },
    handshakeTimeout: pulse.silenceMs,
    closeTimeout: pulse.silenceMs,
    maxPayload: limits.messageBytes,
    perMessageDeflate: false,
  };
  const socket = new ws.WebSocket(new URL(path, url), settings);
  const onAbort = (): void => socket.terminate();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await opened(
      socket,
      (transport) => new WebSocketChannel<Incoming, Outgoing>({ socket, transport, pulse, parse, limits }),
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw linkUnreachable(url, messageOf(error));
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * What is made of the WebSocket and of what it runs over, in the very moment in which it opens: the other end's first words may have come
 * with its answer. Rejects with why it cannot be opened.
 */
function opened<Made>(socket: WebSocket, make: (transport: Socket) => Made): Promise<Made> {
  return new Promise((resolve, reject) => {
    let transport: Socket | undefined;
    socket.on('error', reject);
    socket.once('upgrade', (response) => (transport = response.socket));
    socket.once('unexpected-response', (request, response) => {
      // Kept open by the other end, it would keep this process: a request that has its answer has let go of it.
      const wire = response.socket;
      void refusalOf(response).then((text) => {
        request.destroy();
        wire.destroy();
        reject(new Error(text));
      });
    });
    socket.once('open', () => {
      socket.off('error', reject);
      resolve(make(transport as Socket));
    });
  });
}

async function refusalOf(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > MOST_REFUSAL_BYTES) break;
    }
  } catch {
    // What came of it is enough.
  }
  const words = text.trim().slice(0, MOST_REFUSAL_BYTES);
  return words === '' ? `it answered ${response.statusCode} ${response.statusMessage}` : words;
}
