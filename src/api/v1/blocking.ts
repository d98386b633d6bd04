import { parseDuration } from '../../lib/index.ts';
import type { Answer, LiveQuery } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest, internal } from '../errors.ts';
import type { V1Answer, V1Request } from './exchange.ts';
import type { Query } from './query.ts';
import { readHeaders, type Consistency } from './read-headers.ts';

/** How a read asks: blocking, and with which consistency. */
interface ReadOptions {
  readonly index: number;
  readonly waitMs: number | undefined;
  readonly consistency: Consistency;
  /** An answer older than this is fetched anew. */
  readonly maxStaleMs: number;
  readonly cached: boolean;
}

/** Turns a rendered answer into what is sent, where that is more than the JSON itself: a 404, raw bytes. */
export type Present = (answer: Answer) => V1Answer;

/**
 * Answers a blocking-capable read (consul-http-api 1.2, 2): at once, or when there is another answer than at `index`.
 *
 * @throws API_BAD_REQUEST with Consul's texts
 */
export function answerRead(
  context: ApiContext,
  request: V1Request,
  query: LiveQuery,
  present: Present = sendJson,
): V1Answer | Promise<V1Answer> {
  if (request.query.isEmpty) {
    return finish(context, request, context.queries.read(query), { options: AT_ONCE, present });
  }
  const asked = readOptions(request.query);
  const options = request.hasWaited ? { ...asked, index: 0 } : asked;
  const isBehind = context.store.status().lastContactMs > options.maxStaleMs;
  if (options.consistency === 'consistent' || isBehind) {
    return catchUp(context).then(() => waitAndFinish(context, request, { query, options, present }));
  }
  if (options.index === 0) {
    return finish(context, request, context.queries.read(query), { options, present });
  }
  return waitAndFinish(context, request, { query, options, present });
}

interface Reading {
  readonly query: LiveQuery;
  readonly options: ReadOptions;
  readonly present: Present;
}

function waitAndFinish(context: ApiContext, request: V1Request, reading: Reading): Promise<V1Answer> {
  const { query, options } = reading;
  const { signal } = request;
  const { index, waitMs } = options;
  return context.queries
    .wait(query, { index, signal, ...(waitMs === undefined ? {} : { waitMs }) })
    .then((answer) => finish(context, request, answer, reading));
}

function finish(
  context: ApiContext,
  request: V1Request,
  answer: Answer,
  { options, present }: Pick<Reading, 'options' | 'present'>,
): V1Answer {
  const headerList = readHeaders(
    context.store.status(),
    answer.index,
    options.consistency,
    context.access.defaultPolicy,
  );
  if (answer.isFiltered && request.hasToken) headerList.push('X-Consul-Results-Filtered-By-ACLs', 'true');
  // Answers come from memory that follows the store: there is no agent's cache between.
  if (options.cached) headerList.push('X-Cache', 'MISS', 'Age', '0');
  return present === sendJson ? { json: answer.body, headerList } : { ...present(answer), headerList };
}

function sendJson(answer: Answer): V1Answer {
  return { json: answer.body };
}

const AT_ONCE: ReadOptions = Object.freeze({
  index: 0,
  waitMs: undefined,
  consistency: 'leader',
  maxStaleMs: Number.POSITIVE_INFINITY,
  cached: false,
});

function readOptions(query: Query): ReadOptions {
  const maxStale = query.get('max_stale');
  const stale = query.has('stale') || maxStale !== null;
  const consistent = query.has('consistent');
  const cached = query.has('cached');
  if (consistent && (stale || cached)) {
    const other = stale ? 'stale' : 'cached';
    throw badRequest(`Cannot specify ?${other} with ?consistent, conflicting semantics.`);
  }
  return {
    index: indexOf(query.get('index')),
    waitMs: waitOf(query.get('wait')),
    consistency: consistent ? 'consistent' : stale ? 'stale' : 'leader',
    maxStaleMs: maxStaleOf(maxStale),
    cached,
  };
}

function indexOf(text: string | null): number {
  if (text === null || text === '') return 0;
  if (!/^\d{1,20}$/.test(text)) throw badRequest('Invalid index');
  return Number(text);
}

/** `?wait=` in ms; undefined for the default, which 0 stands for too. @throws API_BAD_REQUEST */
export function waitOf(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  const waitMs = durationOf(text);
  if (waitMs === undefined || waitMs < 0) throw badRequest('Invalid wait time');
  return waitMs === 0 ? undefined : waitMs;
}

function maxStaleOf(text: string | null): number {
  if (text === null) return Number.POSITIVE_INFINITY;
  const staleMs = durationOf(text);
  if (staleMs === undefined || staleMs < 0) throw badRequest(`Invalid max_stale value ${JSON.stringify(text)}`);
  return staleMs;
}

function durationOf(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}

/**
 * A linearizable read of one key says how far this server has to be before it may answer.
 *
 * @throws API_INTERNAL while nobody leads: what is newest cannot be known
 */
export async function catchUp(context: ApiContext): Promise<void> {
  if (!context.store.status().leaderKnown) throw internal('No cluster leader');
  const { revision } = await context.store.read(
    { start: 'meta/', end: 'meta0' },
    { linearizable: true, limit: 1, keysOnly: true },
  );
  await context.feed.applied(revision);
}
