import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setInterval as every } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';

// The least that links can cost: WebSockets over which both ends say that they are there, at the pace of a link, and nothing else.
// Arguments: `server`, or `client URL COUNT`; then the pace in ms. Both tell by IPC when they are ready, the server with its URL.
const [role, ...rest] = process.argv.slice(2);
const beatMs = Number(rest.at(-1));
const SLICE_MS = 50;
const links: WebSocket[] = [];

if (role === 'server') {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', (link) => links.push(link));
  await once(server, 'listening');
  process.send?.(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
} else {
  const [url, count] = rest as [string, string];
  for (let at = 0; at < Number(count); at++) {
    const link = new WebSocket(url, { perMessageDeflate: false });
    await once(link, 'open');
    links.push(link);
  }
  process.send?.('ready');
}
process.once('disconnect', () => process.exit(0));

let [next, due] = [0, 0];
for await (const _ of every(SLICE_MS)) {
  due += (links.length * SLICE_MS) / beatMs;
  for (; due >= 1; due--) links[next++ % links.length]?.pong();
}
