import { z } from 'zod';
import type { Authority } from '../../../access/index.ts';
import { checkSet, toServiceDocument } from '../../../definition/index.ts';
import { addressOf, healthOf, portOf, type NodeView } from '../../../registry/index.ts';
import type { ApiContext } from '../../context.ts';
import { NO_BODY } from '../body.ts';
import { unknownService } from '../errors.ts';
import { NONE } from '../parameters.ts';
import { route, type Route } from '../route.ts';
import { serviceDetailSchema, serviceSchema } from '../schemas.ts';
import { DEFAULT_FEDERATION, didYouMean, federationParameter } from '../scope.ts';
import { sayService, serviceOverviews, type ServiceOverview } from '../service-overview.ts';

const list = route({
  method: 'GET',
  path: '/v2/services',
  needs: 'by row',
  summary: 'Every service, defined or merely registered, with its health and who requires it.',
  params: NONE,
  query: NONE,
  headers: NONE,
  body: NO_BODY,
  answer: z.array(serviceSchema),
  handle({ caller: { authority } }, context) {
    const views = viewsOf(context);
    const seen = serviceOverviews(context.catalog).filter(({ id }) => authority.allows('service', id, 'read'));
    return { body: seen.map((service) => sayService(seenBy(authority, service), views)) };
  },
});

const show = route({
  method: 'GET',
  path: '/v2/services/{id}',
  needs: ({ params }) => [['service', params.id, 'read']],
  summary: 'One service: its definition, its instances, who requires it.',
  params: z.object({ id: z.string() }),
  query: z.strictObject({ federation: federationParameter }),
  headers: NONE,
  body: NO_BODY,
  answer: serviceDetailSchema,
  handle({ params: { id }, query: { federation = DEFAULT_FEDERATION }, caller: { authority } }, context) {
    const service = seenBy(authority, findService(context, federation, id));
    const { definition } = service;
    return {
      body: {
        ...sayService(service, viewsOf(context)),
        definition: definition === null ? null : toServiceDocument(definition),
        instancesOf: instancesOf(service),
        notes: notesOf(context, service),
      },
    };
  },
});

/** What is available where (P16). */
export const serviceRoutes: readonly Route[] = [list, show];

/** An instance is seen with its node. */
function seenBy(authority: Authority, service: ServiceOverview): ServiceOverview {
  const instances = service.instances.filter(({ node }) => authority.allows('node', node.record.name, 'read'));
  return { ...service, instances };
}

/** The views of the agent's nodes, the first first. */
function viewsOf({ nodes, changes }: ApiContext): readonly NodeView[] {
  return [...nodes.keys()].map((name) => changes.view(name)).filter((view) => view !== undefined);
}

function findService({ catalog }: ApiContext, federation: string, id: string): ServiceOverview {
  const all = serviceOverviews(catalog);
  const found = all.find((one) => one.id === id && one.federation === federation);
  if (found !== undefined) return found;
  const elsewhere = all.filter((one) => one.id === id).map((one) => one.federation);
  const ids = all.filter((one) => one.federation === federation).map((one) => one.id);
  const hint =
    elsewhere.length > 0
      ? `it is in federation ${elsewhere.join(', ')}: name that one`
      : didYouMean(id, ids, 'service:list shows them all');
  throw unknownService.with({ hint }, federation, id);
}

function instancesOf({ definition, instances }: ServiceOverview) {
  return instances.map((instance) => {
    const { node, record } = instance;
    const port = definition === null ? record.port : (portOf(definition, record.port) ?? 0);
    const { name } = node.record;
    return {
      node: name,
      id: record.id,
      address: addressOf(instance),
      port,
      health: healthOf(instance),
      tags: record.tags,
    };
  });
}

function notesOf({ catalog }: ApiContext, { definition }: ServiceOverview): readonly string[] {
  if (definition === null) return [];
  const existing = catalog.definitions().map((stored) => stored.record);
  return checkSet({ existing, applied: [definition], datastores: [] }).notes;
}
