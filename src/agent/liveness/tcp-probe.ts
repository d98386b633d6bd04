import { connect } from 'node:net';
import { startDeadline, type Clock } from '../../lib/index.ts';
import type { Found } from './findings.ts';

/** Tries a TCP connection; never rejects. */
export type TcpProbe = (
  target: { readonly address: string; readonly port: number },
  timeoutMs: number,
) => Promise<Found>;

/** These say that the machine is there and nothing listens; all other errors say no more than silence. */
const REFUSALS: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET']);

/** The probe over the network. */
export function tcpProbe(clock: Clock): TcpProbe {
  return ({ address, port }, timeoutMs) =>
    new Promise((resolve) => {
      const socket = connect({ host: address, port });
      const end = (found: Found): void => {
        deadline.cancel();
        socket.destroy();
        resolve(found);
      };
      const deadline = startDeadline(clock, timeoutMs, () => end('silent'));
      socket.once('connect', () => end('accepts'));
      // Stays: a destroyed socket may still report an error.
      socket.on('error', (error: NodeJS.ErrnoException) => end(REFUSALS.has(error.code ?? '') ? 'refuses' : 'silent'));
    });
}
