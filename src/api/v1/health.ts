import { topic, type CatalogNode, type Instance } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { answerRead } from './blocking.ts';
import { matchesMeta, metaFilter, type MetaFilter } from './meta-filter.ts';
import type { V1Answer, V1Request, V1Route } from './exchange.ts';
import { instanceChecks, nodeChecks, wireNode, wireService } from './wire.ts';

/** Health (consul-http-api 7). */
export function healthRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'health/service/', methods: { GET: (request) => service(context, request) } },
    { path: 'health/checks/', methods: { GET: (request) => checks(context, request) } },
    { path: 'health/node/', methods: { GET: (request) => node(context, request) } },
    { path: 'health/state/', methods: { GET: (request) => state(context, request) } },
    { path: 'health/connect/', methods: { GET: (request) => empty(context, request) } },
    { path: 'health/ingress/', methods: { GET: (request) => empty(context, request) } },
  ];
}

function service(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const { argument: name, query } = request;
  if (name === '') throw badRequest('Missing service name');
  const passing = passingOf(query.get('passing'));
  const tags = query.getAll('tag').map((tag) => tag.toLowerCase());
  const meta = metaFilter(query);
  return answerRead(context, request, {
    key: `health service ${JSON.stringify([name, passing, tags, meta])}`,
    topics: [topic.service(name)],
    render: () => renderService(context, name, { passing, tags, meta }),
  });
}

interface ServiceFilter {
  readonly passing: boolean;
  readonly tags: readonly string[];
  readonly meta: MetaFilter;
}

function renderService(context: ApiContext, name: string, { passing, tags, meta }: ServiceFilter): string {
  const rows = context.catalog
    .instances(name)
    .filter((instance) => hasTags(instance, tags) && matchesMeta(instance.node, meta))
    .map((instance) => ({ instance, checks: [...nodeChecks(instance.node), ...instanceChecks(instance)] }))
    .filter(({ checks: all }) => !passing || all.every((check) => check['Status'] === 'passing'));
  return JSON.stringify(
    rows.map(({ instance, checks: all }) => ({
      Node: wireNode(instance.node, context.region),
      Service: wireService(instance),
      Checks: all,
    })),
  );
}

/** Whether an instance has all of the tags, which are in lower case. */
export function hasTags(instance: Instance, tags: readonly string[]): boolean {
  if (tags.length === 0) return true;
  const own = instance.record.tags.map((tag) => tag.toLowerCase());
  return tags.every((tag) => own.includes(tag));
}

function passingOf(text: string | null): boolean {
  if (text === null) return false;
  if (text === '' || /^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw badRequest('Invalid value for ?passing');
}

function checks(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const name = request.argument;
  if (name === '') throw badRequest('Missing service name');
  const meta = metaFilter(request.query);
  return answerRead(context, request, {
    key: `health checks ${JSON.stringify([name, meta])}`,
    topics: [topic.service(name)],
    render: () =>
      JSON.stringify(
        context.catalog
          .instances(name)
          .filter((instance) => matchesMeta(instance.node, meta))
          .flatMap(instanceChecks),
      ),
  });
}

function node(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const name = request.argument;
  if (name === '') throw badRequest('Missing node name');
  return answerRead(context, request, {
    key: `health node ${name}`,
    topics: [topic.node(name), topic.nodeChecks(name)],
    render: () => JSON.stringify(allChecks(context.catalog.node(name))),
  });
}

function allChecks(found: CatalogNode | undefined): Record<string, unknown>[] {
  if (found === undefined) return [];
  return [...nodeChecks(found), ...[...found.instances.values()].flatMap(instanceChecks)];
}

const STATES: readonly string[] = ['any', 'passing', 'warning', 'critical'];

function state(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const wanted = request.argument;
  if (wanted === '') throw badRequest('Missing check state');
  if (!STATES.includes(wanted)) throw badRequest(`Invalid check state: '${wanted}'`);
  const meta = metaFilter(request.query);
  return answerRead(context, request, {
    key: `health state ${JSON.stringify([wanted, meta])}`,
    topics: [topic.checks, topic.nodes],
    render: () =>
      JSON.stringify(
        context.catalog
          .nodes()
          .filter((one) => matchesMeta(one, meta))
          .flatMap(allChecks)
          .filter((check) => wanted === 'any' || check['Status'] === wanted),
      ),
  });
}

/** Connect and ingress are out of scope: nobody provides them. */
function empty(context: ApiContext, request: V1Request): Promise<V1Answer> {
  return answerRead(context, request, { key: 'nothing', topics: [], render: () => '[]' });
}
