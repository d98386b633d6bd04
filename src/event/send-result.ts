import type { ClientRequest } from 'node:http';
import { type Clock, formatGoDuration, messageOf, OutputTail } from '../lib/index.ts';
import type { HandlerCall, HandlerResult, HttpHandler } from './handler.ts';

// An import of node:http evaluates a second HTTP client with it (decision 106).
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

const STOPPED = 'stopped with the agent';

interface SendOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly outputLimit: number;
}

/** Sends a handler's input to its URL. Only 2xx is well; redirects are not followed, so that the input goes nowhere else. */
export async function sendResult(
  handler: HttpHandler,
  call: HandlerCall,
  { signal, clock, outputLimit }: SendOptions,
): Promise<HandlerResult> {
  const startedMs = clock.now();
  const result = (ok: boolean, ending: string, output = ''): HandlerResult => {
    return { ok, ending, output, durationMs: clock.now() - startedMs };
  };
  if (signal.aborted) return result(false, STOPPED);
  const request = requestTo(handler, call);
  const cut = (): void => void request.destroy();
  let isLate = false;
  const timer = clock.after(handler.timeoutMs, () => {
    isLate = true;
    cut();
  });
  // A signal of its own for each, made of both, would cost as much as the request.
  signal.addEventListener('abort', cut);
  try {
    const { status, output } = await answerOf(request, outputLimit);
    return result(status >= 200 && status < 300, `status ${status}`, output);
  } catch (error) {
    if (signal.aborted) return result(false, STOPPED);
    if (isLate) return result(false, `no answer in ${formatGoDuration(handler.timeoutMs)}`);
    return result(false, `not sent: ${messageOf(error)}`);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', cut);
  }
}

function requestTo({ url, method, header, tlsSkipVerify }: HttpHandler, { input, index }: HandlerCall): ClientRequest {
  const target = new URL(url);
  const body = Buffer.from(input);
  const own = { 'content-type': 'application/json', 'x-consul-index': index, 'content-length': body.length };
  const headers = { ...own, ...lowerCased(header) };
  const tls = target.protocol === 'https:' && tlsSkipVerify ? { rejectUnauthorized: false } : {};
  const request = (target.protocol === 'https:' ? https : http).request(target, { method, headers, ...tls });
  request.end(body);
  return request;
}

function answerOf(request: ClientRequest, outputLimit: number): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    // Also when it was cut off, which is no error once there are headers.
    request.once('close', () => reject(new Error('the connection was closed')));
    request.once('response', (response) => {
      const tail = new OutputTail(outputLimit);
      response.on('data', (chunk: Buffer) => tail.push(chunk));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, output: tail.text().trim() }));
    });
  });
}

function lowerCased(header: HttpHandler['header']): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(header).map(([name, values]) => [name.toLowerCase(), values]));
}
