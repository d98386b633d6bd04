import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { RecursorAddress } from './recursor-address.ts';
import { isAnswerTo } from './upstream.ts';

/**
 * Asks once over UDP, from a port that the system draws for this question alone; the socket takes datagrams of this peer
 * only, and what does not answer the question is passed over. Null when the peer refuses or `signal` says that it is late.
 */
export function askUdp({ address, port }: RecursorAddress, query: Buffer, signal: AbortSignal): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const finish = (answer: Buffer | null): void => {
      signal.removeEventListener('abort', stop);
      resolve(answer);
      socket.removeAllListeners();
      // What was on its way when the socket closes is nobody's error.
      socket.on('error', () => undefined);
      socket.close();
    };
    const stop = (): void => finish(null);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    socket.once('error', stop);
    socket.on('message', (answer) => {
      if (isAnswerTo(query, answer)) finish(answer);
    });
    // A callback would be called with failures too; without one they are events.
    socket.once('connect', () => socket.send(query));
    socket.connect(port, address);
  });
}

/** Asks once over TCP, on a connection of its own. Null when there is no answer to this question. */
export function askTcp({ address, port }: RecursorAddress, query: Buffer, signal: AbortSignal): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, noDelay: true });
    let received: Buffer = Buffer.alloc(0);
    const finish = (answer: Buffer | null): void => {
      signal.removeEventListener('abort', stop);
      resolve(answer);
      socket.destroy();
    };
    const stop = (): void => finish(null);
    signal.addEventListener('abort', stop, { once: true });
    socket.on('error', stop);
    socket.on('close', stop);
    if (signal.aborted) return stop();
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const answer = framedIn(received);
      if (answer !== null) finish(isAnswerTo(query, answer) ? answer : null);
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  });
}

/** The first message, when all of it is there: 65,535 octets bound what is ever kept. */
function framedIn(received: Buffer): Buffer | null {
  if (received.length < 2) return null;
  const end = 2 + received.readUInt16BE(0);
  return received.length < end ? null : received.subarray(2, end);
}
