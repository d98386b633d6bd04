import { z } from 'zod';
import type { Changes, Trace } from '../../../change/index.ts';
import { NO_BODY } from '../body.ts';
import { noBalancer, nothingToTrace } from '../errors.ts';
import { duration, flag, NONE, wholeNumber } from '../parameters.ts';
import { ofAgent, OPERATOR_READ } from '../needs.ts';
import { route, type Route } from '../route.ts';
import { balancerSchema, convergedSchema, latenessSchema, traceSchema } from '../schemas.ts';
import { localNode, nodeParameter } from '../scope.ts';

const LONGEST_WAIT_MS = 600_000;
const MOST_CHANGES = 1_000;

const common = { headers: NONE, body: NO_BODY } as const;

const trace = route({
  ...common,
  method: 'GET',
  path: '/v2/trace/{revision}',
  needs: OPERATOR_READ,
  summary: 'Where a change has arrived and who is late; `latest` is the newest that concerns anyone.',
  params: z.object({
    revision: z
      .union([z.literal('latest'), wholeNumber('As drover prints it, without the r.', { least: 1 })], {
        error: 'expected a revision or latest',
      })
      .describe('A revision, or latest.'),
  }),
  query: NONE,
  answer: traceSchema,
  handle: ({ params: { revision } }, { changes }) => ({
    body: sayTrace(revision === 'latest' ? latestOf(changes) : changes.trace(revision)),
  }),
});

const latest = route({
  ...common,
  method: 'GET',
  path: '/v2/changes',
  needs: OPERATOR_READ,
  summary: 'The latest changes with where each has arrived, newest first.',
  params: NONE,
  query: z.strictObject({
    limit: wholeNumber('How many at most; default 20.', { least: 1, most: MOST_CHANGES }).default(20),
  }),
  answer: z.array(traceSchema),
  handle: ({ query }, { changes }) => ({ body: changes.latest(query.limit).map(sayTrace) }),
});

const converged = route({
  ...common,
  method: 'GET',
  path: '/v2/converged/{revision}',
  needs: OPERATOR_READ,
  summary:
    'Whether a revision has arrived everywhere; waits for it, and ends at once when somebody refused, failed or is held.',
  params: z.object({ revision: wholeNumber('A revision.', { least: 1 }) }),
  query: z.strictObject({
    wait: duration('How long to wait; default 0s.', LONGEST_WAIT_MS, '10m').default(0),
    provisions: flag('Provisions that the change causes count too.'),
  }),
  answer: convergedSchema,
  async handle({ params, query, signal }, { changes }) {
    const { wait: timeoutMs, provisions } = query;
    return { body: await changes.waitConverged(params.revision, { timeoutMs, provisions, signal }) };
  },
});

const late = route({
  ...common,
  method: 'GET',
  path: '/v2/late',
  needs: OPERATOR_READ,
  summary: 'Who has not taken up everything that concerns them, the longest first.',
  params: NONE,
  query: NONE,
  answer: z.array(latenessSchema),
  handle: (_asked, { changes }) => ({ body: changes.late() }),
});

const balancer = route({
  ...common,
  method: 'GET',
  path: '/v2/balancer',
  needs: ofAgent('read'),
  summary: 'The balancer of a node as its runtime has it.',
  params: NONE,
  query: z.strictObject({ node: nodeParameter }),
  answer: balancerSchema,
  async handle({ query }, context) {
    const node = localNode(context, query.node);
    const status = await node.balancerStatus();
    if (status === null) throw noBalancer(node.record.name);
    return { body: status as Record<string, unknown> };
  },
});

/** Where changes have arrived (semantics 6). */
export const changeRoutes: readonly Route[] = [trace, latest, converged, late, balancer];

/** The newest revision with anyone interested. Looks at few first: traces are made while looking. */
function latestOf(changes: Changes): Trace {
  for (let limit = 8, seen = 0; ; limit *= 8) {
    const traces = changes.latest(limit);
    const found = traces.find((one) => one.consumers.length > 0);
    if (found !== undefined) return found;
    if (traces.length === seen || traces.length < limit) throw nothingToTrace();
    seen = traces.length;
  }
}

function sayTrace(one: Trace) {
  return { ...one, at: one.at ?? '' };
}
