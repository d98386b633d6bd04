import type { IncomingMessage } from 'node:http';
import type { CheckDefinition } from '../definition/index.ts';
import { type Clock, formatGoDuration, startDeadline } from '../lib/index.ts';
import { type HttpAsk, firstAsk, nextAsk, showUrl } from './http-ask.ts';
import { NETWORK_TIMEOUT_MS } from './tcp-probe.ts';
import { tlsOptionsOf } from './tls-options.ts';
import { type Probe, type Verdict, boundOutput, describeNetworkError, isOwnFailure, outputLimitOf } from './verdict.ts';

// An import of node:http evaluates all of its exports, and with WebSocket a whole HTTP client: a tenth of a second of an
// agent's start.
const { request: requestHttp } = process.getBuiltinModule('node:http');
const { request: requestHttps } = process.getBuiltinModule('node:https');

/** Go's limit. */
const MOST_REDIRECTS = 10;
/** The status is known before the body: one that does not end is not waited for longer than this. */
const BODY_MS = 1_000;

interface Limits {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly outputMaxBytes: number;
}

/** A probe that sends an HTTP request: 2xx passing, 429 warning, anything else critical. */
export function httpProbe(definition: CheckDefinition, { clock }: { readonly clock: Clock }): Probe {
  const timeoutMs = definition.timeoutMs || NETWORK_TIMEOUT_MS;
  const outputMaxBytes = outputLimitOf(definition);
  const ask = firstAsk(definition);
  const title = `HTTP ${ask.method} ${showUrl(definition.http ?? '')}: `;
  return async (signal) => {
    const late = new AbortController();
    const deadline = startDeadline(clock, timeoutMs, () => late.abort());
    const limits = { clock, outputMaxBytes, signal: AbortSignal.any([signal, late.signal]) };
    try {
      return await verdictOf(await answerTo(ask, definition, limits.signal), { ...limits, title });
    } catch (error) {
      const slow = late.signal.aborted ? `no answer within ${formatGoDuration(timeoutMs)}` : null;
      const status = signal.aborted || (slow === null && isOwnFailure(error)) ? null : 'critical';
      return { status, output: boundOutput(title + (slow ?? describeNetworkError(error)), outputMaxBytes) };
    } finally {
      deadline.cancel();
    }
  };
}

async function verdictOf(answer: IncomingMessage, limits: Limits & { readonly title: string }): Promise<Verdict> {
  const status = answer.statusCode ?? 0;
  const head = `${limits.title}${`${status} ${answer.statusMessage ?? ''}`.trimEnd()} Output: `;
  const room = Math.max(0, limits.outputMaxBytes - Buffer.byteLength(head));
  const body = await readBody(answer, { ...limits, room });
  return { status: statusOfAnswer(status), output: boundOutput(head + body, limits.outputMaxBytes) };
}

function statusOfAnswer(status: number): 'passing' | 'warning' | 'critical' {
  if (status >= 200 && status < 300) return 'passing';
  return status === 429 ? 'warning' : 'critical';
}

async function answerTo(first: HttpAsk, definition: CheckDefinition, signal: AbortSignal): Promise<IncomingMessage> {
  let ask = first;
  for (let hops = 0; ; hops++) {
    const answer = await send(ask, definition, signal);
    const { location } = answer.headers;
    const next = nextAsk(ask, { status: answer.statusCode ?? 0, ...(location === undefined ? {} : { location }) });
    if (next === null || definition.disableRedirects === true) return answer;
    discard(answer);
    if (hops === MOST_REDIRECTS) throw new Error(`stopped after ${MOST_REDIRECTS} redirects`);
    ask = next;
  }
}

/** One request on a connection of its own: a check must see a server that takes no new ones. */
function send(ask: HttpAsk, definition: CheckDefinition, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { url, method, headers, body } = ask;
    const options = { method, headers, agent: false as const, signal };
    const request =
      url.protocol === 'https:'
        ? requestHttps(url, { ...options, ...tlsOptionsOf(definition) })
        : requestHttp(url, options);
    request.on('response', resolve);
    // Stays: a request that was given up may still report an error.
    request.on('error', reject);
    request.end(body);
  });
}

/** The beginning of a body within `room` bytes; what comes after is not read. */
function readBody(answer: IncomingMessage, limits: Limits & { readonly room: number }): Promise<string> {
  const { clock, room } = limits;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (): void => {
      timer.cancel();
      discard(answer);
      // A character that was cut at the end is left out.
      resolve(new TextDecoder().decode(Buffer.concat(chunks).subarray(0, room), { stream: true }));
    };
    const timer = clock.after(BODY_MS, end);
    for (const event of ['end', 'close', 'error']) answer.on(event, end);
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= room) end();
    });
  });
}

function discard(answer: IncomingMessage): void {
  answer.on('error', () => {});
  answer.destroy();
}
