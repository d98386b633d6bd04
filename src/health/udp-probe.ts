import { type Socket, createSocket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { CheckDefinition } from '../definition/index.ts';
import { type Clock, formatGoDuration, startDeadline } from '../lib/index.ts';
import { networkTimeoutOf } from './http2-session.ts';
import { type HostPort, splitHostPort } from './target.ts';
import { type Probe, type Verdict, describeNetworkError, isOwnFailure } from './verdict.ts';

/**
 * A probe that sends an empty datagram. Consul's rule, weak as it is: a refusal (ICMP) or another error is critical, an
 * answer is passing, and so is silence until the time is up: most services do not answer what they do not understand.
 */
export function udpProbe(definition: CheckDefinition, { clock }: { readonly clock: Clock }): Probe {
  const { udp = '' } = definition;
  const timeoutMs = networkTimeoutOf(definition);
  const target = splitHostPort(udp);
  return async (signal) => {
    if (target === null || signal.aborted) return { status: null, output: '' };
    const verdict = await send(target, { timeoutMs, clock, signal });
    return { ...verdict, output: `UDP connect ${udp}: ${verdict.output}` };
  };
}

interface Limits {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

function send(target: HostPort, { timeoutMs, clock, signal }: Limits): Promise<Verdict> {
  return new Promise((resolve) => {
    let socket: Socket | null = null;
    let isOver = false;
    const end = (verdict: Verdict): void => {
      if (isOver) return;
      isOver = true;
      deadline.cancel();
      signal.removeEventListener('abort', onAbort);
      socket?.close();
      resolve(verdict);
    };
    const fail = (error: unknown): void =>
      end({ status: isOwnFailure(error) ? null : 'critical', output: describeNetworkError(error) });
    const onAbort = (): void => end({ status: null, output: '' });
    const deadline = startDeadline(clock, timeoutMs, () => {
      if (socket === null) fail(new Error(`no address within ${formatGoDuration(timeoutMs)}`));
      else end({ status: 'passing', output: 'Success' });
    });
    signal.addEventListener('abort', onAbort, { once: true });
    resolveHost(target.host, (error, address, family) => {
      if (isOver) return;
      if (error !== null) return fail(error);
      socket = createSocket(family === 6 ? 'udp6' : 'udp4');
      // Stays: a refusal of what was sent may come when nobody waits any more.
      socket.on('error', fail);
      socket.once('message', () => end({ status: 'passing', output: 'Success' }));
      // Connected, so that the kernel tells of refusals.
      socket.connect(target.port, address, (connectError?: Error) => {
        if (connectError !== undefined && connectError !== null) fail(connectError);
        else if (!isOver) socket?.send('', (sendError) => sendError !== null && fail(sendError));
      });
    });
  });
}

type Resolved = (error: Error | null, address: string, family: number) => void;

function resolveHost(host: string, done: Resolved): void {
  const family = isIP(host);
  if (family === 0) lookup(host, (error, address, found) => done(error, address, found));
  else done(null, host, family);
}
