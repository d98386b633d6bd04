import type { ApiContext } from '../context.ts';
import { aclRoutes } from './acl.ts';
import { agentRoutes } from './agent.ts';
import { catalogRoutes } from './catalog.ts';
import { eventRoutes } from './events.ts';
import type { V1Route } from './exchange.ts';
import { healthRoutes } from './health.ts';
import { kvRoutes } from './kv.ts';
import { meshRoutes } from './mesh.ts';
import { statusRoutes } from './status.ts';

/** Every endpoint of `/v1`. */
export function v1Routes(context: ApiContext): readonly V1Route[] {
  return [
    ...kvRoutes(context),
    ...catalogRoutes(context),
    ...healthRoutes(context),
    ...agentRoutes(context),
    ...statusRoutes(context),
    ...eventRoutes(context),
    ...meshRoutes(context),
    ...aclRoutes(),
  ];
}
