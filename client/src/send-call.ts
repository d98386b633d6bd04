import { ApiError, NotDroverError, UnreachableError } from './api-error.ts';
import type { WireError } from './wire.ts';

/** Where the agent is and who asks. */
export interface ClientOptions {
  /** Such as `http://127.0.0.1:8500`. */
  readonly address: string;
  readonly token?: string;
  readonly fetch?: typeof fetch;
}

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** One call. Query parameters that are undefined or false are left out; of a list each stands for itself. */
export interface Call {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string | Uint8Array;
  /** `text`: the answer's body as it came; default: JSON as a value, anything else as text. */
  readonly as?: 'text';
  readonly signal?: AbortSignal;
}

/** An answer with the revision at which it holds; 0 where the answer names none. */
export interface Changed<T> {
  readonly revision: number;
  readonly body: T;
}

/**
 * Sends a call and reads its answer.
 *
 * @throws ApiError for an answer that is no success, NotDroverError, UnreachableError, and the signal's reason
 */
export async function sendCall<T>(options: ClientOptions, path: string, call: Call): Promise<Changed<T>> {
  const response = await openCall(options, path, call);
  const text = await readText(options, response, call.signal);
  if (!response.ok) throw toError(options, path, response, text);
  const isJson = isJsonAnswer(response);
  if (!isJson && path.startsWith('/v2/')) throw new NotDroverError(options.address, response.status);
  const body = (isJson && text !== '' && call.as !== 'text' ? parse(options, response, text) : text) as T;
  return { revision: Number(response.headers.get('x-drover-revision') ?? 0), body };
}

/** An answer as it is. */
export interface Asked {
  readonly status: number;
  readonly body: string;
  /** X-Consul-Index; empty where there is none. */
  readonly index: string;
  /** X-Drover-Revision; null where there is none. */
  readonly revision: number | null;
}

/** Asks with a path that has its query already. @throws UnreachableError, and the signal's reason */
export async function askCall(options: ClientOptions, path: string, signal: AbortSignal | undefined): Promise<Asked> {
  const [pathname = '', search = ''] = path.split('?', 2);
  const parameters = new URLSearchParams(search);
  const query = Object.fromEntries([...parameters.keys()].map((key) => [key, parameters.getAll(key)]));
  const response = await openCall(options, pathname, { query, ...(signal === undefined ? {} : { signal }) });
  const revision = response.headers.get('x-drover-revision');
  return {
    status: response.status,
    body: await readText(options, response, signal),
    index: response.headers.get('x-consul-index') ?? '',
    revision: revision === null ? null : Number(revision),
  };
}

/** Sends a call and gives its answer as it begins to come. @throws UnreachableError, and the signal's reason */
export async function openCall(options: ClientOptions, path: string, call: Call): Promise<Response> {
  const { method = 'GET', body, text, signal } = call;
  const headers: Record<string, string> = {};
  if (options.token !== undefined) headers['x-consul-token'] = options.token;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const url = toUrl(options.address, path, call.query ?? {});
  try {
    return await (options.fetch ?? fetch)(url, {
      method,
      headers,
      // The token belongs to this address alone.
      redirect: 'manual',
      ...(body === undefined && text === undefined ? {} : { body: (text as string) ?? JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new UnreachableError(options.address, error);
  }
}

/** What an answer without success says. */
export async function errorOf(options: ClientOptions, path: string, response: Response): Promise<Error> {
  return toError(options, path, response, await readText(options, response, undefined));
}

/** A segment of `.` or `..` would lead elsewhere: to every key in place of one, say. */
function toUrl(address: string, path: string, query: Query): URL {
  const url = new URL(path, address);
  if (url.pathname !== path) throw new TypeError(`${path}: "." and ".." cannot be sent as a part of a path`);
  for (const [key, value] of Object.entries(query)) {
    const values = Array.isArray(value) ? value : [value];
    for (const one of values) if (one !== undefined && one !== false) url.searchParams.append(key, String(one));
  }
  return url;
}

async function readText(options: ClientOptions, response: Response, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new UnreachableError(options.address, error, `the answer of ${options.address} broke off`);
  }
}

function isJsonAnswer(response: Response): boolean {
  return (response.headers.get('content-type') ?? '').includes('json');
}

function parse(options: ClientOptions, response: Response, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new NotDroverError(options.address, response.status);
  }
}

function toError(options: ClientOptions, path: string, response: Response, text: string): Error {
  const { status, statusText } = response;
  if (isJsonAnswer(response)) {
    const error = wireErrorOf(parse(options, response, text));
    if (error !== null) return new ApiError(status, error);
  }
  if (path.startsWith('/v2/')) return new NotDroverError(options.address, status);
  return new ApiError(status, { code: `HTTP_${status}`, message: text.trim() || statusText || `status ${status}` });
}

function wireErrorOf(body: unknown): WireError | null {
  const error = (body as { error?: Partial<WireError> } | null)?.error;
  return typeof error?.code === 'string' && typeof error.message === 'string' ? (error as WireError) : null;
}
