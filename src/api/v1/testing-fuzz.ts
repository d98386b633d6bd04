import type { TestApi, TestReply } from '../testing.ts';
import type { FuzzRequest, FuzzRequests } from './testing-fuzz-requests.ts';

/** Texts of the 500s that Consul has itself (consul-http-api 1, 6, 8, 10, 11). */
export const CONSULS_500 =
  /^(No path to datacenter|Must provide |Bad node ID|Missing service registration|CheckID .* does not have associated TTL|Cannot provide tag filter|Invalid (node|service|tag) filter|Node name .* is reserved|Failed to join |agent: No node found|invalid session|missing session|Missing node registration|Missing check '|Check '.*' is in critical state|Invalid Behavior setting|Session TTL '|Invalid Session TTL '|Cannot modify non-existent prepared query|ID must be empty when|name '.*' aliases|Bad (Template|Regexp|format|limit|DNS TTL|NearestN|Token)|DNS TTL|Must be bound to|Name (is longer|has characters)|a query template|prepared query templates)/s;
const STATUSES: ReadonlySet<number> = new Set([200, 400, 401, 403, 404, 405, 409, 413, 429, 500, 501, 503]);

/** Sends so many requests; returns what was wrong with the answers, in words. */
export async function fuzz(api: TestApi, requests: FuzzRequests, count: number): Promise<string[]> {
  const wrong: string[] = [];
  for (let n = 0; n < count; n++) {
    const request = requests.next();
    const problem = problemOf(request, await answerOf(api, request));
    if (problem !== undefined)
      wrong.push(`${request.method} ${request.url} ${JSON.stringify(request.body)}: ${problem}`);
  }
  return wrong;
}

/** Blocked reads end when time passes. */
async function answerOf(api: TestApi, { method, url, ...options }: FuzzRequest): Promise<TestReply> {
  let done = false;
  const reply = api.ask(method, url, options).finally(() => (done = true));
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!done && api.context.queries.waiters > 0) await api.clock.advance(700_000);
    else if (!done && url.includes('event/list')) await api.clock.advance(700_000);
  }
  return reply;
}

function problemOf({ url }: FuzzRequest, { status, text, headers }: TestReply): string | undefined {
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
