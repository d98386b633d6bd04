import { topic, type CatalogNode } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { foldedObject, textIn } from '../fields.ts';
import { answerRows } from './answer-rows.ts';
import { bodyJson, EMPTY, json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';

const DIMENSIONS = 8;
const SHAPE = { Node: 'text', Segment: 'text' } as const;

/**
 * Network coordinates (consul-http-api 10). Consul measures round trips by gossip, of which there is none here: every node
 * stands where Consul's stand before they have measured anything.
 */
export function coordinateRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'coordinate/datacenters', methods: { GET: () => json(datacenters(context)) } },
    { path: 'coordinate/nodes', methods: { GET: (request) => nodes(context, request) } },
    { path: 'coordinate/node/', methods: { GET: (request) => node(context, request) } },
    { path: 'coordinate/update', methods: { PUT: update } },
  ];
}

/** Where a node is before anything was measured. */
export function originCoordinate(): Record<string, unknown> {
  return { Vec: Array.from({ length: DIMENSIONS }, () => 0), Error: 1.5, Adjustment: 0, Height: 1e-5 };
}

function datacenters({ region, firstNode }: ApiContext): unknown[] {
  const server = { Node: `${firstNode}.${region}`, Segment: '', Coord: originCoordinate() };
  return [{ Datacenter: region, AreaID: 'wan', Coordinates: [server] }];
}

function nodes(context: ApiContext, request: V1Request): V1Answer | Promise<V1Answer> {
  return answerRows(context, request, () => ({
    ...ROWS,
    key: 'coordinates',
    topics: [topic.nodes],
    rows: () => context.catalog.nodes(),
  }));
}

function node(context: ApiContext, request: V1Request): V1Answer | Promise<V1Answer> {
  const { argument: name } = request;
  if (name === '') throw badRequest('Missing node name');
  const query = () => ({
    ...ROWS,
    key: `coordinate ${JSON.stringify(name)}`,
    topics: [topic.node(name)],
    rows: () => {
      const found = context.catalog.node(name);
      return found === undefined ? [] : [found];
    },
  });
  return answerRows(context, request, query, (answer) =>
    answer.body.toString() === '[]' ? { status: 404 } : { json: answer.body },
  );
}

const ROWS = {
  sees: (authority: V1Request['authority'], { record }: CatalogNode): boolean =>
    authority.allows('node', record.name, 'read'),
  wire: ({ record }: CatalogNode) => ({ Node: record.name, Segment: '', Coord: originCoordinate() }),
  shape: SHAPE,
};

/** What an agent of Consul's measured is looked at and let go: nothing here is placed by round trips. */
function update(request: V1Request): V1Answer {
  const name = textIn(foldedObject(bodyJson(request), 'body'), 'node');
  request.authority.demand('node', name, 'write');
  return EMPTY;
}
