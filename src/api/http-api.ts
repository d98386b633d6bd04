import type { ApiAnswer } from '../event/index.ts';
import { openFilesLimit } from '../lib/index.ts';
import { ClientConnections } from './client-connections.ts';
import type { ApiContext } from './context.ts';
import { createHttpServer, FrontDoor } from './front-door.ts';
import { answerClientError, HTTP_LIMITS, mostConnections, type HttpLimits } from './http-limits.ts';
import { HttpListener, type ListenPlace } from './http-listener.ts';
import type { UnixSocket } from './http-settings.ts';
import { LateFramework } from './late-framework.ts';
import { Upgrades } from './upgrades.ts';
import type { OwnQuestion } from './v1/index.ts';

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
  readonly #door: FrontDoor;
  readonly #stack: AsyncDisposableStack;

  private constructor(port: number, door: FrontDoor, stack: AsyncDisposableStack) {
    this.port = port;
    this.#door = door;
    this.#stack = stack;
  }

  /** @throws API_PORT_TAKEN, API_SOCKET_TAKEN naming who holds it */
  static async start({ context, addresses, port, sockets = [], limits }: HttpApiOptions): Promise<HttpApi> {
    await using stack = new AsyncDisposableStack();
    const all = { ...HTTP_LIMITS, ...limits };
    const door = new FrontDoor(context);
    const framework = new LateFramework(context, all, door);
    const most = context.http.connectionsPerClient;
    const clients = most > 0 ? new ClientConnections(most) : null;
    const upgrades = new Upgrades(context.upgrades, door, all.closeMs);
    const listen = (place: ListenPlace): Promise<HttpListener> => {
      const one = createHttpServer(door, all, framework.listener, upgrades.wants);
      one.on('clientError', answerClientError);
      one.maxConnections = mostConnections(openFilesLimit());
      clients?.watch(one);
      upgrades.watch(one);
      return HttpListener.start(one, place, all.closeMs);
    };
    const listeners: HttpListener[] = [];
    for (const address of addresses) {
      // Where a free port was asked for, the first address's is taken for all.
      const taken = listeners[0]?.port ?? port;
      listeners.push(stack.use(await listen({ address, port: taken })));
    }
    for (const socket of sockets) stack.use(await listen(socket));
    // Before the listeners close: what it streams ends by itself.
    stack.use(framework);
    stack.use(upgrades);
    return new HttpApi(listeners[0]?.port ?? 0, door, stack.move());
  }

  /** Answers this process itself as it would over HTTP: a GET of a path under `/v1`. Rejects with the signal's reason. */
  ask(path: string, question: OwnQuestion): Promise<ApiAnswer> {
    return this.#door.ask(path, question);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
