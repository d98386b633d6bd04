import { type Socket, connect } from 'node:net';
import type { CheckDefinition } from '../definition/index.ts';
import { type Clock, formatGoDuration, startDeadline } from '../lib/index.ts';
import { splitHostPort } from './check-kind.ts';
import { type Probe, type Verdict, describeNetworkError, isOwnFailure } from './verdict.ts';

/** Consul's time limit for HTTP and TCP checks that name none. */
export const NETWORK_TIMEOUT_MS = 10_000;

/** A probe that passes when a TCP connection is taken. */
export function tcpProbe(definition: CheckDefinition, { clock }: { readonly clock: Clock }): Probe {
  const { tcp = '' } = definition;
  const timeoutMs = definition.timeoutMs || NETWORK_TIMEOUT_MS;
  const target = splitHostPort(tcp);
  return async (signal) => {
    if (target === null || signal.aborted) return { status: null, output: '' };
    const verdict = await tryConnect(connect(target), { timeoutMs, clock, signal });
    return { ...verdict, output: `TCP connect ${tcp}: ${verdict.output}` };
  };
}

function tryConnect(
  socket: Socket,
  options: { readonly timeoutMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Verdict> {
  const { timeoutMs, clock, signal } = options;
  return new Promise((resolve) => {
    const end = (status: Verdict['status'], output: string): void => {
      deadline.cancel();
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve({ status, output });
    };
    const onAbort = (): void => end(null, '');
    const deadline = startDeadline(clock, timeoutMs, () => {
      end('critical', `no answer within ${formatGoDuration(timeoutMs)}`);
    });
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => end('passing', 'Success'));
    // Stays: a destroyed socket may still report an error.
    socket.on('error', (error) => end(isOwnFailure(error) ? null : 'critical', describeNetworkError(error)));
  });
}
