import { NONE } from '../parameters.ts';
import type { ApiContext } from '../../context.ts';
import { NO_BODY } from '../body.ts';
import { route, type Route } from '../route.ts';
import { statusSchema } from '../schemas.ts';

const status = route({
  method: 'GET',
  path: '/v2/status',
  needs: 'nothing',
  summary: 'How this agent and its store do; 200 as long as the agent answers.',
  params: NONE,
  query: NONE,
  headers: NONE,
  body: NO_BODY,
  answer: statusSchema,
  handle: (_asked, context) => ({ body: statusOf(context) }),
});

/** What this agent is and how it does. */
export const statusRoutes: readonly Route[] = [status];

function statusOf(context: ApiContext) {
  const { engine, leaderKnown, full, failure } = context.store.status();
  return {
    version: context.version,
    region: context.region,
    node: context.firstNode,
    nodes: [...context.nodes.keys()],
    revision: context.catalog.revision,
    ready: leaderKnown && !full && isReady(context),
    store: { engine, leaderKnown, full, ...(failure === undefined ? {} : { failure }) },
    http: context.httpAddress(),
    dns: context.dnsAddress(),
  };
}

/** Every node is in the region, and those with consumers have been told what concerns them. */
function isReady({ nodes, catalog }: ApiContext): boolean {
  return [...nodes].every(
    ([name, node]) => catalog.node(name) !== undefined && (node.record.consumers.length === 0 || node.view() !== null),
  );
}
