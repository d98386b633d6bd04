import type { Socket } from 'node:net';

/** Of the files that may be open, a quarter is not for clients: the store, checks, DNS and HAProxy need theirs whatever comes. */
const FOR_CLIENTS = 0.75;

/** How many connections are held at once; one more is closed at once. `openFiles` is the process's limit. */
export function mostConnections(openFiles: number): number {
  return Math.max(1, Math.floor(openFiles * FOR_CLIENTS));
}

/** How long and how large a request may be on the socket. */
export interface HttpLimits {
  /** Idle connections are kept so long; Consul's clients reuse them. */
  readonly keepAliveMs: number;
  /** All headers must have come by then… */
  readonly headersMs: number;
  /** …and the body by then. The time of the answer does not count. */
  readonly requestMs: number;
  /** How often both are looked at. */
  readonly checkMs: number;
  /** Request line and headers together: a key of 8 KiB is 24 KiB when every byte is percent-encoded. */
  readonly headerBytes: number;
  /** How long requests under way may take when the API closes. */
  readonly closeMs: number;
}

export const HTTP_LIMITS: HttpLimits = Object.freeze({
  keepAliveMs: 120_000,
  headersMs: 15_000,
  requestMs: 60_000,
  checkMs: 5_000,
  headerBytes: 65_536,
  closeMs: 500,
});

const STATUS: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** Answers what is no HTTP, or too slow or too large to become a request, in plain text; then closes the connection. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  // An answer may be half-way out: a second one behind it would be taken for its body.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) return void socket.destroy();
  const status = STATUS[error.code ?? ''] ?? '400 Bad Request';
  const body = status.slice(4);
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}
