import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiAnswer } from '../../event/index.ts';
import { messageOf, type Clock } from '../../lib/index.ts';
import type { ApiLog } from '../api-log.ts';
import { noServers } from '../errors.ts';
import type { OwnQuestion } from '../v1/own-question.ts';
import { askRegion, type RegionAsking } from './ask-region.ts';
import { Upstream } from './ask-upstream.ts';
import { KeptAnswers, type KeptAnswer } from './kept-answers.ts';
import { RegionContact } from './region-contact.ts';
import type { LinkStanding, RegionServers } from './region-servers.ts';
import { RegionalQuestion } from './regional-question.ts';
import { giveKept, passOn, readWhole, refuseWithoutServer } from './send-region-answer.ts';
import { hostName } from '../host-guard.ts';
import { isStandIn, whereAnswered } from './where-answered.ts';

export interface ForwarderOptions {
  readonly servers: RegionServers;
  /** How the links stand, for whoever asks. */
  readonly standing: () => LinkStanding;
  /** The agent's first node. */
  readonly node: string;
  /** The agent's default token; empty for none. Asked for each request: it can be set while the agent runs. */
  readonly defaultToken: () => string;
  readonly clock: Clock;
  readonly log: Pick<ApiLog, 'warn'>;
}

const LIMITS = Object.freeze({ sockets: 1_024, idleSockets: 64, connectMs: 2_000 });
const KEPT = Object.freeze({ most: 2_000, octets: 32 << 20 });

/**
 * Hands on what is about the region: a request that comes to an agent without a region of its own goes to the server it is linked
 * to, both ways as a stream, with what Consul's wire has in headers unchanged. Reads outlive their server, and have an answer from
 * before when there is none at all.
 */
export class Forwarder implements Disposable {
  readonly #options: ForwarderOptions;
  readonly #asking: RegionAsking & Disposable;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    const { servers, clock } = options;
    const upstream = new Upstream(LIMITS);
    const contact = new RegionContact(servers, clock);
    this.#asking = {
      upstream,
      contact,
      kept: new KeptAnswers(KEPT),
      clock,
      [Symbol.dispose]() {
        contact[Symbol.dispose]();
        upstream[Symbol.dispose]();
      },
    };
  }

  get isLinked(): boolean {
    return this.#asking.contact.linked !== null;
  }

  standing(): LinkStanding {
    return this.#options.standing();
  }

  /** Whether what this agent answers to a request itself is in place of what a server would. */
  standsIn(url: string): boolean {
    return !this.isLinked && isStandIn(url);
  }

  /** Whether a server that it knows is at this host, which may be a name. */
  knows(host: string): boolean {
    return this.#options.servers.candidates.some(({ url }) => hostName(new URL(url).host) === host);
  }

  /** Whether a request is for a server. */
  takes(url: string): boolean {
    return whereAnswered(url, this.isLinked) === 'by a server';
  }

  /** Answers a request of this URL (origin form) with what a server does. Never throws. */
  handle(url: string, request: IncomingMessage, response: ServerResponse): void {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client is gone')));
    // A client that goes away half-way through its body.
    request.on('error', () => undefined);
    const question = this.#question({
      method: request.method ?? 'GET',
      url,
      rawHeaders: request.rawHeaders,
      headers: request.headers,
      remoteAddress: request.socket?.remoteAddress,
      body: hasBody(request) ? request : null,
      signal: gone.signal,
    });
    this.#answer(question, response).catch((error: unknown) => {
      if (gone.signal.aborted) return;
      this.#options.log.warn({ err: error }, `a request was not handed on: ${messageOf(error)}`);
      refuseWithoutServer(response, question.isV2, true);
    });
  }

  /** What a GET is answered that this process itself asks. @throws API_NO_SERVERS, or the signal's reason */
  async ask(url: string, { token, signal }: OwnQuestion): Promise<ApiAnswer> {
    const headers = token === null ? {} : { 'x-consul-token': token };
    const rawHeaders = Object.entries(headers).flat();
    const came = { method: 'GET', url, rawHeaders, headers, remoteAddress: undefined, body: null, signal };
    const question = this.#question(came);
    const answer = await askRegion(this.#asking, question);
    if (answer.type === 'none') throw noServers();
    const kept = answer.type === 'kept' ? answer.answer : await wholeOf(answer.message);
    if (answer.type === 'live' && question.key !== null && kept.status < 400) this.#asking.kept.put(question.key, kept);
    const revision = Number(headerOf(kept, 'x-drover-revision') ?? Number.NaN);
    return {
      status: kept.status,
      body: kept.body.toString(),
      index: kept.index,
      revision: Number.isSafeInteger(revision) ? revision : null,
    };
  }

  [Symbol.dispose](): void {
    this.#asking[Symbol.dispose]();
  }

  #question(came: ConstructorParameters<typeof RegionalQuestion>[0]): RegionalQuestion {
    return new RegionalQuestion(came, { node: this.#options.node, defaultToken: this.#options.defaultToken() });
  }

  async #answer(question: RegionalQuestion, response: ServerResponse): Promise<void> {
    const { kept, contact } = this.#asking;
    const answer = await askRegion(this.#asking, question);
    const { key } = question;
    if (answer.type === 'none') return refuseWithoutServer(response, question.isV2, answer.wasSent);
    if (answer.type === 'kept') {
      const { takesGzip } = question;
      return giveKept(response, answer.answer, { takesGzip, lastContactMs: contact.lastContactMs });
    }
    passOn(answer.message, response, key === null ? undefined : (one) => kept.put(key, one));
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

async function wholeOf(message: IncomingMessage): Promise<KeptAnswer> {
  const { statusCode: status = 500, rawHeaders: headers } = message;
  return { status, headers, index: String(message.headers['x-consul-index'] ?? ''), body: await readWhole(message) };
}

function headerOf({ headers }: KeptAnswer, name: string): string | undefined {
  const at = headers.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name);
  return at < 0 ? undefined : headers[at + 1];
}
