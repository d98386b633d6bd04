import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock, type Clock } from '../lib/index.ts';
import { LinkPulse } from './link-pulse.ts';
import { openWebSocket } from './open-websocket.ts';
import { CHANNEL_LIMITS, type ChannelLimits, type WebSocketChannel } from './websocket-channel.ts';
import { WebSocketEntrance, type LinkPeer } from './websocket-entrance.ts';

export { FuzzMessages, seededRandom } from './testing-fuzz.ts';

/** Plain data, as tests send it. */
export type Any = unknown;
export type AnyChannel = WebSocketChannel<Any, Any>;

export interface TestEntranceOptions {
  readonly limits?: ChannelLimits;
  readonly clock?: Clock;
  readonly heartbeatMs?: number;
  readonly suspectedAfterMs?: number;
  readonly parse?: (value: unknown) => Any;
  readonly admit?: (peer: LinkPeer) => void;
  readonly mostOf?: (peer: LinkPeer) => number;
}

/** A server on a free port of loopback that takes channels at `/link`. */
export interface TestEntrance extends AsyncDisposable {
  readonly url: string;
  readonly pulse: LinkPulse;
  /** Channels that came, in order. */
  readonly came: AnyChannel[];
  /** The sockets below, in order. */
  readonly sockets: Socket[];
  open(options?: { readonly token?: string; readonly signal?: AbortSignal }): Promise<AnyChannel>;
  /** Two ends of one channel. */
  pair(): Promise<[near: AnyChannel, far: AnyChannel]>;
}

const { createServer } = process.getBuiltinModule('node:http');

export async function startTestEntrance(options: TestEntranceOptions = {}): Promise<TestEntrance> {
  const { clock = systemClock, heartbeatMs = 1_000, suspectedAfterMs = 3_000 } = options;
  const { admit = () => {}, mostOf = () => Infinity, limits = CHANNEL_LIMITS, parse = (value) => value } = options;
  const pulse = new LinkPulse({ clock, timing: { heartbeatMs, suspectedAfterMs } });
  const came: AnyChannel[] = [];
  const sockets: Socket[] = [];
  const accept = (one: AnyChannel): number => came.push(one);
  const entrance = new WebSocketEntrance<Any, Any>({ pulse, parse, limits, admit, mostOf, accept });
  const server = createServer();
  server.on('connection', (socket) => sockets.push(socket));
  server.on('upgrade', entrance.upgrade);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open: TestEntrance['open'] = ({ token = '', signal } = {}) =>
    openWebSocket({ url, path: '/link', token, pulse, parse, limits, ...(signal === undefined ? {} : { signal }) });
  const pair: TestEntrance['pair'] = async () => {
    const count = came.length;
    const near = await open();
    while (came.length === count) await new Promise((resolve) => setImmediate(resolve));
    return [near, came[count] as AnyChannel];
  };
  const close = async (): Promise<void> => {
    await entrance[Symbol.asyncDispose]();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { url, pulse, came, sockets, open, pair, [Symbol.asyncDispose]: close };
}
