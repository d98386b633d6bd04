import type { IncomingMessage } from 'node:http';
import type { Clock } from '../lib/index.ts';

/** A client that is answered while it sends goes on for a while: so much is taken and thrown away… */
const DISCARDED_BYTES = 16 * 1024 * 1024;
/** …and for so long, before the connection is cut, which would cost most clients the answer. */
const DISCARDED_MS = 2_000;

/** Throws away what is left of a body; `then` is called once: when it has ended, or when enough of it was taken. */
export function discardBody(request: IncomingMessage, clock: Clock, then: () => void): void {
  let left = DISCARDED_BYTES;
  const end = (): void => {
    timer.cancel();
    request.off('data', discard).off('end', end).off('close', end);
    then();
  };
  const discard = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left <= 0) end();
  };
  const timer = clock.after(DISCARDED_MS, end);
  request.on('data', discard).once('end', end).once('close', end).resume();
}
