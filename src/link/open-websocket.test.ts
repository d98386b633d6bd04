import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock, TIMING } from '../lib/index.ts';
import { LinkPulse } from './link-pulse.ts';
import { openWebSocket } from './open-websocket.ts';

/** Of RFC 6455, 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Answers the upgrade and says `text` in one segment, as a busy server does. */
async function hastyServer(text: string): Promise<net.Server> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (request) => {
      const key = /^sec-websocket-key: (.*)\r$/im.exec(String(request))?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
      const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
      socket.write(Buffer.concat([Buffer.from(head), Buffer.from([0x81, text.length]), Buffer.from(text)]));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('openWebSocket() loses nothing that the other end said in the same breath as its answer', async () => {
  const server = await hastyServer('["challenge"]');
  const pulse = new LinkPulse({ clock: systemClock, timing: TIMING.lan });
  const { port } = server.address() as AddressInfo;
  const channel = await openWebSocket<unknown, unknown>({
    url: `http://127.0.0.1:${port}`,
    path: '/v2/servers/link',
    token: '',
    pulse,
    parse: (value) => value,
  });
  try {
    const message = await new Promise((resolve, reject) => {
      channel.onClose((reason) => reject(new Error(reason)));
      setTimeout(() => reject(new Error('nothing came')), 2_000).unref();
      channel.onMessage(resolve);
    });
    expect(message).toEqual(['challenge']);
  } finally {
    channel.close('the test ends');
    server.close();
  }
});
