import { topic, type CatalogNode, type LiveQuery } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { answerRead } from './blocking.ts';
import type { V1Answer, V1Request, V1Route } from './exchange.ts';
import { hasTags, matchesMeta, metaFilter, tagFilter, type MetaFilter } from './filters.ts';
import { parseBoolean } from './parameters.ts';
import { instanceChecks, nodeChecks, type WireCheck } from './wire-checks.ts';
import { wireNode, wireService } from './wire.ts';

type Answering = V1Answer | Promise<V1Answer>;

/** Health (consul-http-api 7). */
export function healthRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'health/service/', methods: { GET: (request) => service(context, request) } },
    { path: 'health/checks/', methods: { GET: (request) => checks(context, request) } },
    { path: 'health/node/', methods: { GET: (request) => node(context, request) } },
    { path: 'health/state/', methods: { GET: (request) => state(context, request) } },
  ];
}

interface ServiceFilter {
  readonly passing: boolean;
  readonly tags: readonly string[];
  readonly meta: MetaFilter;
}

function service(context: ApiContext, request: V1Request): Answering {
  return answerRead(context, request, (request.kept.live ??= serviceQuery(context, request)));
}

function serviceQuery(context: ApiContext, { argument: name, query }: V1Request): LiveQuery {
  if (name === '') throw badRequest('Missing service name');
  const filter: ServiceFilter = {
    passing: passingOf(query.get('passing')),
    tags: tagFilter(query),
    meta: metaFilter(query),
  };
  return {
    key: `health service ${JSON.stringify([name, filter.passing, filter.tags, filter.meta])}`,
    topics: [topic.service(name)],
    render: () => renderService(context, name, filter),
  };
}

function renderService(context: ApiContext, name: string, { passing, tags, meta }: ServiceFilter): string {
  const rows = context.catalog
    .instances(name)
    .filter((instance) => hasTags(instance, tags) && matchesMeta(instance.node, meta))
    .map((instance) => ({ instance, checks: [...nodeChecks(instance.node), ...instanceChecks(instance)] }))
    .filter(({ checks: all }) => !passing || all.every((check) => check.Status === 'passing'));
  return JSON.stringify(
    rows.map(({ instance, checks: all }) => ({
      Node: wireNode(instance.node, context.region),
      Service: wireService(instance),
      Checks: all,
    })),
  );
}

function passingOf(text: string | null): boolean {
  if (text === null) return false;
  const passing = text === '' ? true : parseBoolean(text);
  if (passing === undefined) throw badRequest('Invalid value for ?passing');
  return passing;
}

function checks(context: ApiContext, request: V1Request): Answering {
  const name = request.argument;
  if (name === '') throw badRequest('Missing service name');
  const meta = metaFilter(request.query);
  return answerRead(context, request, {
    key: `health checks ${JSON.stringify([name, meta])}`,
    topics: [topic.service(name)],
    render: () => {
      const found = context.catalog.instances(name).filter((one) => matchesMeta(one.node, meta));
      return JSON.stringify(found.flatMap(instanceChecks));
    },
  });
}

function node(context: ApiContext, request: V1Request): Answering {
  const name = request.argument;
  if (name === '') throw badRequest('Missing node name');
  return answerRead(context, request, {
    key: `health node ${JSON.stringify(name)}`,
    topics: [topic.node(name), topic.nodeChecks(name)],
    render: () => JSON.stringify(allChecks(context.catalog.node(name))),
  });
}

function allChecks(found: CatalogNode | undefined): WireCheck[] {
  if (found === undefined) return [];
  return [...nodeChecks(found), ...[...found.instances.values()].flatMap(instanceChecks)];
}

const STATES: readonly string[] = ['any', 'passing', 'warning', 'critical'];

function state(context: ApiContext, request: V1Request): Answering {
  const wanted = request.argument;
  if (wanted === '') throw badRequest('Missing check state');
  if (!STATES.includes(wanted)) throw badRequest(`Invalid check state: ${JSON.stringify(wanted)}`);
  const meta = metaFilter(request.query);
  return answerRead(context, request, {
    key: `health state ${JSON.stringify([wanted, meta])}`,
    topics: [topic.checks, topic.nodes],
    render: () => {
      const nodes = context.catalog.nodes().filter((one) => matchesMeta(one, meta));
      const all = nodes.flatMap(allChecks);
      return JSON.stringify(wanted === 'any' ? all : all.filter((check) => check.Status === wanted));
    },
  });
}
