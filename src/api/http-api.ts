import { fastify, type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { DroverError, messageOf, openFilesLimit, systemClock } from '../lib/index.ts';
import type { ApiContext } from './context.ts';
import { createHttpServer, FrontDoor, originForm } from './front-door.ts';
import { answerClientError, HTTP_LIMITS, mostConnections, type HttpLimits } from './http-limits.ts';
import { toListenError } from './refuse-taken-port.ts';
import { V1 } from './v1/index.ts';
import { isV2, refuseV2, registerV2 } from './v2/index.ts';

const TEXT = 'text/plain; charset=utf-8';
/** Names in a path under `/v2` are no longer. */
const MAX_PARAMETER = 1_024;

export interface HttpApiOptions {
  readonly context: ApiContext;
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly limits?: Partial<HttpLimits>;
}

/** The agent's HTTP: `/v1`, Consul's wire, and `/v2`, drover's own. */
export class HttpApi implements AsyncDisposable {
  readonly #server: FastifyInstance;
  readonly #closeMs: number;
  readonly port: number;

  private constructor(server: FastifyInstance, port: number, closeMs: number) {
    this.#server = server;
    this.port = port;
    this.#closeMs = closeMs;
  }

  /** @throws API_PORT_TAKEN naming who holds the port */
  static async start({ context, address, port, limits }: HttpApiOptions): Promise<HttpApi> {
    const all = { ...HTTP_LIMITS, ...limits };
    const server = await buildHttpServer(context, all);
    try {
      server.server.maxConnections = mostConnections(openFilesLimit());
      await server.listen({ host: address, port });
    } catch (error) {
      await server.close();
      throw await toListenError(error, address, port);
    }
    return new HttpApi(server, (server.server.address() as { port: number }).port, all.closeMs);
  }

  /** Takes nothing new, lets what is under way end for a moment, then cuts what is left: blocked queries, above all. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#server.close();
    const cut = systemClock.after(this.#closeMs, () => this.#server.server.closeAllConnections());
    await closed;
    cut.cancel();
  }
}

/** The server with every route, not listening: tests inject requests into it. */
export async function buildHttpServer(context: ApiContext, limits: HttpLimits = HTTP_LIMITS): Promise<FastifyInstance> {
  const door = new FrontDoor(context);
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
  addDoor(server, door);
  addErrorPages(server, context);
  server.get('/', (_request, reply) => reply.type(TEXT).send(`Consul Agent: drover ${context.version}\n`));
  await server.register((scope) => registerV2(scope, context));
  return server;
}

/** The same door for requests that are injected, and the guard for all that is not `/v1`. */
function addDoor(server: FastifyInstance, door: FrontDoor): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { originalUrl, raw, url } = request;
    if (door.takes(originForm(originalUrl), raw, reply.raw)) return void reply.hijack();
    const refusal = door.refusalOf(raw);
    if (refusal !== null) return void refuse(url, reply, 403, refusal);
    // As `FrontDoor.takes`: requests of one connection take turns.
    if (reply.raw.socket === null) reply.raw.once('socket', () => done());
    else done();
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
