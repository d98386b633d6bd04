import { type Clock, formatGoDuration, messageOf, OutputTail } from '../lib/index.ts';
import type { HandlerCall, HandlerResult, HttpHandler } from './handler.ts';

// An import of node:http evaluates a second HTTP client with it (decision 106).
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

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
  const late = new AbortController();
  const timer = clock.after(handler.timeoutMs, () => late.abort());
  const result = (ok: boolean, ending: string, output = ''): HandlerResult => {
    return { ok, ending, output, durationMs: clock.now() - startedMs };
  };
  try {
    const { status, output } = await exchange(handler, call, AbortSignal.any([signal, late.signal]), outputLimit);
    return result(status >= 200 && status < 300, `status ${status}`, output);
  } catch (error) {
    if (signal.aborted) return result(false, 'stopped with the agent');
    if (late.signal.aborted) return result(false, `no answer in ${formatGoDuration(handler.timeoutMs)}`);
    return result(false, `not sent: ${messageOf(error)}`);
  } finally {
    timer.cancel();
  }
}

function exchange(
  { url, method, header, tlsSkipVerify }: HttpHandler,
  { input, index }: HandlerCall,
  signal: AbortSignal,
  outputLimit: number,
): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const target = new URL(url);
    const body = Buffer.from(input);
    const own = { 'content-type': 'application/json', 'x-consul-index': index, 'content-length': body.length };
    const headers = { ...own, ...lowerCased(header) };
    const tls = target.protocol === 'https:' && tlsSkipVerify ? { rejectUnauthorized: false } : {};
    const request = (target.protocol === 'https:' ? https : http).request(target, { method, headers, signal, ...tls });
    request.once('error', reject);
    request.once('response', (response) => {
      const tail = new OutputTail(outputLimit);
      response.on('data', (chunk: Buffer) => tail.push(chunk));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, output: tail.text().trim() }));
    });
    request.end(body);
  });
}

function lowerCased(header: HttpHandler['header']): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(header).map(([name, values]) => [name.toLowerCase(), values]));
}
