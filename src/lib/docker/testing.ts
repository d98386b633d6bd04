import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What the engine of a test answers to one path. */
export type EngineAnswer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** An engine in this process, on a Unix socket of its own: answers by `METHOD path`. */
export interface TestEngine extends AsyncDisposable {
  readonly socketPath: string;
  /** `METHOD path body` of every request. */
  readonly asked: readonly string[];
}

/** Starts an engine that answers what is given, and 404 to everything else. */
export async function startTestEngine(answers: Readonly<Record<string, EngineAnswer>>): Promise<TestEngine> {
  const directory = await mkdtemp(path.join(tmpdir(), 'drover-engine-'));
  const socketPath = path.join(directory, 'docker.sock');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      asked.push(`${request.method} ${request.url} ${body}`.trimEnd());
      const answer = answers[`${request.method} ${request.url}`];
      if (answer === undefined) response.writeHead(404).end('{"message":"page not found"}');
      else answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A frame of the engine's stream: 1 is stdout, 2 stderr. */
export function streamFrame(stream: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}
