import type { TestApi } from '../testing.ts';
import type { FuzzRequest, FuzzRequests } from './testing-fuzz-requests.ts';

/** Texts of the 500s that Consul has itself (consul-http-api 1, 3, 4, 6, 8, 10, 11). */
const TEXTS_500 = [
  'No path to datacenter',
  'Must provide ',
  'Bad node ID',
  'Missing service registration',
  'CheckID .* does not have associated TTL',
  'Cannot provide tag filter',
  'Invalid (node|service|tag) filter',
  '.*Node name .* is reserved',
  'invalid session ',
  'Missing (node|check .*) registration',
  "Check '.*' is in critical state",
  'Invalid Behavior setting',
  'Session TTL ',
  'Invalid Session TTL',
  'Bad limit',
  // Of what drover has no such thing for: gossip, other servers.
  'agent: No node found with name',
  'Failed to join ',
  'keyring is not enabled',
  'cannot find peer',
  '(id|address) ".*" was not found in the Raft configuration',
  // Of queries, as Consul's server says them.
  "Cannot modify non-existent prepared query: '",
  'missing session',
  'Must be bound to a session',
  'ID must be empty when creating a new prepared query',
  "name '.*' aliases an existing query",
  'Bad Template.Type ',
];
export const CONSULS_500 = new RegExp(`^(?:${TEXTS_500.join('|')})`);
const STATUSES: ReadonlySet<number> = new Set([200, 400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 501, 503]);

/** What answered. */
export interface FuzzReply {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Sends so many requests; returns what was wrong with the answers, in words. */
export async function fuzz(api: TestApi, requests: FuzzRequests, count: number): Promise<string[]> {
  const wrong: string[] = [];
  for (let n = 0; n < count; n++) {
    const request = requests.next();
    const before = stateOf(api);
    const { reply, hasTimePassed } = await answerOf(api, request);
    requests.learn(reply.text);
    const isHalfDone = reply.status >= 400 && !hasTimePassed && stateOf(api) !== before;
    const problem = isHalfDone ? `${reply.status}, and yet it did something` : problemOf(request, reply);
    if (problem !== undefined) wrong.push(`${nameOf(request)}: ${problem}`);
  }
  return wrong;
}

/** A request in words. */
export function nameOf({ method, url, body }: FuzzRequest): string {
  return `${method} ${url} ${JSON.stringify(body)}`;
}

/** What a refused request leaves as it is: all that is in the store, and what the agent has itself. */
function stateOf({ context, node }: TestApi): string {
  return JSON.stringify([context.feed.revision, node.services(), node.checks()]);
}

/** Blocked reads end when time passes. */
async function answerOf(
  api: TestApi,
  { method, url, ...options }: FuzzRequest,
): Promise<{ reply: FuzzReply; hasTimePassed: boolean }> {
  let isDone = false;
  let hasTimePassed = false;
  const asked = api.ask(method, url, options).finally(() => (isDone = true));
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    const { queries, userEvents } = api.context;
    if (isDone || queries.waiters + userEvents.log.waiters === 0) continue;
    hasTimePassed = true;
    await api.clock.advance(700_000);
  }
  return { reply: await asked, hasTimePassed };
}

/** What is wrong with an answer, in words. */
export function problemOf({ url }: Pick<FuzzRequest, 'url'>, { status, text, headers }: FuzzReply): string | undefined {
  if (!STATUSES.has(status)) return `status ${status}`;
  if (status === 500 && !CONSULS_500.test(text)) return `500 ${text}`;
  if (status === 503 && !url.includes('agent/health/')) return `503 ${text}`;
  if (/\bat .*\.ts:\d+|node:internal/.test(text)) return `a stack trace: ${text}`;
  if (headers['content-type'] === 'application/json' && headers['content-encoding'] === undefined) {
    try {
      JSON.parse(text);
    } catch {
      return `no JSON: ${text}`;
    }
  }
  return undefined;
}
