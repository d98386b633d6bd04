import type http from 'node:http';
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { systemClock, type Clock } from '../../lib/index.ts';
import { discardBody } from '../discard-body.ts';

/** One request to one server. */
export interface UpstreamRequest {
  /** The server's origin. */
  readonly server: string;
  readonly method: string;
  /** As in a request line. */
  readonly path: string;
  /** Name and value in turn. */
  readonly headers: readonly string[];
  /** What is sent along; null for none. Read only once the server has accepted the connection. */
  readonly body: IncomingMessage | null;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Why a server gave no answer. */
export class UpstreamLost extends Error {
  /** False where the server cannot have seen the request. */
  readonly wasSent: boolean;

  constructor(cause: unknown, wasSent: boolean) {
    super('the server gave no answer', { cause });
    this.wasSent = wasSent;
  }
}

/** How many connections to servers there are at most, and how long one may take to be accepted. */
export interface UpstreamLimits {
  readonly sockets: number;
  readonly idleSockets: number;
  readonly connectMs: number;
}

/** Connections to servers, kept alive: those of reads that wait are apart, so that nothing else stands behind them. */
export class Upstream implements Disposable {
  readonly #limits: UpstreamLimits;
  readonly #clock: Clock;
  readonly #agents = new Map<string, Agent>();

  constructor(limits: UpstreamLimits, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Sends a request; resolves with the head of its answer, whose body is then to be read.
   *
   * @throws UpstreamLost, or the signal's reason
   */
  ask(request: UpstreamRequest, waits: boolean): Promise<IncomingMessage> {
    const { server, signal, body } = request;
    const url = new URL(server);
    const isSecure = url.protocol === 'https:';
    const { request: open } = moduleOf(isSecure);
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const sending = open({
        agent: this.#agentFor(isSecure, waits),
        host: url.hostname.replaceAll(/^\[|\]$/g, ''),
        port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
        method: request.method,
        path: request.path,
        headers: request.headers as string[],
      });
      let wasSent = false;
      const onAbort = (): void => void sending.destroy(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#whenAccepted(sending, () => {
        wasSent = true;
        if (body === null) sending.end();
        else body.pipe(sending);
      });
      sending.once('response', resolve);
      sending.once('error', (error) => {
        reject(signal.aborted ? (signal.reason as Error) : new UpstreamLost(error, wasSent));
      });
      sending.once('close', () => {
        signal.removeEventListener('abort', onAbort);
        if (wasSent && body !== null) this.#discardRest(body, sending);
      });
    });
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  /** What a server did not wait for is taken all the same: the client's next request stands behind it. */
  #discardRest(body: IncomingMessage, sending: ClientRequest): void {
    body.unpipe(sending);
    if (body.readableEnded || body.destroyed) return;
    discardBody(body, this.#clock, () => {
      if (!body.complete) body.destroy();
    });
  }

  #whenAccepted(sending: ClientRequest, then: () => void): void {
    sending.once('socket', (socket) => {
      if (!socket.connecting) return then();
      const late = this.#clock.after(this.#limits.connectMs, () => sending.destroy(new Error('it does not answer')));
      sending.once('close', () => late.cancel());
      socket.once('connect', () => {
        late.cancel();
        then();
      });
    });
  }

  #agentFor(isSecure: boolean, waits: boolean): Agent {
    const name = `${isSecure} ${waits}`;
    const known = this.#agents.get(name);
    if (known !== undefined) return known;
    const { sockets, idleSockets } = this.#limits;
    const agent = new (moduleOf(isSecure).Agent)({
      keepAlive: true,
      maxSockets: sockets,
      maxTotalSockets: sockets,
      maxFreeSockets: idleSockets,
      scheduling: 'lifo',
    });
    this.#agents.set(name, agent);
    return agent;
  }
}

/** Not imported: what no request asks for is not evaluated at an agent's start (front-door.ts). */
function moduleOf(isSecure: boolean): Pick<typeof http, 'Agent' | 'request'> {
  return process.getBuiltinModule(isSecure ? 'node:https' : 'node:http') as typeof http;
}
