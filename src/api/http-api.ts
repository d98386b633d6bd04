import { fastify, type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { DroverError, messageOf, openFilesLimit } from '../lib/index.ts';
import { ClientConnections } from './client-connections.ts';
import type { ApiContext } from './context.ts';
import { createHttpServer, FrontDoor, originForm } from './front-door.ts';
import { answerClientError, HTTP_LIMITS, mostConnections, type HttpLimits } from './http-limits.ts';
import { HttpListener, type ListenPlace } from './http-listener.ts';
import type { UnixSocket } from './http-settings.ts';
import { V1 } from './v1/index.ts';
import { isV2, refuseV2, refuseWithoutRegion, registerV2 } from './v2/index.ts';

const TEXT = 'text/plain; charset=utf-8';
/** Names in a path under `/v2` are no longer. */
const MAX_PARAMETER = 1_024;

export interface HttpApiOptions {
  readonly context: ApiContext;
  /** Each with `port`. */
  readonly addresses: readonly string[];
  /** 0 takes a free port. */
  readonly port: number;
  readonly sockets?: readonly UnixSocket[];
  readonly limits?: Partial<HttpLimits>;
}

/** The agent's HTTP: `/v1`, Consul's wire, and `/v2`, drover's own. */
export class HttpApi implements AsyncDisposable {
  /** 0 where there are only sockets. */
  readonly port: number;
  readonly #stack: AsyncDisposableStack;

  private constructor(port: number, stack: AsyncDisposableStack) {
    this.port = port;
    this.#stack = stack;
  }

  /** @throws API_PORT_TAKEN, API_SOCKET_TAKEN naming who holds it */
  static async start({ context, addresses, port, sockets = [], limits }: HttpApiOptions): Promise<HttpApi> {
    await using stack = new AsyncDisposableStack();
    const all = { ...HTTP_LIMITS, ...limits };
    const { server, door } = await buildServer(context, all);
    stack.defer(() => server.close());
    await server.ready();
    const most = context.http.connectionsPerClient;
    const clients = most > 0 ? new ClientConnections(most) : null;
    const listen = (place: ListenPlace): Promise<HttpListener> => {
      const one = createHttpServer(door, all, (request, response) => server.routing(request, response));
      one.on('clientError', answerClientError);
      one.maxConnections = mostConnections(openFilesLimit());
      clients?.watch(one);
      return HttpListener.start(one, place, all.closeMs);
    };
    const listeners: HttpListener[] = [];
    for (const address of addresses) {
      // Where a free port was asked for, the first address's is taken for all.
      const taken = listeners[0]?.port ?? port;
      listeners.push(stack.use(await listen({ address, port: taken })));
    }
    for (const socket of sockets) stack.use(await listen(socket));
    return new HttpApi(listeners[0]?.port ?? 0, stack.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** The server with every route, not listening: tests inject requests into it. */
export async function buildHttpServer(context: ApiContext, limits: HttpLimits = HTTP_LIMITS): Promise<FastifyInstance> {
  return (await buildServer(context, limits)).server;
}

async function buildServer(
  context: ApiContext,
  limits: HttpLimits,
): Promise<{ readonly server: FastifyInstance; readonly door: FrontDoor }> {
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
  addDoor(server, door, context.isServer);
  addErrorPages(server, context);
  server.get('/', (_request, reply) => reply.type(TEXT).send(`Consul Agent: drover ${context.version}\n`));
  await server.register((scope) => registerV2(scope, context));
  return { server, door };
}

/** The same door for requests that are injected, and the guard for all that is not `/v1`. */
function addDoor(server: FastifyInstance, door: FrontDoor, isServer: boolean): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { originalUrl, raw, url } = request;
    door.greet(reply.raw);
    if (door.takes(originForm(originalUrl), raw, reply.raw)) return void reply.hijack();
    const refusal = door.refusalOf(raw);
    if (refusal !== null) return void refuse(url, reply, 403, refusal);
    if (!isServer && refuseWithoutRegion(url, reply)) return;
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
