import { fastify, type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { describeHolder, DroverError, findPortHolder, messageOf } from '../lib/index.ts';
import type { ApiContext } from './context.ts';
import { httpPortTaken } from './errors.ts';
import { refusalOf } from './host-guard.ts';
import { registerV1 } from './v1/index.ts';
import { isV2, refuseV2, registerV2 } from './v2/index.ts';

/** Idle connections are kept so long; Consul's clients reuse them. */
const KEEP_ALIVE_MS = 120_000;
/** Names in a path under `/v2` are no longer. */
const MAX_PARAMETER = 1_024;
/** Headers must have come by then. */
const HEADERS_MS = 30_000;

export interface HttpApiOptions {
  readonly context: ApiContext;
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/** The agent's HTTP: `/v1`, Consul's wire, and `/v2`, drover's own. */
export class HttpApi implements AsyncDisposable {
  readonly #server: FastifyInstance;
  readonly port: number;

  private constructor(server: FastifyInstance, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @throws API_PORT_TAKEN naming who holds the port */
  static async start({ context, address, port }: HttpApiOptions): Promise<HttpApi> {
    const server = await buildHttpServer(context);
    try {
      await server.listen({ host: address, port });
    } catch (error) {
      await server.close();
      throw await listenError(error, address, port);
    }
    return new HttpApi(server, (server.server.address() as { port: number }).port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.server.closeAllConnections();
    await this.#server.close();
  }
}

/** The server with every route, not listening: tests inject requests into it. */
export async function buildHttpServer(context: ApiContext): Promise<FastifyInstance> {
  const server = fastify({
    logger: false,
    // Paths of /v1 are decoded from the raw URL by their own router: KV keys hold any byte.
    rewriteUrl: ({ url = '/' }) => (url.startsWith('/v1/') ? '/v1' : url),
    exposeHeadRoutes: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_MS },
    requestTimeout: 0,
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAMETER },
    frameworkErrors: (error, request, reply) => void refuse(request.url, reply, 400, error.message),
  });
  const ownNames = namesOf(context);
  server.addHook('onRequest', (request, reply, done) => {
    const { host, origin } = request.headers;
    const refusal = refusalOf({ method: request.method, host, origin }, ownNames);
    if (refusal === null) return done();
    void refuse(request.url, reply, 403, refusal);
  });
  server.setErrorHandler((error: FastifyError | DroverError, _request, reply) => {
    const status = error instanceof DroverError ? error.status : (error.statusCode ?? 500);
    if (status >= 500) context.log.error({ err: error }, messageOf(error));
    return reply.code(status).type('text/plain; charset=utf-8').send(error.message);
  });
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).type('text/plain; charset=utf-8').send('404 page not found'),
  );
  await server.register((scope) => registerV1(scope, context));
  await server.register((scope) => registerV2(scope, context));
  return server;
}

/** In the form of what was asked: an error object under `/v2`, Consul's plain text elsewhere. */
function refuse(url: string, reply: FastifyReply, status: 400 | 403, text: string): FastifyReply {
  return isV2(url) ? refuseV2(reply, status, text) : reply.code(status).type('text/plain; charset=utf-8').send(text);
}

function namesOf(context: ApiContext): ReadonlySet<string> {
  const nodes = [...context.nodes.keys()].map((name) => name.toLowerCase());
  return new Set(nodes.flatMap((name) => [name, `${name}.node.consul`, `${name}.node.${context.region}.consul`]));
}

async function listenError(error: unknown, address: string, port: number): Promise<Error> {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error as Error;
  const holder = await findPortHolder(address, port).catch(() => null);
  return httpPortTaken.with(
    { cause: error },
    address,
    port,
    holder === null ? 'another program' : describeHolder(holder),
  );
}
