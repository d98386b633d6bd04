import type { IncomingHttpHeaders } from 'node:http';
import { isForeign } from '../host-guard.ts';

/** For which of an agent's nodes a request came that the agent hands on: what is meant by `_agent`, and by no node at all. */
export const NODE_HEADER = 'X-Drover-Node';
/** Where that request came from, for history. */
export const FOR_HEADER = 'X-Drover-For';

/** Between two neighbours only (RFC 9110, 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** What this agent says itself, and what it has answered by then. */
const OWN: ReadonlySet<string> = new Set([
  'host',
  'expect',
  'x-consul-token',
  NODE_HEADER.toLowerCase(),
  FOR_HEADER.toLowerCase(),
]);
/**
 * For the server, whatever `Connection` says of them: a request without them would be another one, with the token of somebody else, or
 * with a body that looks like the next request.
 */
const FOR_THE_SERVER: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'origin',
  'sec-fetch-site',
]);
/** Judged at this agent's door, by its own name. */
const JUDGED: ReadonlySet<string> = new Set(['origin', 'sec-fetch-site']);

/** What of a request a server is told. */
export interface HandedOn {
  /** As they came, name and value in turn. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingHttpHeaders;
  /** `127.0.0.1:8500` of the server. */
  readonly host: string;
  /** Of the agent's first node. */
  readonly node: string;
  readonly remoteAddress: string | undefined;
  /** In whose name the server is asked; always said, so that the server's own default token never stands in for it. */
  readonly token: string;
}

/** The headers with which a request is handed on, as Node takes them. Pure. */
export function requestHeaders(from: HandedOn): string[] {
  const dropped = namesIn(from.headers.connection);
  // A page elsewhere stays one: what a GET must not do for it, the server decides.
  const isJudged = !isForeign(from.headers);
  const list = ['Host', from.host, NODE_HEADER, from.node, FOR_HEADER, `${from.remoteAddress ?? 'this machine'}`];
  for (const [name, value] of pairsOf(from.rawHeaders)) {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || OWN.has(lower) || (isJudged && JUDGED.has(lower))) continue;
    if (dropped.has(lower) && !FOR_THE_SERVER.has(lower)) continue;
    list.push(name, value);
  }
  // Length is kept; a body of unknown length goes out in chunks again.
  if (from.headers['transfer-encoding'] !== undefined) list.push('Transfer-Encoding', 'chunked');
  list.push('X-Consul-Token', from.token);
  return list;
}

/** The headers of an answer as they are given to who asked. Pure. */
export function responseHeaders(rawHeaders: readonly string[], connection: string | undefined): string[] {
  const dropped = namesIn(connection);
  const list: string[] = [];
  for (const [name, value] of pairsOf(rawHeaders)) {
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower) && !dropped.has(lower)) list.push(name, value);
  }
  return list;
}

function namesIn(connection: string | undefined): ReadonlySet<string> {
  return new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
}

function* pairsOf(raw: readonly string[]): Iterable<readonly [name: string, value: string]> {
  for (let at = 0; at + 1 < raw.length; at += 2) yield [raw[at] as string, raw[at + 1] as string];
}
