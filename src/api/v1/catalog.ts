import { topic, type Instance } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { answerRows } from './answer-rows.ts';
import { asList, asMap, servicesOfNode } from './catalog-node.ts';
import { deregister, register } from './catalog-register.ts';
import { json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { hasTags, matchesMeta, metaFilter, nodeTopics, tagFilter, type MetaFilter } from './filters.ts';
import { CATALOG_SERVICE_SHAPE, NODE_SHAPE } from './row-shapes.ts';
import { seesInstance } from './sees.ts';
import { wireCatalogService, wireNode } from './wire.ts';

type Answering = V1Answer | Promise<V1Answer>;

/** Catalog (consul-http-api 6). */
export function catalogRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'catalog/register', methods: { PUT: (request) => register(context, request) } },
    { path: 'catalog/deregister', methods: { PUT: (request) => deregister(context, request) } },
    { path: 'catalog/datacenters', methods: { GET: () => json([context.region]) } },
    { path: 'catalog/nodes', methods: { GET: (request) => nodes(context, request) } },
    { path: 'catalog/services', methods: { GET: (request) => services(context, request) } },
    { path: 'catalog/service/', methods: { GET: (request) => service(context, request) } },
    { path: 'catalog/node/', methods: { GET: (request) => servicesOfNode(context, request, asMap) } },
    { path: 'catalog/node-services/', methods: { GET: (request) => servicesOfNode(context, request, asList) } },
  ];
}

function nodes(context: ApiContext, request: V1Request): Answering {
  return answerRows(context, request, () => {
    const meta = metaFilter(request.query);
    return {
      key: `catalog nodes ${JSON.stringify(meta)}`,
      topics: [topic.nodes],
      rows: () => context.catalog.nodes().filter((one) => matchesMeta(one, meta)),
      sees: (authority, { record }) => authority.allows('node', record.name, 'read'),
      wire: (one) => wireNode(one, context.region),
      shape: NODE_SHAPE,
    };
  });
}

function services(context: ApiContext, request: V1Request): Answering {
  return answerRows(context, request, () => {
    const meta = metaFilter(request.query);
    return {
      key: `catalog services ${JSON.stringify(meta)}`,
      // A filter and a token may look at what belongs to nodes.
      topics: [topic.services, ...(isPlain(request) ? nodeTopics(meta) : [topic.nodes])],
      rows: () => instancesOfAll(context, meta),
      sees: seesInstance,
      wire: (one) => wireCatalogService(one, context.region),
      shape: CATALOG_SERVICE_SHAPE,
      body: tagsByService,
    };
  });
}

function isPlain({ query, authority }: V1Request): boolean {
  return authority.id === '' && !query.has('filter');
}

function instancesOfAll({ catalog }: ApiContext, meta: MetaFilter): Instance[] {
  return catalog.serviceNames().flatMap((name) => catalog.instances(name).filter((one) => matchesMeta(one.node, meta)));
}

function tagsByService(instances: readonly Instance[]): Record<string, string[]> {
  const tags = new Map<string, Set<string>>();
  for (const { record } of instances) {
    const known = tags.get(record.service) ?? new Set();
    for (const tag of record.tags) known.add(tag);
    tags.set(record.service, known);
  }
  return Object.fromEntries([...tags].map(([name, all]) => [name, [...all].toSorted()]));
}

function service(context: ApiContext, request: V1Request): Answering {
  return answerRows(context, request, () => {
    const { argument: name, query } = request;
    if (name === '') throw badRequest('Missing service name');
    const tags = tagFilter(query);
    const meta = metaFilter(query);
    return {
      key: `catalog service ${JSON.stringify([name, tags, meta])}`,
      topics: [topic.service(name)],
      rows: () => {
        const all = context.catalog.instances(name);
        return all.filter((one) => hasTags(one, tags) && matchesMeta(one.node, meta));
      },
      sees: seesInstance,
      wire: (one) => wireCatalogService(one, context.region),
      shape: CATALOG_SERVICE_SHAPE,
    };
  });
}
