import { openApiDocument } from './openapi.ts';
import type { Route } from './route.ts';
import { accessRoutes } from './routes/access.ts';
import { changeRoutes } from './routes/changes.ts';
import { datastoreRoutes } from './routes/datastores.ts';
import { definitionRoutes } from './routes/definitions.ts';
import { environmentRoutes } from './routes/environment.ts';
import { eventRoutes } from './routes/events.ts';
import { historyRoutes } from './routes/history.ts';
import { listenerRoutes } from './routes/listener.ts';
import { maintenanceRoutes } from './routes/maintenance.ts';
import { provisioningRoutes } from './routes/provisioning.ts';
import { nodeRoutes } from './routes/nodes.ts';
import { openApiRoute } from './routes/openapi.ts';
import { serviceRoutes } from './routes/services.ts';
import { statusRoutes } from './routes/status.ts';

/** Every route of `/v2`: what is routed, validated and described. */
export function v2Routes(): readonly Route[] {
  const routes = [
    ...statusRoutes,
    ...serviceRoutes,
    ...nodeRoutes,
    ...definitionRoutes,
    ...datastoreRoutes,
    ...environmentRoutes,
    ...listenerRoutes,
    ...maintenanceRoutes,
    ...provisioningRoutes,
    ...changeRoutes,
    ...eventRoutes,
    ...historyRoutes,
    ...accessRoutes,
  ];
  return [...routes, openApiRoute(routes)];
}

/** `docs/reference/openapi.json`. */
export function openApiText(): string {
  return `${JSON.stringify(openApiDocument(v2Routes()), null, 2)}\n`;
}
