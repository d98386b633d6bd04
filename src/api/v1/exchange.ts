import type { IncomingHttpHeaders } from 'node:http';
import { badRequest } from '../errors.ts';

/** A request to `/v1` as a handler sees it. */
export interface V1Request {
  readonly method: string;
  /** What follows the route's path, percent-decoded as UTF-8; empty for exact paths. */
  readonly argument: string;
  /** The same as raw bytes, one latin1 character each: KV keys hold any byte. */
  readonly argumentBytes: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Aborted when the client is gone. Made when first asked for. */
  readonly signal: AbortSignal;
}

/** What a handler answers; `json` is sent as it is, or indented with `?pretty`. */
export interface V1Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: string | Buffer;
  readonly text?: string;
  readonly bytes?: Buffer;
}

/** An endpoint: an exact path, or a prefix ending in `/` whose remainder is the argument. Paths stand without `/v1/`. */
export interface V1Route {
  readonly path: string;
  readonly methods: Readonly<Record<string, V1Handler>>;
  /** Most bytes of a body; 1 MiB unless told. */
  readonly bodyLimit?: number;
  /** In legacy mode GET does what PUT does. */
  readonly legacyGet?: boolean;
}

export type V1Handler = (request: V1Request) => V1Answer | Promise<V1Answer>;

/** Nothing to say: 200 with an empty body. */
export const EMPTY: V1Answer = Object.freeze({ text: '' });
/** Consul's `true`. */
export const TRUE: V1Answer = Object.freeze({ json: 'true' });

/** A value as JSON. */
export function json(value: unknown, headers?: Readonly<Record<string, string>>): V1Answer {
  return { json: JSON.stringify(value), ...(headers === undefined ? {} : { headers }) };
}

/** The header that every change carries. */
export function changedAt(revision: number): Readonly<Record<string, string>> {
  return { 'X-Drover-Revision': String(revision) };
}

/** Whether a query parameter is there, whatever its value. */
export function isSet(query: URLSearchParams, name: string): boolean {
  return query.has(name);
}

/** The body as JSON; `fallback` for an empty one. @throws API_BAD_REQUEST with Consul's text */
export function bodyJson(request: V1Request, fallback?: unknown): unknown {
  if (request.body.length === 0 && fallback !== undefined) return fallback;
  try {
    return JSON.parse(request.body.toString('utf8')) as unknown;
  } catch (error) {
    throw badRequest(`Request decode failed: ${request.body.length === 0 ? 'EOF' : (error as Error).message}`);
  }
}
