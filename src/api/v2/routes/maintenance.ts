import { z } from 'zod';
import type { ApiContext } from '../../context.ts';
import type { LocalNode } from '../../local-node.ts';
import { NO_BODY } from '../body.ts';
import { unknownInstance } from '../errors.ts';
import { NONE } from '../parameters.ts';
import { type Need } from '../needs.ts';
import { route, type Route } from '../route.ts';
import { maintenanceSchema } from '../schemas.ts';
import { didYouMean, localNode, nodeParameter } from '../scope.ts';

const MAX_REASON = 1_024;

interface Aim {
  readonly query: { readonly node?: string | undefined; readonly service?: string | undefined };
}

/** A service by its name; what is not there, and the node itself, is the node's. */
function needsOf({ query: { node: name, service } }: Aim, context: ApiContext): Need[] {
  const node = localNode(context, name);
  const found = node.services().find((one) => one.id === service);
  return found === undefined ? [['node', node.record.name, 'write']] : [['service', found.service, 'write']];
}

const set = route({
  method: 'PUT',
  path: '/v2/maintenance',
  needs: needsOf,
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
