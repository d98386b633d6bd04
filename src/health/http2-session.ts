import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2';
import type { CheckDefinition } from '../definition/index.ts';
import { type Clock, formatGoDuration, startDeadline } from '../lib/index.ts';
import type { HostPort } from './target.ts';
import { NETWORK_TIMEOUT_MS } from './tcp-probe.ts';
import { tlsOptionsOf } from './tls-options.ts';
import { type Verdict, describeNetworkError, isOwnFailure } from './verdict.ts';

/** Whom to ask over HTTP/2, and within which bounds. */
export interface SessionOptions {
  readonly target: HostPort;
  readonly tls: boolean;
  readonly definition: CheckDefinition;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How long a check over the network may take. */
export function networkTimeoutOf({ timeoutMs }: CheckDefinition): number {
  return timeoutMs || NETWORK_TIMEOUT_MS;
}

/**
 * Asks over an HTTP/2 connection of its own, which is closed when there is a verdict, the time is up or the signal is
 * aborted. Never rejects; what `ask` rejects with is critical, and so is a host that no URL can have.
 */
export async function askInSession(
  options: SessionOptions,
  ask: (session: ClientHttp2Session) => Promise<Verdict>,
): Promise<Verdict> {
  if (options.signal.aborted) return { status: null, output: '' };
  try {
    return await askIn(openSession(options), options, ask);
  } catch (error) {
    return { status: 'critical', output: describeNetworkError(error) };
  }
}

function askIn(
  session: ClientHttp2Session,
  options: SessionOptions,
  ask: (session: ClientHttp2Session) => Promise<Verdict>,
): Promise<Verdict> {
  const { clock, signal, definition } = options;
  const timeoutMs = networkTimeoutOf(definition);
  return new Promise((resolve) => {
    const end = (verdict: Verdict): void => {
      deadline.cancel();
      signal.removeEventListener('abort', onAbort);
      session.destroy();
      resolve(verdict);
    };
    const fail = (error: unknown): void =>
      end({ status: isOwnFailure(error) ? null : 'critical', output: describeNetworkError(error) });
    const onAbort = (): void => end({ status: null, output: '' });
    const deadline = startDeadline(clock, timeoutMs, () => {
      end({ status: 'critical', output: `no answer within ${formatGoDuration(timeoutMs)}` });
    });
    signal.addEventListener('abort', onAbort, { once: true });
    // Stays: a session that was given up may still report an error.
    session.on('error', fail);
    session.on('close', () => fail(new Error('the connection was closed without an answer')));
    session.once('connect', () => void ask(session).then(end, fail));
  });
}

/** node:http2 is read when the first check needs it: an agent without such checks does not pay for it. */
function openSession({ target, tls, definition }: SessionOptions): ClientHttp2Session {
  const { connect } = process.getBuiltinModule('node:http2');
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  const options: SecureClientSessionOptions = tls ? tlsOptionsOf(definition) : {};
  return connect(`${tls ? 'https' : 'http'}://${host}:${target.port}`, options);
}
