import { NONE } from '../parameters.ts';
import type { ApiContext } from '../../context.ts';
import type { AlarmFacts } from '../../liveness-control.ts';
import type { StoreStatus } from '../../../store/index.ts';
import { NO_BODY } from '../body.ts';
import { route, type Route } from '../route.ts';
import { statusSchema } from '../schemas.ts';
import { revisionOf } from '../scope.ts';

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
  const { engine, leaderKnown, full, failure } = storeOf(context);
  return {
    version: context.version,
    region: context.region,
    node: context.firstNode,
    nodes: [...context.nodes.keys()],
    revision: revisionOf(context),
    ready: leaderKnown && !full && isReady(context),
    store: { engine, leaderKnown, full, ...(failure === undefined ? {} : { failure }) },
    link: linkOf(context),
    partition: sayAlarm(context.liveness.alarm),
    snapshots: context.snapshots?.() ?? null,
    http: context.httpAddress(),
    dns: context.dnsAddress(),
  };
}

type StoreFacts = Pick<StoreStatus, 'leaderKnown' | 'full' | 'failure'> & { readonly engine: string };

/** The store is the servers' where the region is not here. */
function storeOf({ forward, store }: ApiContext): StoreFacts {
  return forward === null ? store.status() : { engine: 'none', leaderKnown: forward.isLinked, full: false };
}

function linkOf({ forward }: ApiContext) {
  if (forward === null) return null;
  const { server, url, since, cutOffSince } = forward.standing();
  return { server, url, since, cutOffSince };
}

function sayAlarm(alarm: AlarmFacts | null) {
  return alarm === null ? null : { server: alarm.server, since: alarm.since, forMs: alarm.forMs, why: alarm.why };
}

/** Every node is in the region, and those with consumers have been told what concerns them. */
function isReady({ nodes, catalog, forward }: ApiContext): boolean {
  return [...nodes].every(
    ([name, node]) =>
      (forward !== null || catalog.node(name) !== undefined) &&
      (node.record.consumers.length === 0 || node.view() !== null),
  );
}
