import { fastify, type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { DroverError, messageOf } from '../lib/index.ts';
import type { ApiContext } from './context.ts';
import { createHttpServer, FrontDoor, originForm } from './front-door.ts';
import { answerClientError, HTTP_LIMITS, type HttpLimits } from './http-limits.ts';
import { V1 } from './v1/index.ts';
import { isV2, refuseV2, refuseWithoutRegion, registerV2 } from './v2/index.ts';

const TEXT = 'text/plain; charset=utf-8';
/** Names in a path under `/v2` are no longer. */
const MAX_PARAMETER = 1_024;

/** The framework with every route but those of `/v1`, which the door before it answers; not listening: tests inject requests into it. */
export async function buildHttpServer(
  context: ApiContext,
  limits: HttpLimits = HTTP_LIMITS,
  door = new FrontDoor(context),
): Promise<FastifyInstance> {
  const server = fastify({
    logger: false,
    // Of /v1 only injected requests come here: their paths hold what no framework would route.
    rewriteUrl: ({ url = '/' }) => (V1.owns(originForm(url)) ? '/v1' : originForm(url)),
    exposeHeadRoutes: false,
    serverFactory: (listener) => createHttpServer(door, limits, listener),
    clientErrorHandler: answerClientError,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAMETER },
    frameworkErrors: (error, request, reply) => void refuse(request.url, reply, 400, error.message),
  });
  addDoor(server, door, !context.isServer && context.forward === null);
  addErrorPages(server, context);
  server.get('/', (_request, reply) => reply.type(TEXT).send(`Consul Agent: drover ${context.version}\n`));
  await server.register((scope) => registerV2(scope, context));
  return server;
}

/** The same door for requests that are injected, and the guard for all that is not `/v1`. */
function addDoor(server: FastifyInstance, door: FrontDoor, isAlone: boolean): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { originalUrl, raw, url } = request;
    door.greet(reply.raw);
    if (door.takes(originForm(originalUrl), raw, reply.raw)) return void reply.hijack();
    const refusal = door.refusalOf(raw);
    if (refusal !== null) return void refuse(url, reply, 403, refusal);
    if (isAlone && refuseWithoutRegion(url, reply)) return;
    door.mark(originForm(originalUrl), reply.raw);
    const preparing = door.prepare(raw);
    const go = (): void => void (preparing === undefined ? done() : preparing.then(() => done()));
    // As `FrontDoor.takes`: requests of one connection take turns.
    if (reply.raw.socket === null) reply.raw.once('socket', go);
    else go();
  });
}

function addErrorPages(server: FastifyInstance, context: ApiContext): void {
  server.setErrorHandler((error: FastifyError | DroverError, _request, reply) => {
    const status = error instanceof DroverError ? error.status : (error.statusCode ?? 500);
    if (status >= 500) context.log.error({ err: error }, messageOf(error));
    const isOurs = error instanceof DroverError || status < 500;
    return reply
      .code(status)
      .type(TEXT)
      .send(isOurs ? error.message : 'Internal error');
  });
  server.setNotFoundHandler((_request, reply) => reply.code(404).type(TEXT).send('404 page not found'));
}

/** In the form of what was asked: an error object under `/v2`, Consul's plain text elsewhere. */
function refuse(url: string, reply: FastifyReply, status: 400 | 403, text: string): FastifyReply {
  return isV2(url) ? refuseV2(reply, status, text) : reply.code(status).type(TEXT).send(text);
}
