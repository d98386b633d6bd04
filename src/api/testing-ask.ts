import type { FastifyInstance } from 'fastify';

/** What was asked and answered. */
export interface TestReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON. */
  readonly json: unknown;
}

export interface AskOptions {
  /** Sent as it is; anything but text and bytes as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the connection when aborted. */
  readonly signal?: AbortSignal;
}

/** One request without a socket. */
export async function askServer(
  server: FastifyInstance,
  method: string,
  url: string,
  { body, headers = {}, signal }: AskOptions = {},
): Promise<TestReply> {
  const isRaw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
  const response = await server.inject({
    method: method as 'GET',
    url,
    headers: { host: '127.0.0.1:8500', ...headers },
    ...(body === undefined ? {} : { payload: isRaw ? (body as string | Buffer) : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    status: response.statusCode,
    headers: response.headers as Record<string, string>,
    bytes: response.rawPayload,
    text: response.payload,
    get json(): unknown {
      return JSON.parse(response.payload);
    },
  };
}
