import type { IncomingMessage } from 'node:http';

/** What came of a body: its bytes; or that it is larger than the limit, and how large it is as far as is known; or nothing, when the client is gone. */
export type BodyRead =
  | { readonly type: 'bytes'; readonly bytes: Buffer }
  | { readonly type: 'too large'; readonly bytes: number }
  | { readonly type: 'gone' };

/** Whether a request says that a body follows. */
export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const length = headers['content-length'];
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined;
}

/** Reads a body of at most `limit` bytes; of a larger one no more than that is ever held. Never rejects. */
export function readBody(request: IncomingMessage, limit: number): Promise<BodyRead> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) return Promise.resolve({ type: 'too large', bytes: declared });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (read: BodyRead): void => {
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      resolve(read);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limit) end({ type: 'too large', bytes });
      else chunks.push(chunk);
    };
    const onEnd = (): void =>
      end({ type: 'bytes', bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes) });
    const onGone = (): void => end({ type: 'gone' });
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}
