import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/index.ts';
import type { Failure } from './failure.ts';

/** A client that is refused while it sends goes on for a while: so much is taken and thrown away… */
const DISCARDED_BYTES = 16 * 1024 * 1024;
/** …and for so long, before the connection is cut, which would cost most clients the answer. */
const DISCARDED_MS = 2_000;
/** Where Consul says how large a value may be. */
const SEE = 'https://developer.hashicorp.com/consul/docs/agent/config/config-files#kv_max_value_size';

/** Consul's words for a body over the limit. */
export function tooLargeText(bytes: number, limit: number): string {
  return `Request body(${bytes} bytes) too large, max size: ${limit} bytes. See ${SEE}.`;
}

/** Answers at once, while the body still comes, and closes the connection when the client has had time to read it. */
export function refuseBody(
  request: IncomingMessage,
  response: ServerResponse,
  { status, text }: Failure,
  clock: Clock,
): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(text)),
    Connection: 'close',
  });
  response.write(text);
  let left = DISCARDED_BYTES;
  const end = (): void => {
    timer.cancel();
    request.off('data', discard);
    response.end();
  };
  const discard = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left <= 0) end();
  };
  const timer = clock.after(DISCARDED_MS, end);
  request.on('data', discard).once('end', end).once('close', end);
}
