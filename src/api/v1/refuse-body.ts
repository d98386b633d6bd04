import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/index.ts';
import { discardBody } from '../discard-body.ts';
import type { Failure } from './failure.ts';

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
  discardBody(request, clock, () => response.end());
}
