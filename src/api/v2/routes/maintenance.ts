import { z } from 'zod';
import type { LocalNode } from '../../local-node.ts';
import { NO_BODY } from '../body.ts';
import { unknownInstance } from '../errors.ts';
import { NONE } from '../parameters.ts';
import { route, type Route } from '../route.ts';
import { maintenanceSchema } from '../schemas.ts';
import { didYouMean, localNode, nodeParameter } from '../scope.ts';

const MAX_REASON = 1_024;

const set = route({
  method: 'PUT',
  path: '/v2/maintenance',
  summary: 'Takes a node, or one of its services, out of DNS and balancers, or back in.',
  params: NONE,
  query: z.strictObject({
    enable: z
      .stringbool({ truthy: ['true', '1'], falsy: ['false', '0'], error: 'expected true or false' })
      .meta({ type: 'boolean', description: 'true: out; false: back in.' }),
    node: nodeParameter,
    service: z
      .string()
      .min(1, { error: 'expected the id of a service' })
      .describe('Only this service of the node, by its id.')
      .optional(),
    reason: z
      .string()
      .max(MAX_REASON, { error: `expected at most ${MAX_REASON} characters` })
      .describe('Why, for whoever looks.')
      .default(''),
  }),
  headers: NONE,
  body: NO_BODY,
  answer: maintenanceSchema,
  changes: true,
  async handle({ query: { enable, node: name, service = null, reason } }, context) {
    const node = localNode(context, name);
    if (service !== null) checkService(node, service);
    const revision = await node.setMaintenance(service, enable, reason);
    return { revision, body: { node: node.record.name, service, enabled: enable } };
  },
});

/** Out of traffic, and back. */
export const maintenanceRoutes: readonly Route[] = [set];

function checkService(node: LocalNode, id: string): void {
  const ids = node.services().map((one) => one.id);
  if (ids.includes(id)) return;
  const hint = didYouMean(id, ids, ids.length === 0 ? 'nothing is registered there' : `registered: ${ids.join(', ')}`);
  throw unknownInstance.with({ hint }, node.record.name, id);
}
