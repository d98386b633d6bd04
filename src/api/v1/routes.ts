import type { ApiContext } from '../context.ts';
import { aclRoutes } from './acl.ts';
import { metricsRoutes } from './agent-metrics.ts';
import { agentRoutes } from './agent.ts';
import { catalogRoutes } from './catalog.ts';
import { eventRoutes } from './events.ts';
import { coordinateRoutes } from './coordinates.ts';
import type { V1Route } from './exchange.ts';
import { healthRoutes } from './health.ts';
import { kvRoutes } from './kv.ts';
import { meshRoutes } from './mesh.ts';
import { sessionRoutes } from './session.ts';
import { operatorRoutes } from './operator.ts';
import { snapshotRoutes } from './snapshot.ts';
import { RequestCounts } from './request-counts.ts';
import { preparedQueryRoutes } from './prepared-queries.ts';
import { statusRoutes } from './status.ts';
import { txnRoutes } from './txn.ts';

/** Every endpoint of `/v1`; `counts` are of the requests that come to them. */
export function v1Routes(context: ApiContext, counts = new RequestCounts(context.clock)): readonly V1Route[] {
  return [
    ...kvRoutes(context),
    ...sessionRoutes(context),
    ...txnRoutes(context),
    ...catalogRoutes(context),
    ...healthRoutes(context),
    ...agentRoutes(context),
    ...metricsRoutes(context, counts),
    ...statusRoutes(context),
    ...snapshotRoutes(context),
    ...coordinateRoutes(context),
    ...operatorRoutes(context),
    ...eventRoutes(context),
    ...preparedQueryRoutes(context),
    ...meshRoutes(context),
    ...aclRoutes(context),
  ];
}
