import { z } from 'zod';
import type { Authority } from '../../../access/index.ts';
import { healthOf, type AliveRecord, type CatalogNode, type CatalogReader } from '../../../registry/index.ts';
import { NO_BODY } from '../body.ts';
import { unknownNode } from '../errors.ts';
import { NONE } from '../parameters.ts';
import { route, type Route } from '../route.ts';
import { nodeSchema } from '../schemas.ts';
import { didYouMean } from '../scope.ts';

const list = route({
  method: 'GET',
  path: '/v2/nodes',
  needs: 'by row',
  summary: 'The nodes of the region with what runs on them.',
  params: NONE,
  query: NONE,
  headers: NONE,
  body: NO_BODY,
  answer: z.array(nodeSchema),
  handle({ caller: { authority } }, { catalog }) {
    const seen = catalog.nodes().filter(({ record }) => authority.allows('node', record.name, 'read'));
    return { body: seen.map((node) => sayNode(node, authority)) };
  },
});

const show = route({
  method: 'GET',
  path: '/v2/nodes/{name}',
  needs: ({ params }) => [['node', params.name, 'read']],
  summary: 'One node.',
  params: z.object({ name: z.string() }),
  query: NONE,
  headers: NONE,
  body: NO_BODY,
  answer: nodeSchema,
  handle({ params: { name }, caller: { authority } }, { catalog }) {
    return { body: sayNode(demandNode(catalog, name, authority), authority) };
  },
});

const release = route({
  method: 'PUT',
  path: '/v2/nodes/{name}/release',
  needs: ({ params }) => [['node', params.name, 'write']],
  summary: 'Lets go of a suspected node that a partition alarm keeps from being down.',
  params: z.object({ name: z.string() }),
  query: NONE,
  headers: NONE,
  body: NO_BODY,
  answer: z.object({ node: z.string() }),
  changes: true,
  async handle({ params: { name }, caller: { authority } }, { catalog, liveness }) {
    demandNode(catalog, name, authority);
    return { revision: await liveness.release(name), body: { node: name } };
  },
});

/** The region's nodes. */
export const nodeRoutes: readonly Route[] = [list, show, release];

/** @throws API_UNKNOWN_NODE */
function demandNode(catalog: CatalogReader, name: string, authority: Authority): CatalogNode {
  const node = catalog.node(name);
  if (node !== undefined) return node;
  const all = catalog.nodes().map((one) => one.record.name);
  const names = all.filter((one) => authority.allows('node', one, 'read'));
  throw unknownNode.with({ hint: didYouMean(name, names, 'node:list shows them all') }, name);
}

function sayAlive({ status, since, evidence, dead, answering, released }: AliveRecord) {
  return {
    status,
    since,
    ...(evidence === undefined ? {} : { evidence }),
    ...(dead === undefined ? {} : { dead }),
    ...(answering === undefined ? {} : { answering: [...answering] }),
    ...(released === undefined ? {} : { released }),
  };
}

function sayNode({ record, alive, instances }: CatalogNode, authority: Authority) {
  const { name, address, federation, runs, external, provisionGroup = null } = record;
  const consumers = [...record.consumers];
  const services = [...instances.values()]
    .filter(({ record: { service } }) => service !== 'consul' && authority.allows('service', service, 'read'))
    .map((instance) => ({
      id: instance.record.id,
      service: instance.record.service,
      health: healthOf(instance),
    }));
  return { name, address, federation, ...sayAlive(alive), consumers, provisionGroup, runs, services, external };
}
