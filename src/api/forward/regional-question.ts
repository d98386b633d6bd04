import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { tokenIn, tokenOf } from '../token-of.ts';
import { requestHeaders } from './forward-headers.ts';
import { forwardedRead, ofThisAgent, withWait, type ForwardedRead } from './forwarded-url.ts';
import { keptKey } from './kept-answers.ts';
import type { UpstreamRequest } from './ask-upstream.ts';

/** Whoever shows no token to an agent without one of its own is nobody, also where the server has one of its own. */
const NOBODY = 'anonymous';

/** A request as it came to this agent. */
export interface Came {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
  /** null for one without. */
  readonly body: IncomingMessage | null;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** This agent, as far as servers are told. */
export interface Asker {
  /** Its first node. */
  readonly node: string;
  /** Its default token; empty for none. */
  readonly defaultToken: string;
}

/** A request about the region, ready to be handed to any server. */
export class RegionalQuestion {
  readonly signal: AbortSignal;
  /** Null for what may change something: that is sent to one server, once. */
  readonly read: ForwardedRead | null;
  readonly isV2: boolean;
  /** Under which its answer is kept; null where it is not. */
  readonly key: string | null;
  readonly #came: Came;
  readonly #asker: Asker;
  readonly #inHeaders: string;

  constructor(came: Came, asker: Asker) {
    this.#came = came;
    this.#asker = asker;
    this.signal = came.signal;
    this.isV2 = came.url.startsWith('/v2');
    this.read = came.method === 'GET' || came.method === 'HEAD' ? forwardedRead(came.url) : null;
    this.#inHeaders = tokenOf(null, came.headers);
    // Of `/v2` no parameter is a token.
    const shown = this.isV2 ? this.#inHeaders : tokenIn(came.url, came.headers);
    const question = came.method === 'GET' ? (this.read?.kept ?? null) : null;
    this.key = question === null ? null : keptKey(question, shown || asker.defaultToken);
  }

  get takesGzip(): boolean {
    return /\bgzip\b/.test(String(this.#came.headers['accept-encoding'] ?? ''));
  }

  /** As it is sent to a server; `waitMs` is what is left of the wait of one that waits. */
  to(server: string, waitMs: number | null, signal: AbortSignal): UpstreamRequest {
    const { method, url, body } = this.#came;
    const path = ofThisAgent(url, this.#asker.node);
    return {
      server,
      method,
      path: waitMs === null ? path : withWait(path, waitMs),
      headers: requestHeaders({
        ...this.#came,
        host: hostOf(server),
        node: this.#asker.node,
        token: this.#inHeaders || this.#asker.defaultToken || NOBODY,
      }),
      body,
      signal,
    };
  }
}

/** Names are no hosts that a server answers to: it is asked as itself. */
function hostOf(server: string): string {
  const { host, hostname, port } = new URL(server);
  return /^[\d.]+$|^\[/.test(hostname) ? host : `localhost${port === '' ? '' : `:${port}`}`;
}
