import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { ApiAnswer } from '../event/index.ts';
import type { ApiContext } from './context.ts';
import { HostGuard } from './host-guard.ts';
import type { HttpLimits } from './http-limits.ts';
import { PathRules } from './path-rules.ts';
import { type OwnQuestion, sendText, toApiAnswer, V1 } from './v1/index.ts';

// An import of node:http evaluates all of its exports, and with WebSocket a whole HTTP client: a tenth of an agent's start.
const { createServer } = process.getBuiltinModule('node:http');

/** What every request passes first: foreign hosts and origins are refused, and `/v1` is answered as it came. */
export class FrontDoor {
  readonly #guard: HostGuard;
  readonly #rules: PathRules;
  readonly #headers: readonly (readonly [name: string, value: string])[];
  readonly #v1: V1;

  constructor(context: ApiContext) {
    this.#guard = new HostGuard(namesOf(context));
    this.#rules = new PathRules(context.http);
    this.#headers = Object.entries(context.http.responseHeaders);
    this.#v1 = new V1(context);
  }

  /** Puts the operator's headers on an answer, whatever it will be. */
  greet(response: ServerResponse): void {
    for (const [name, value] of this.#headers) response.setHeader(name, value);
  }

  /** Why a request is refused; null for one that is not. */
  refusalOf(request: IncomingMessage): string | null {
    const { method, socket, url = '/' } = request;
    return this.#guard.refusalOf(request) ?? this.#rules.refusalOf({ method, socket, url: originForm(url) });
  }

  /** What a path under `/v1` is answered, asked by this process itself and not over a socket. Rejects with the signal's reason. */
  async ask(url: string, question: OwnQuestion): Promise<ApiAnswer> {
    const refusal = this.#rules.refusalOf({ method: 'GET', url });
    return toApiAnswer(refusal === null ? await this.#v1.ask(url, question) : { status: 403, text: refusal });
  }

  /** Answers a request of `/v1`, before the framework knows of it; false for any other. */
  /** Why an upgrade is refused. It opens a way to write, so a foreign page may not ask for it, as for any change. */
  refusalOfUpgrade({ headers, socket, url = '/' }: IncomingMessage): string | null {
    const method = 'PUT';
    return (
      this.#guard.refusalOf({ method, headers }) ?? this.#rules.refusalOf({ method, socket, url: originForm(url) })
    );
  }

  takes(url: string, request: IncomingMessage, response: ServerResponse): boolean {
    if (!V1.owns(url)) return false;
    // A pipelined request has no socket before its turn: it may read what the one ahead of it writes (RFC 9112, 9.3.2).
    if (response.socket === null) response.once('socket', () => this.#answer(url, request, response));
    else this.#answer(url, request, response);
    return true;
  }

  #answer(url: string, request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.refusalOf(request);
    if (refusal === null) this.#v1.handle(url, request, response);
    else sendText(response, 403, refusal);
  }
}

/** Node's server behind the door; what it does not take goes to `listener`. */
export function createHttpServer(
  door: FrontDoor,
  limits: HttpLimits,
  listener: RequestListener,
  wantsUpgrade: (request: IncomingMessage) => boolean = () => false,
): Server {
  const options = {
    keepAliveTimeout: limits.keepAliveMs,
    requestTimeout: limits.requestMs,
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: limits.checkMs,
    maxHeaderSize: limits.headerBytes,
  };
  return createServer(options, (request, response) => {
    door.greet(response);
    if (!door.takes(originForm(request.url ?? '/'), request, response)) listener(request, response);
  });
}

/** A proxy's client sends the whole URL (RFC 9112, 3.2.2). */
export function originForm(url: string): string {
  return url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
}

function namesOf(context: ApiContext): ReadonlySet<string> {
  const nodes = [...context.nodes.keys()].map((name) => name.toLowerCase());
  return new Set(nodes.flatMap((name) => [name, `${name}.node.consul`, `${name}.node.${context.region}.consul`]));
}
    shouldUpgradeCallback: wantsUpgrade,
