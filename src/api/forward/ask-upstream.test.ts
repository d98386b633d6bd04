import { once } from 'node:events';
import { createServer } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Upstream } from './ask-upstream.ts';
import { passOn } from './send-region-answer.ts';

let stack = new AsyncDisposableStack();
afterEach(async () => {
  const used = stack;
  stack = new AsyncDisposableStack();
  await used.disposeAsync();
});

/** Answers the head of every request at once, and reads nothing after it. */
async function hastyServer(): Promise<string> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.pause();
      socket.end('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno');
    });
  });
  server.listen(0, '127.0.0.1');
  stack.defer(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What hands everything on to it; gives its port. */
async function front(server: string): Promise<number> {
  const upstream = stack.use(new Upstream({ sockets: 10, idleSockets: 10, connectMs: 2_000 }));
  const http = createServer((request, response) => {
    const { method = 'GET', url: path = '/', rawHeaders: headers } = request;
    const { signal } = new AbortController();
    const body = method === 'PUT' ? request : null;
    upstream.ask({ server, method, path, headers, body, signal }, false).then(
      (message) => passOn(message, response),
      () => response.destroy(),
    );
  });
  http.listen(0, '127.0.0.1');
  stack.defer(() => http.closeAllConnections());
  stack.defer(() => void http.close());
  await once(http, 'listening');
  return (http.address() as AddressInfo).port;
}

test('a client whose body a server did not wait for is answered, and what it asks next on that connection too', async () => {
  const client = net.connect(await front(await hastyServer()), '127.0.0.1');
  stack.defer(() => void client.destroy());
  const body = Buffer.alloc(8 << 20, 'x');
  client.write(`PUT /large HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
  client.write(body);
  client.write('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
  let seen = '';
  for await (const chunk of client) {
    seen += String(chunk);
    if (seen.match(/HTTP\/1.1 413/g)?.length === 2) break;
  }
  expect(seen.match(/HTTP\/1.1 413 Too Large\r\n/g)).toHaveLength(2);
});
