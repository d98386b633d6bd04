import http from 'node:http';
import type { AddressInfo } from 'node:net';

// The baseline of events.ts: a bare server, 100 clients that wait for its answer and pass it on to the sink, in one process as
// drover's. Arguments: how many, the sink's URL. A PUT answers everyone who waits.
const [count = '100', sink = ''] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
let waiting: http.ServerResponse[] = [];

const server = http.createServer((request, response) => {
  if (request.method !== 'PUT') return void waiting.push(response);
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const all = waiting;
    waiting = [];
    for (const one of all) one.end(body);
    response.end();
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  for (let n = 0; n < Number(count); n++) wait(n, port);
  process.send?.({ port });
});
process.once('disconnect', () => process.exit(0));

function wait(n: number, port: number): void {
  http.get({ host: '127.0.0.1', port, agent, path: '/' }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      wait(n, port);
      const request = http.request(`${sink}/${n}`, { method: 'POST', agent }, (answer) => void answer.resume());
      request.end(Buffer.concat(chunks));
    });
  });
}
