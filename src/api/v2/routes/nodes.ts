import { z } from 'zod';
import { healthOf, type CatalogNode } from '../../../registry/index.ts';
import { NO_BODY } from '../body.ts';
import { unknownNode } from '../errors.ts';
import { NONE } from '../parameters.ts';
import { route, type Route } from '../route.ts';
import { nodeSchema } from '../schemas.ts';
import { didYouMean } from '../scope.ts';

const list = route({
  method: 'GET',
  path: '/v2/nodes',
  summary: 'The nodes of the region with what runs on them.',
  params: NONE,
  query: NONE,
  headers: NONE,
  body: NO_BODY,
  answer: z.array(nodeSchema),
  handle: (_asked, { catalog }) => ({ body: catalog.nodes().map(sayNode) }),
});

const show = route({
  method: 'GET',
  path: '/v2/nodes/{name}',
  summary: 'One node.',
  params: z.object({ name: z.string() }),
  query: NONE,
  headers: NONE,
  body: NO_BODY,
  answer: nodeSchema,
  handle({ params: { name } }, { catalog }) {
    const node = catalog.node(name);
    if (node !== undefined) return { body: sayNode(node) };
    const names = catalog.nodes().map((one) => one.record.name);
    throw unknownNode.with({ hint: didYouMean(name, names, 'node:list shows them all') }, name);
  },
});

/** The region's nodes. */
export const nodeRoutes: readonly Route[] = [list, show];

function sayNode({ record, alive, instances }: CatalogNode) {
  const { name, address, federation, runs, external } = record;
  const services = [...instances.values()]
    .filter((instance) => instance.record.service !== 'consul')
    .map((instance) => ({
      id: instance.record.id,
      service: instance.record.service,
      health: healthOf(instance),
    }));
  return { name, address, federation, status: alive.status, runs, services, external };
}
