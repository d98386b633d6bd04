import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messageOf, nearest } from '../../lib/index.ts';
import { Caller } from '../caller.ts';
import type { ApiContext } from '../context.ts';
import { BODY_LIMIT } from './body.ts';
import { stopping, unknownPath, wrongMethod } from './errors.ts';
import { writeEvents } from './event-writer.ts';
import { v2Routes } from './routes.ts';
import { revisionOf } from './scope.ts';
import type { RawRequest, Route } from './route.ts';
import { sendError, toDroverError } from './send-error.ts';

const PREFIX = '/v2';

/** drover's own API under `/v2`: a table of routes, JSON in and out. */
export async function registerV2(scope: FastifyInstance, context: ApiContext): Promise<void> {
  const routes = v2Routes();
  await scope.register(async (v2) => addRoutes(v2, context, routes), { prefix: PREFIX });
}

function addRoutes(v2: FastifyInstance, context: ApiContext, routes: readonly Route[]): void {
  const closing = new AbortController();
  // Streams and waits would hold the end up for as long as they are given.
  v2.addHook('preClose', (done) => {
    closing.abort(stopping());
    done();
  });
  v2.removeAllContentTypeParsers();
  // `application/json` and its kin such as `application/merge-patch+json`.
  v2.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json\b/,
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
    (_request, body, done) => done(null, body),
  );
  v2.setErrorHandler((error, request, reply) => fail(context, error, request, reply));
  v2.setNotFoundHandler((request, reply) => sendError(reply, notFound(request, reply, routes)));
  for (const route of routes)
    v2.route({
      method: route.method,
      url: fastifyPath(route.path),
      exposeHeadRoute: route.method === 'GET' && !route.streams,
      bodyLimit: BODY_LIMIT,
      handler: (request, reply) => handle(context, route, request, reply, closing.signal),
    });
}

/** `/v2/services/{id}` is `/services/:id` within the prefix. */
function fastifyPath(path: string): string {
  return path.slice(PREFIX.length).replaceAll(/\{(\w+)\}/g, ':$1');
}

async function handle(
  context: ApiContext,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  closing: AbortSignal,
): Promise<FastifyReply> {
  const signal = AbortSignal.any([departureOf(reply), closing]);
  const raw: RawRequest = {
    params: request.params,
    query: request.query,
    headers: request.headers,
    body: Buffer.isBuffer(request.body) ? request.body : undefined,
    caller: new Caller(context.access, { headers: request.headers, remoteAddress: request.raw.socket?.remoteAddress }),
    signal,
  };
  const { body, revision, events } = await route.run(raw, context);
  if (events !== undefined) {
    void reply.hijack();
    await writeEvents({ events, response: reply.raw, signal, clock: context.clock }).catch((error: unknown) =>
      context.log.warn({ err: error, path: route.path }, messageOf(error)),
    );
    return reply;
  }
  if (route.changes) void reply.header('X-Drover-Revision', String(revision ?? revisionOf(context)));
  return reply
    .header('Cache-Control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body, null, context.pretty ? 2 : 0));
}

/** Aborted when the client is gone, or was answered. */
function departureOf(reply: FastifyReply): AbortSignal {
  const abort = new AbortController();
  reply.raw.once('close', () => abort.abort(new Error('the client is gone')));
  return abort.signal;
}

function fail(context: ApiContext, thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toDroverError(thrown, request.headers['content-type']);
  const isLogged = error.status >= 500 && error.code !== stopping.code && !reply.raw.destroyed;
  if (isLogged) context.log.error({ err: thrown, path: request.routeOptions.url }, messageOf(thrown));
  return sendError(reply, error);
}

function notFound(
  request: FastifyRequest,
  reply: FastifyReply,
  routes: readonly Route[],
): ReturnType<typeof unknownPath> {
  const path = request.url.replace(/\?.*$/s, '');
  const methods = routes.filter((route) => matches(route.path, path)).map((route) => route.method);
  if (methods.length > 0) {
    void reply.header('Allow', methods.join(', '));
    return wrongMethod.with({ hint: `it takes ${methods.join(' and ')}` }, request.method, path);
  }
  const known = [...new Set(routes.map((route) => route.path))];
  const near = nearest(path, known);
  return unknownPath.with(
    { hint: near === undefined ? '/v2/openapi.json lists what there is' : `did you mean ${near}?` },
    path,
  );
}

function matches(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  return wanted.length === given.length && wanted.every((part, index) => part.startsWith('{') || part === given[index]);
}
