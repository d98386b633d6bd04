import type { ServerResponse } from 'node:http';
import type { V1Answer, V1Request } from './exchange.ts';
import { takesGzip, type Compressor } from './compress.ts';
import { prettyJson } from './pretty-json.ts';

const TEXT = 'text/plain; charset=utf-8';
const MOST_IN_ONE_PIECE = 16 * 1024;
const NO_BYTES = Buffer.alloc(0);

/** How answers are sent, the same for all of a server. */
export interface SendOptions {
  /** Indents every JSON, not only where `?pretty` asks for it. */
  readonly pretty: boolean;
  readonly compressor: Compressor;
}

/** Sends an answer: indented or compressed as the client asked. */
export function sendAnswer(
  response: ServerResponse,
  request: Pick<V1Request, 'query' | 'headers'>,
  answer: V1Answer,
  { pretty, compressor }: SendOptions,
): void | Promise<void> {
  if (answer.stream !== undefined) return openStream(response, answer);
  const body = bodyOf(answer, pretty || request.query.has('pretty'));
  if (answer.afterwards !== undefined) response.once('close', answer.afterwards);
  if (body.length === 0 || !takesGzip(request.headers['accept-encoding'])) return write(response, answer, body);
  const compressed = compressor.compress(body);
  if (Buffer.isBuffer(compressed)) return write(response, answer, compressed, 'gzip');
  return compressed.then((bytes) => write(response, answer, bytes, 'gzip'));
}

/** Sends a text, which is what Consul's errors are. */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  write(response, { status, headers, text }, Buffer.from(text));
}

function openStream(response: ServerResponse, { headers = {}, stream }: V1Answer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(200, { 'X-Content-Type-Options': 'nosniff', ...headers });
  response.flushHeaders();
  stream?.(response);
}

function bodyOf({ json, text, bytes }: V1Answer, pretty: boolean): Buffer {
  if (json === undefined) return text === undefined ? (bytes ?? NO_BYTES) : Buffer.from(text);
  if (pretty) return Buffer.from(prettyJson(json));
  return typeof json === 'string' ? Buffer.from(json) : json;
}

/** Headers go out as one flat list: Node writes that without looking anything up. */
function write(response: ServerResponse, answer: V1Answer, body: Buffer, encoding?: string): void {
  if (response.headersSent || response.destroyed) return;
  const { headers, json, text, status = 200 } = answer;
  const list = answer.headerList ?? [];
  list.push('Vary', 'Accept-Encoding', 'Content-Length', String(body.length));
  if (json !== undefined) list.push('Content-Type', 'application/json');
  else if (text !== undefined && text !== '') list.push('Content-Type', TEXT);
  if (encoding !== undefined) list.push('Content-Encoding', encoding);
  if (headers !== undefined) for (const name in headers) list.push(name, headers[name] as string);
  response.writeHead(status, list);
  // Node writes a text together with the headers, in one piece.
  if (body.length <= MOST_IN_ONE_PIECE) response.end(body.toString('latin1'), 'latin1');
  else response.end(body);
}
