import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DroverError, messageOf } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import type { V1Answer, V1Request, V1Route } from './exchange.ts';
import { bytesToText, decodeBytes, Router } from './router.ts';
import { v1Routes } from './routes.ts';

const DEFAULT_BODY_LIMIT = 1024 * 1024;
/** Above every route's own limit, so that each says its own text. */
const MOST_BODY = 32 * 1024 * 1024;
const NO_BODY = Buffer.alloc(0);
const PREFIX = '/v1/';
const TEXT = 'text/plain; charset=utf-8';

/** Consul's wire under `/v1`: one catch-all, since paths are decoded from the raw URL (consul-http-api 1). */
export async function registerV1(scope: FastifyInstance, context: ApiContext): Promise<void> {
  const router = new Router(v1Routes(context));
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MOST_BODY }, (_request, body, done) =>
    done(null, body),
  );
  scope.setErrorHandler((error, request, reply) => sendError(context, error, request, reply));
  scope.route({
    method: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH'],
    url: '/v1',
    exposeHeadRoute: false,
    handler: (request, reply) => handle(context, router, request, reply),
  });
}

async function handle(
  context: ApiContext,
  router: Router,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const url = request.originalUrl;
  const mark = url.indexOf('?');
  const path = url.slice(PREFIX.length, mark < 0 ? undefined : mark);
  const match = router.find(path);
  if (match === undefined) return reply.code(404).type(TEXT).send('404 page not found');
  const { route, rest } = match;
  const method = request.method === 'GET' && route.legacyGet === true && context.legacy ? 'PUT' : request.method;
  const handler = route.methods[method];
  if (handler === undefined) return refuseMethod(route, request.method, reply);
  const bytes = decodeBytes(rest);
  if (bytes === undefined)
    return reply
      .code(400)
      .type(TEXT)
      .send(`invalid URL escape in ${JSON.stringify(rest)}`);
  const body = Buffer.isBuffer(request.body) ? request.body : NO_BODY;
  const limit = route.bodyLimit ?? DEFAULT_BODY_LIMIT;
  if (body.length > limit) {
    const text = `Request body(${body.length} bytes) too large, max size: ${limit} bytes.`;
    return reply.code(413).type(TEXT).send(text);
  }
  const asked = new Asked(request, reply, bytes, new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)), body);
  const answer = await handler(asked);
  return send(context, asked, answer, reply);
}

function refuseMethod(route: V1Route, method: string, reply: FastifyReply): FastifyReply {
  void reply.header('Allow', ['OPTIONS', ...Object.keys(route.methods)].join(','));
  if (method === 'OPTIONS') return reply.code(200).send('');
  return reply.code(405).type(TEXT).send(`method ${method} not allowed`);
}

function send(context: ApiContext, { query, headers }: V1Request, answer: V1Answer, reply: FastifyReply): FastifyReply {
  void reply.code(answer.status ?? 200).header('Vary', 'Accept-Encoding');
  if (answer.headers !== undefined) void reply.headers(answer.headers);
  const body = bodyOf(answer, context.pretty || query.has('pretty'));
  if (answer.json !== undefined) void reply.type('application/json');
  else if (answer.headers?.['Content-Type'] === undefined && answer.text !== '') void reply.type(TEXT);
  if (body.length === 0 || !/\bgzip\b/.test(headers['accept-encoding'] ?? '')) return reply.send(body);
  return reply.header('Content-Encoding', 'gzip').send(gzipSync(body, { level: 1 }));
}

function bodyOf({ json, text, bytes }: V1Answer, pretty: boolean): string | Buffer {
  if (json === undefined) return bytes ?? text ?? '';
  return pretty ? `${JSON.stringify(parseJson(String(json), keepDigits), null, 4)}\n` : json;
}

/** ES2026, which the compiler's library does not describe yet: a reviver sees the source text, rawJSON puts it out as it was. */
interface PreciseJson {
  parse(this: void, text: string, revive: typeof keepDigits): unknown;
  rawJSON(this: void, text: string): unknown;
}
const { parse: parseJson, rawJSON } = JSON as unknown as PreciseJson;

/** 64-bit numbers such as KV flags keep every digit. */
function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined ? value : rawJSON(source);
}

function sendError(context: ApiContext, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error instanceof DroverError ? error.status : ((error as { statusCode?: number }).statusCode ?? 500);
  if (request.raw.destroyed && !reply.raw.headersSent) return reply.code(status).send('');
  if (status >= 500 && !(error instanceof DroverError)) context.log.error({ err: error }, messageOf(error));
  return reply.code(status).type(TEXT).send(messageOf(error));
}

class Asked implements V1Request {
  readonly method: string;
  readonly argumentBytes: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly #raw: IncomingMessage;
  readonly #response: ServerResponse;
  #signal: AbortSignal | undefined;

  constructor(
    request: FastifyRequest,
    reply: FastifyReply,
    argumentBytes: string,
    query: URLSearchParams,
    body: Buffer,
  ) {
    this.method = request.method;
    this.#raw = request.raw;
    this.#response = reply.raw;
    this.argumentBytes = argumentBytes;
    this.query = query;
    this.body = body;
  }

  get argument(): string {
    return bytesToText(this.argumentBytes);
  }

  get headers(): IncomingMessage['headers'] {
    return this.#raw.headers;
  }

  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    const abort = new AbortController();
    this.#response.once('close', () => abort.abort(new Error('the client is gone')));
    return (this.#signal = abort.signal);
  }
}
