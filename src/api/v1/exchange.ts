import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Authority } from '../../access/index.ts';
import { nestsDeeper } from '../../lib/index.ts';
import { badRequest } from '../errors.ts';
import type { KeptForUrl } from './parsed-url.ts';
import type { Query } from './query.ts';

/** A request to `/v1` as a handler sees it. */
export interface V1Request {
  /** What follows the route's path, percent-decoded as UTF-8; empty for exact paths. */
  readonly argument: string;
  /** The same as raw bytes, one latin1 character each: KV keys hold any byte. */
  readonly argumentBytes: string;
  readonly query: Query;
  readonly kept: KeptForUrl;
  readonly headers: IncomingHttpHeaders;
  /** Whether a token came with it. */
  readonly hasToken: boolean;
  /** What its token, else the agent's default one, may. @throws ACCESS_UNKNOWN_TOKEN when first asked for */
  readonly authority: Authority;
  /** Whether its token may something even now, for answers that go on; false when the token is gone. */
  stillMay(...need: Parameters<Authority['allows']>): boolean;
  /** It has waited, and is asked again because its token may something else by now: what is so now is its answer. */
  readonly hasWaited: boolean;
  /** The address it came from; empty where it has none. */
  readonly remoteAddress: string;
  /** Who asks, for history: `token <accessor>`, else where from. */
  readonly author: string;
  /** Empty where the method takes none. */
  readonly body: Buffer;
  /** Aborted when the client is gone. Made when first asked for. */
  readonly signal: AbortSignal;
}

/** What a handler answers: `json` is sent as it is, or indented with `?pretty`; nothing at all is an empty body. */
export interface V1Answer {
  /** 200 unless told. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** More headers, names and values in turn; the list is the answer's own. */
  readonly headerList?: string[];
  readonly json?: string | Buffer;
  readonly text?: string;
  /** Sent as they are; `headers` say what they are. */
  readonly bytes?: Buffer;
  /** Goes on writing after the headers are out, until the client is gone; compressed never. */
  readonly stream?: (out: StreamOut) => void;
  /** Runs when the answer is out, or the client gone. */
  readonly afterwards?: () => void;
}

/** The body of an answer that goes on. */
export type StreamOut = Pick<ServerResponse, 'write' | 'end' | 'once' | 'destroy' | 'writableLength'>;

/** An endpoint: an exact path, or a prefix ending in `/` whose remainder is the argument. Paths stand without `/v1/`. */
export interface V1Route {
  readonly path: string;
  readonly methods: Readonly<Record<string, V1Handler>>;
  /** Most bytes of a body; 1 MiB unless told. */
  readonly bodyLimit?: number;
  /** Asked before a body is read, where a large one may come: it throws for whoever may not. */
  readonly admit?: (request: V1Request) => void;
  /** What is said of a larger one, where that is not what is said of a value of KV. */
  readonly tooLargeText?: (bytes: number, limit: number) => string;
  /** In legacy mode GET does what PUT does. */
  readonly legacyGet?: boolean;
  /** The argument may hold any byte, as keys do; elsewhere what cannot be printed is refused. */
  readonly anyBytes?: boolean;
}

/** Reads answer at once where they can: a promise costs as much as the answer itself. */
export type V1Handler = (request: V1Request) => V1Answer | Promise<V1Answer>;

/** Nothing to say: 200 with an empty body. */
export const EMPTY: V1Answer = Object.freeze({});

/** A value as JSON. */
export function json(value: unknown, status = 200): V1Answer {
  return { json: JSON.stringify(value), status };
}

/** The header that every change carries. */
export function changedAt(revision: number): Readonly<Record<string, string>> {
  return { 'X-Drover-Revision': String(revision) };
}

/** The body as JSON. @throws API_BAD_REQUEST with Consul's text; it shows nothing of the body */
export function bodyJson({ body }: Pick<V1Request, 'body'>): unknown {
  const text = wellFormed(body.toString('utf8'));
  if (nestsDeeper(text, MAX_DEPTH)) throw badRequest(`Request decode failed: it nests deeper than ${MAX_DEPTH} levels`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest(`Request decode failed: ${body.length === 0 ? 'EOF' : problemOf(error as Error)}`);
  }
}

/** Lists and maps within each other, at most: no client of Consul's comes near. */
const MAX_DEPTH = 64;

const ESCAPES = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\./gs;

/** Half of a surrogate pair is no character: it becomes U+FFFD as in Go, and nobody behind has to fear it. */
function wellFormed(text: string): string {
  if (!/\\u[dD]/.test(text)) return text;
  return text.replaceAll(ESCAPES, (escape) => (escape.length === 6 ? '\\ufffd' : escape));
}

/** V8 quotes what it could not read, which may be a secret. */
function problemOf({ message }: Error): string {
  return message.replace(/, (?:\.\.\.)?".*$/s, ' is not valid JSON');
}
