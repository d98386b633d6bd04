import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { isForeign } from '../host-guard.ts';
import { Compressor } from './compress.ts';
import type { V1Answer, V1Handler, V1Route } from './exchange.ts';
import { failureOf, type Failure } from './failure.ts';
import { Incoming } from './incoming.ts';
import { isLocal, NO_SERVERS } from './local-only.ts';
import { missingEndpoint } from './missing-endpoints.ts';
import { checkParameters } from './parameters.ts';
import { decodeBytes, isPrintable, textOfBytes } from './percent.ts';
import type { OwnQuestion } from './own-question.ts';
import { hasBody, readBody } from './read-body.ts';
import { refuseBody, tooLargeText } from './refuse-body.ts';
import { UrlParser } from './parsed-url.ts';
import { RequestCounts } from './request-counts.ts';
import { Router } from './router.ts';
import { v1Routes } from './routes.ts';
import { shownUrl } from './shown-url.ts';
import { sendAnswer, sendText, type SendOptions } from './send-answer.ts';

const PREFIX = '/v1/';
const BODY_LIMIT = 1024 * 1024;
const BAD_ESCAPE = 'invalid URL escape in the path';

/**
 * Consul's wire under `/v1` (consul-http-api 1), on Node's own request and response: methods, paths as they stand in the
 * URL, bodies of any content type and texts as errors are Consul's, whatever a framework would make of them.
 */
export class V1 {
  readonly #context: ApiContext;
  readonly #urls: UrlParser;
  readonly #sending: SendOptions;
  readonly #counts: RequestCounts;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#counts = new RequestCounts(context.clock);
    this.#urls = new UrlParser(new Router(v1Routes(context, this.#counts)), PREFIX);
    this.#sending = { pretty: context.pretty, compressor: new Compressor() };
  }

  /** Whether a URL is one of these. */
  static owns(url: string): boolean {
    return url.startsWith(PREFIX);
  }

  /** Answers one request. Never throws. */
  handle(url: string, request: IncomingMessage, response: ServerResponse): void {
    this.#counts.add(request.method ?? '');
    if (this.#context.log.isDebug) this.#note(url, request, response);
    const parsed = this.#urls.parse(url);
    const { match, argumentBytes } = parsed;
    if (match === undefined) return sendMissing(response, url);
    const { route } = match;
    const handler = this.#handlerOf(route, request);
    if (handler === undefined) return refuseMethod(route, request.method ?? '', response);
    if (!this.#context.isServer && !isLocal(route.path)) return sendText(response, 500, NO_SERVERS);
    if (argumentBytes === undefined) return sendText(response, 400, BAD_ESCAPE);
    const asked = new Incoming({ request, asker: response, access: this.#context.access }, argumentBytes, parsed);
    if (request.method === 'GET' || !hasBody(request)) return this.#run(route, handler, asked, response);
    void this.#withBody(route, handler, asked, { request, response });
  }

  /**
   * What a GET is answered that this process itself asks, without a socket between: the same routes, tokens and texts. Rejects
   * with the signal's reason.
   */
  async ask(url: string, { token, signal }: OwnQuestion): Promise<V1Answer> {
    const parsed = this.#urls.parse(url);
    const { match, argumentBytes } = parsed;
    const handler = match?.route.methods['GET'];
    if (match === undefined || handler === undefined) return missingAnswer(url);
    if (!this.#context.isServer && !isLocal(match.route.path)) return { status: 500, text: NO_SERVERS };
    if (argumentBytes === undefined) return { status: 400, text: BAD_ESCAPE };
    const request = { headers: token === null ? {} : { 'x-consul-token': token }, socket: null };
    const asked = new Incoming({ request, asker: signal, access: this.#context.access }, argumentBytes, parsed);
    try {
      if (asked.kept.isSound !== true) this.#check(match.route, asked);
      let answer = await handler(asked);
      while (asked.renew()) answer = await handler(asked);
      return answer;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      return failureOf(this.#context, error);
    }
  }

  /** Says of a request, when it is answered, that it was: never its token. */
  #note(url: string, request: IncomingMessage, response: ServerResponse): void {
    const { clock, log } = this.#context;
    const begun = clock.now();
    response.once('close', () => {
      const latency = `${(clock.now() - begun).toFixed(3)}ms`;
      const from = request.socket?.remoteAddress ?? '';
      log.debug(
        { method: request.method, url: shownUrl(url), from, status: response.statusCode, latency },
        'request finished',
      );
    });
  }

  #handlerOf(route: V1Route, request: IncomingMessage): V1Handler | undefined {
    const method = request.method ?? '';
    const changes = method === 'GET' && route.legacyGet === true && this.#context.legacy;
    if (!changes) return Object.hasOwn(route.methods, method) ? route.methods[method] : undefined;
    // A page elsewhere can have a browser GET anything, so what changes is guarded as a PUT would be.
    return isForeign(request.headers) ? refuseForeign : route.methods['PUT'];
  }

  async #withBody(
    route: V1Route,
    handler: V1Handler,
    asked: Incoming,
    { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  ): Promise<void> {
    const refusal = this.#refusalOf(route, asked);
    if (refusal !== undefined) return refuseBody(request, response, refusal, this.#context.clock);
    const limit = route.bodyLimit ?? BODY_LIMIT;
    const read = await readBody(request, limit);
    if (read.type === 'bytes') this.#run(route, handler, asked.withBody(read.bytes), response);
    else if (read.type === 'too large') {
      const text = (route.tooLargeText ?? tooLargeText)(read.bytes, limit);
      refuseBody(request, response, { status: 413, text }, this.#context.clock);
    }
  }

  /** Why the body is not even read. */
  #refusalOf(route: V1Route, asked: Incoming): Failure | undefined {
    try {
      route.admit?.(asked);
      return undefined;
    } catch (error) {
      return failureOf(this.#context, error);
    }
  }

  #run(route: V1Route, handler: V1Handler, asked: Incoming, response: ServerResponse): void {
    try {
      if (asked.kept.isSound !== true) this.#check(route, asked);
      const answer = handler(asked);
      // What was rendered for a token that may something else by now is not sent: the read begins again.
      const again = route.methods['GET'] === handler ? () => this.#run(route, handler, asked, response) : undefined;
      if (answer instanceof Promise) void this.#sendLater(response, asked, answer, again);
      else this.#send(response, asked, answer);
    } catch (error) {
      this.#fail(response, asked, error);
    }
  }

  #check(route: V1Route, { argument, query, kept }: Incoming): void {
    if (route.anyBytes !== true && !this.#context.http.takesUnprintable && !isPrintable(argument)) throw unprintable();
    checkParameters(this.#context, route.path, query);
    kept.isSound = true;
  }

  async #sendLater(
    response: ServerResponse,
    asked: Incoming,
    answer: Promise<V1Answer>,
    again?: () => void,
  ): Promise<void> {
    try {
      const found = await answer;
      if (again !== undefined && asked.renew()) return again();
      this.#send(response, asked, found);
    } catch (error) {
      this.#fail(response, asked, error);
    }
  }

  #send(response: ServerResponse, asked: Incoming, answer: V1Answer): void {
    const sent = sendAnswer(response, asked, answer, this.#sending);
    if (sent !== undefined) sent.catch((error: unknown) => this.#fail(response, asked, error));
  }

  #fail(response: ServerResponse, asked: Incoming, error: unknown): void {
    if (response.destroyed || asked.isGone) return;
    const { status, text } = failureOf(this.#context, error);
    sendText(response, status, text);
  }
}

function refuseMethod({ methods }: V1Route, method: string, response: ServerResponse): void {
  const headers = { Allow: ['OPTIONS', ...Object.keys(methods)].join(',') };
  if (method === 'OPTIONS') sendText(response, 200, '', headers);
  else sendText(response, 405, `method ${method} not allowed`, headers);
}

function sendMissing(response: ServerResponse, url: string): void {
  const { status, text } = missingAnswer(url);
  sendText(response, status, text);
}

function missingAnswer(url: string): { readonly status: number; readonly text: string } {
  const path = url.slice(PREFIX.length).replace(/\?.*$/s, '');
  return missingEndpoint(textOfBytes(decodeBytes(path) ?? ''));
}

function unprintable(): Error {
  return badRequest('the path holds a character that cannot be printed');
}

const refuseForeign: V1Handler = () => ({ status: 403, text: 'a change from another origin is refused' });
