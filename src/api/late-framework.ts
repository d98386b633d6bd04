import type { RequestListener, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { messageOf } from '../lib/index.ts';
import type { ApiContext } from './context.ts';
import type { FrontDoor } from './front-door.ts';
import type { HttpLimits } from './http-limits.ts';

/**
 * The framework behind the door, which answers all but `/v1`. It is a fifth of what an agent's start would read: it comes with
 * the first request that it is for, which Consul's clients never send.
 */
export class LateFramework implements AsyncDisposable {
  readonly #context: ApiContext;
  readonly #build: () => Promise<FastifyInstance>;
  #server: Promise<FastifyInstance> | null = null;

  constructor(context: ApiContext, limits: HttpLimits, door: FrontDoor) {
    this.#context = context;
    this.#build = async () => {
      const { buildHttpServer } = await import('./http-server.ts');
      const server = await buildHttpServer(context, limits, door);
      await server.ready();
      return server;
    };
  }

  /** Takes what the door does not. */
  readonly listener: RequestListener = (request, response) => {
    this.#server ??= this.#build();
    this.#server.then(
      (server) => server.routing(request, response),
      (error: unknown) => this.#fail(response, error),
    );
  };

  async [Symbol.asyncDispose](): Promise<void> {
    const server = await this.#server?.catch(() => null);
    await server?.close();
  }

  #fail(response: ServerResponse, error: unknown): void {
    this.#context.log.error({ err: error }, messageOf(error));
    response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' }).end('Internal error');
  }
}
