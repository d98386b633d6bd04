import { DroverError, parseDuration } from '../../lib/index.ts';
import type { Answer, LiveQuery } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest, internal } from '../errors.ts';
import type { V1Answer, V1Request } from './exchange.ts';

/** How a read asks: blocking, and with which consistency. */
interface ReadOptions {
  readonly index: number;
  readonly waitMs: number | undefined;
  readonly consistency: 'leader' | 'stale' | 'consistent';
}

/**
 * Answers a blocking-capable read (consul-http-api 1.2, 2): at once, or when it is newer than `index`. `present` turns the
 * rendered answer into what is sent where that is more than the JSON itself (a 404, raw bytes).
 *
 * @throws API_BAD_REQUEST with Consul's texts
 */
export async function answerRead(
  context: ApiContext,
  request: V1Request,
  query: LiveQuery,
  present: (answer: Answer) => V1Answer = sendJson,
): Promise<V1Answer> {
  const options = readOptions(context, request.query);
  if (options.consistency === 'consistent') await catchUp(context);
  const answer = options.index === 0 ? context.queries.read(query) : await wait(context, request, query, options);
  const presented = present(answer);
  return {
    ...presented,
    headers: { ...readHeaders(context, answer.index, options.consistency), ...presented.headers },
  };
}

/** The headers of every read. */
export function readHeaders(
  context: ApiContext,
  index: number,
  consistency: ReadOptions['consistency'] = 'leader',
): Record<string, string> {
  const { leaderKnown, lastContactMs } = context.store.status();
  return {
    'X-Consul-Index': String(Math.max(1, index)),
    'X-Consul-KnownLeader': leaderKnown ? 'true' : 'false',
    'X-Consul-LastContact': String(Math.round(lastContactMs)),
    'X-Consul-Effective-Consistency': consistency,
    'X-Consul-Default-ACL-Policy': 'allow',
  };
}

/** Refuses a datacenter that is not this one. @throws API_INTERNAL with Consul's text */
export function checkDatacenter(context: ApiContext, query: URLSearchParams): void {
  const given = query.get('dc');
  if (given !== null && given !== '' && given !== context.region) throw internal('No path to datacenter');
}

function sendJson(answer: Answer): V1Answer {
  return { json: answer.body };
}

function readOptions(context: ApiContext, query: URLSearchParams): ReadOptions {
  if (query.size === 0) return AT_ONCE;
  checkDatacenter(context, query);
  const stale = query.has('stale');
  const consistent = query.has('consistent');
  if (stale && consistent) throw badRequest('Cannot specify ?stale with ?consistent, conflicting semantics.');
  return {
    index: indexOf(query.get('index')),
    waitMs: waitOf(query.get('wait')),
    consistency: consistent ? 'consistent' : stale ? 'stale' : 'leader',
  };
}

const AT_ONCE: ReadOptions = { index: 0, waitMs: undefined, consistency: 'leader' };

function indexOf(text: string | null): number {
  if (text === null || text === '') return 0;
  if (!/^\d{1,20}$/.test(text)) throw badRequest('Invalid index');
  return Number(text);
}

function waitOf(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  try {
    const waitMs = parseDuration(text);
    if (waitMs < 0) throw badRequest('Invalid wait time');
    return waitMs === 0 ? undefined : waitMs;
  } catch (error) {
    throw error instanceof DroverError && error.message === 'Invalid wait time'
      ? error
      : badRequest('Invalid wait time');
  }
}

function wait(context: ApiContext, request: V1Request, query: LiveQuery, options: ReadOptions): Promise<Answer> {
  const { index, waitMs } = options;
  return context.queries.wait(query, { index, signal: request.signal, ...(waitMs === undefined ? {} : { waitMs }) });
}

/** A linearizable read of one key says how far this server has to be before it may answer. */
async function catchUp(context: ApiContext): Promise<void> {
  const { revision } = await context.store.read(
    { start: 'meta/', end: 'meta0' },
    { linearizable: true, limit: 1, keysOnly: true },
  );
  await context.feed.applied(revision);
}
