import { pipeline } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { noServers, serverLost } from '../errors.ts';
import { responseHeaders } from './forward-headers.ts';
import { MOST_KEPT_BODY, type KeptAnswer } from './kept-answers.ts';

/** What a kept answer comes to at most, for who takes it as plain text only. */
const MOST_UNZIPPED = 32 << 20;

/** Passes a server's answer on as it comes; `keep` gets it whole when it ended well and is not too large. */
export function passOn(message: IncomingMessage, response: ServerResponse, keep?: (answer: KeptAnswer) => void): void {
  if (response.headersSent || response.destroyed) return void message.destroy();
  const headers = responseHeaders(message.rawHeaders, message.headers.connection);
  const status = message.statusCode ?? 500;
  // A body that is neither measured nor in chunks, such as a stream of events, is not held back for its first octets.
  response.writeHead(status, message.statusMessage ?? '', headers);
  response.flushHeaders();
  if (keep !== undefined && isWorthKeeping(message)) collect(message, (body) => keep({ ...summary(message), body }));
  // Who does not read is not read for either; a server lost half-way breaks the answer off, as it would have been.
  pipeline(message, response, () => undefined);
}

/** All of an answer, for this process itself. @throws when it broke off */
export async function readWhole(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Gives out what a server answered before, and says that and how old it is. */
export function giveKept(
  response: ServerResponse,
  { status, headers, body }: KeptAnswer,
  { takesGzip, lastContactMs }: { readonly takesGzip: boolean; readonly lastContactMs: number },
): void {
  if (response.headersSent || response.destroyed) return;
  const isZipped = headers.some((text, at) => at % 2 === 0 && /^content-encoding$/i.test(text));
  const unzips = isZipped && !takesGzip;
  // A small answer can come to more than this process has.
  const sent = unzips ? gunzipSync(body, { maxOutputLength: MOST_UNZIPPED }) : body;
  const list = staleHeaders(headers, lastContactMs, unzips);
  response.writeHead(status, [...list, 'Content-Length', String(sent.length)]).end(sent);
}

/** The headers of a kept answer with what is so now. Pure. */
export function staleHeaders(headers: readonly string[], lastContactMs: number, unzips = false): string[] {
  const list: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = (headers[at] as string).toLowerCase();
    if (!REPLACED.has(name) && !(unzips && name === 'content-encoding'))
      list.push(headers[at] as string, headers[at + 1] as string);
  }
  const ms = String(Math.max(0, Math.round(lastContactMs)));
  return [...list, 'X-Consul-KnownLeader', 'false', 'X-Consul-LastContact', ms, 'X-Drover-Stale', 'true'];
}

/** Says that no server can be asked, or that one was and is gone: in Consul's words, or as an object. */
export function refuseWithoutServer(response: ServerResponse, isV2: boolean, wasSent: boolean): void {
  if (response.headersSent || response.destroyed) return;
  const error = wasSent ? serverLost() : noServers();
  const body = isV2 ? JSON.stringify({ error: error.toJSON() }) : error.message;
  const type = isV2 ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8';
  const headers = { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) };
  response.writeHead(isV2 ? error.status : 500, headers).end(body);
}

/** What is said of the connection or of the moment. */
const REPLACED: ReadonlySet<string> = new Set([
  'x-consul-knownleader',
  'x-consul-lastcontact',
  'x-drover-stale',
  'x-cache',
  'age',
  'date',
  'content-length',
]);

function isWorthKeeping({ statusCode, headers }: IncomingMessage): boolean {
  return (statusCode === 200 || statusCode === 404) && !/event-stream/.test(headers['content-type'] ?? '');
}

function summary(message: IncomingMessage): Omit<KeptAnswer, 'body'> {
  return {
    status: message.statusCode ?? 500,
    headers: responseHeaders(message.rawHeaders, message.headers.connection),
    index: String(message.headers['x-consul-index'] ?? ''),
  };
}

function collect(message: IncomingMessage, then: (body: Buffer) => void): void {
  let chunks: Buffer[] = [];
  let octets = 0;
  message.on('data', (chunk: Buffer) => {
    octets += chunk.length;
    if (octets > MOST_KEPT_BODY) chunks = [];
    else chunks.push(chunk);
  });
  message.once('end', () => {
    if (octets <= MOST_KEPT_BODY) then(Buffer.concat(chunks));
  });
}
