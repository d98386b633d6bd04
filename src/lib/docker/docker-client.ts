import type { IncomingMessage, RequestOptions } from 'node:http';
import { messageOf } from '../errors.ts';
import type { DockerHost } from './docker-host.ts';
import { dockerAnswerUnreadable, dockerRefused } from './errors.ts';

/** JSON answers of the engine that are longer are refused: an inspected container has some 10 KB. */
const MOST_JSON_BYTES = 4 * 1_024 * 1_024;

/** A request of the engine's HTTP API. */
export interface DockerRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Such as `/containers/json`; names in it are percent-encoded by the caller. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Ends the request, and an answer that is being read. */
  readonly signal?: AbortSignal;
}

/**
 * The engine's HTTP API, in the version that the engine itself prefers. Each request has a connection of its own, so
 * that an engine that was restarted is found again and nothing stays open.
 *
 * @example
 * const docker = new DockerClient(dockerHostOf(process.env));
 * const { Version } = (await docker.json({ path: '/version' })) as { Version: string };
 */
export class DockerClient {
  readonly #host: DockerHost;

  constructor(host: DockerHost) {
    this.#host = host;
  }

  /** The JSON of an answer; undefined for one without content. @throws DOCKER_REFUSED, DOCKER_ANSWER_UNREADABLE, errors of the connection */
  async json(request: DockerRequest): Promise<unknown> {
    const answer = await this.stream(request);
    const text = await textOf(answer, MOST_JSON_BYTES);
    if (text === null) throw dockerAnswerUnreadable(`it is longer than ${MOST_JSON_BYTES} bytes`);
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw dockerAnswerUnreadable.with({ cause: error }, messageOf(error));
    }
  }

  /** The answer as a stream, for logs, output and events: the caller reads or destroys it. @throws DOCKER_REFUSED, errors of the connection */
  async stream(request: DockerRequest): Promise<IncomingMessage> {
    const answer = await this.#send(request);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    throw dockerRefused(status, refusalOf(await textOf(answer, MOST_JSON_BYTES)));
  }

  #send({ method = 'GET', path, body, signal }: DockerRequest): Promise<IncomingMessage> {
    // node:http is read when the first request is made.
    const { request } = process.getBuiltinModule('node:http');
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      host: 'docker',
      'content-length': Buffer.byteLength(text),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const options: RequestOptions = { ...this.#host, method, path, headers, agent: false };
    return new Promise((resolve, reject) => {
      const sending = request(signal === undefined ? options : { ...options, signal });
      sending.on('response', (answer) => {
        // An answer that is cut off or aborted says so to who reads it, and to nobody else.
        answer.on('error', () => {});
        resolve(answer);
      });
      // Stays: a request that was given up may still report an error.
      sending.on('error', reject);
      sending.end(text);
    });
  }
}

async function textOf(answer: IncomingMessage, mostBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop destroys the answer.
    if (bytes > mostBytes) return null;
  }
  return Buffer.concat(chunks).toString();
}

/** The engine's `{"message": "…"}`. */
function refusalOf(text: string | null): string {
  try {
    const { message } = JSON.parse(text ?? '') as { message?: unknown };
    if (typeof message === 'string') return message.trim();
  } catch {
    // Not the engine's JSON: shown as it is.
  }
  return (text ?? '').slice(0, 500).trim();
}
