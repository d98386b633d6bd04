import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AccessControl } from '../access/index.ts';
import type { ApiAnswer } from '../event/index.ts';
import type { ApiContext } from './context.ts';
import type { Forwarder } from './forward/index.ts';
import { HostGuard } from './host-guard.ts';
import type { HttpLimits } from './http-limits.ts';
import { PathRules } from './path-rules.ts';
import { tokenIn } from './token-of.ts';
import { type OwnQuestion, sendText, toApiAnswer, V1 } from './v1/index.ts';

// An import of node:http evaluates all of its exports, and with WebSocket a whole HTTP client: a tenth of an agent's start.
const { createServer } = process.getBuiltinModule('node:http');

/** What every request passes first: foreign hosts and origins are refused, and `/v1` is answered as it came. */
export class FrontDoor {
  readonly #guard: HostGuard;
  readonly #rules: PathRules;
  readonly #headers: readonly (readonly [name: string, value: string])[];
  readonly #v1: V1;
  readonly #access: AccessControl;
  readonly #forward: Forwarder | null;

  constructor(context: ApiContext) {
    this.#guard = new HostGuard(namesOf(context));
    this.#rules = new PathRules(context.http);
    this.#headers = Object.entries(context.http.responseHeaders);
    this.#v1 = new V1(context);
    this.#access = context.access;
    this.#forward = context.forward;
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

  /** Why an upgrade is refused. It opens a way to write, so a foreign page may not ask for it, as for any change. */
  refusalOfUpgrade({ headers, socket, url = '/' }: IncomingMessage): string | null {
    const method = 'PUT';
    return (
      this.#guard.refusalOf({ method, headers }) ?? this.#rules.refusalOf({ method, socket, url: originForm(url) })
    );
  }

  /** What a path under `/v1` is answered, asked by this process itself and not over a socket. Rejects with the signal's reason. */
  async ask(url: string, question: OwnQuestion): Promise<ApiAnswer> {
    const refusal = this.#rules.refusalOf({ method: 'GET', url });
    if (refusal !== null) return toApiAnswer({ status: 403, text: refusal });
    if (this.#forward?.takes(url) === true) return this.#forward.ask(url, question);
    await this.#access.prepare?.(question.token ?? '');
    return toApiAnswer(await this.#v1.ask(url, question));
  }

  /** Answers a request of `/v1`, and what is handed on, before the framework knows of it; false for any other. */
  takes(url: string, request: IncomingMessage, response: ServerResponse): boolean {
    if (!V1.owns(url) && this.#forward?.takes(url) !== true) return false;
    // A pipelined request has no socket before its turn: it may read what the one ahead of it writes (RFC 9112, 9.3.2).
    if (response.socket === null) response.once('socket', () => this.#answer(url, request, response));
    else this.#answer(url, request, response);
    return true;
  }

  #answer(url: string, request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.refusalOf(request);
    if (refusal !== null) return sendText(response, 403, refusal);
    if (this.#forward?.takes(url) === true) return this.#forward.handle(url, request, response);
    this.mark(url, response);
    const preparing = this.prepare(request);
    if (preparing === undefined) return this.#v1.handle(url, request, response);
    void preparing.then(() => this.#v1.handle(url, request, response));
  }

  /** Says of an answer that is this agent's own for want of a server's that it is. */
  mark(url: string, response: ServerResponse): void {
    if (this.#forward?.standsIn(url) === true) response.setHeader('X-Drover-Stale', 'true');
  }

  /** Asks for what a request's token may, where that is not known here; undefined where nothing is to be waited for. Never rejects. */
  prepare({ url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>): Promise<void> | undefined {
    return this.#access.prepare?.(tokenIn(url, headers));
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
    shouldUpgradeCallback: wantsUpgrade,
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
