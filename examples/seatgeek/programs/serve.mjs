import http from 'node:http';

/**
 * A small HTTP server that stops gracefully on SIGTERM: what is in flight is answered, then the process ends.
 * @param {{ host: string, port: number, answer: (request: http.IncomingMessage) => Promise<object> | object }} options
 */
export function serve({ host, port, answer }) {
  const server = http.createServer((request, response) => {
    Promise.resolve(answer(request)).then(
      (body) => reply(response, 200, body),
      (error) => reply(response, 502, { error: String(error.message ?? error) }),
    );
  });
  server.keepAliveTimeout = 60_000;
  server.on('error', (error) => {
    console.error(`cannot listen on ${host}:${port}: ${error.message}`);
    process.exit(1);
  });
  server.listen(port, host);
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => process.exit(0), 2_000).unref();
  });
}

function reply(response, status, body) {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
