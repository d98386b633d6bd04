import { type Socket, connect, isIP } from 'node:net';
import type { CheckDefinition } from '../definition/index.ts';
import { type Clock, formatGoDuration, startDeadline } from '../lib/index.ts';
import { type HostPort, splitHostPort } from './target.ts';
import { tlsOptionsOf } from './tls-options.ts';
import { type Probe, type Verdict, describeNetworkError, isOwnFailure } from './verdict.ts';

/** Consul's time limit for HTTP and TCP checks that name none. */
export const NETWORK_TIMEOUT_MS = 10_000;

/** A probe that passes when a TCP connection is taken; with `tcpUseTls` when the TLS handshake succeeds. */
export function tcpProbe(definition: CheckDefinition, { clock }: { readonly clock: Clock }): Probe {
  const { tcp = '' } = definition;
  const timeoutMs = definition.timeoutMs || NETWORK_TIMEOUT_MS;
  const target = splitHostPort(tcp);
  return async (signal) => {
    if (target === null || signal.aborted) return { status: null, output: '' };
    const verdict = await tryConnect(target, definition, { timeoutMs, clock, signal });
    return { ...verdict, output: `TCP connect ${tcp}: ${verdict.output}` };
  };
}

/** node:tls is read when the first check needs it. */
function open(target: HostPort, definition: CheckDefinition): Socket {
  if (definition.tcpUseTls !== true) return connect(target);
  const { connect: connectTls } = process.getBuiltinModule('node:tls');
  // An address is no server name (RFC 6066 3).
  const servername = isIP(target.host) === 0 ? { servername: target.host } : {};
  return connectTls({ ...target, ...servername, ...tlsOptionsOf(definition) });
}

function tryConnect(
  target: HostPort,
  definition: CheckDefinition,
  options: { readonly timeoutMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Verdict> {
  const { timeoutMs, clock, signal } = options;
  return new Promise((resolve) => {
    const socket = open(target, definition);
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
    socket.once(definition.tcpUseTls === true ? 'secureConnect' : 'connect', () => end('passing', 'Success'));
    // Stays: a destroyed socket may still report an error.
    socket.on('error', (error) => end(isOwnFailure(error) ? null : 'critical', describeNetworkError(error)));
  });
}
