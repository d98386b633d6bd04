import { topic, type CatalogNode, type Instance } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { answerRows, type RowsQuery } from './answer-rows.ts';
import type { V1Answer, V1Request, V1Route } from './exchange.ts';
import { hasTags, matchesMeta, metaFilter, tagFilter } from './filters.ts';
import { parseBoolean } from './parameters.ts';
import { CHECK_SHAPE, HEALTH_SHAPE } from './row-shapes.ts';
import { seesCheck, seesInstance } from './sees.ts';
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

interface HealthRow {
  readonly instance: Instance;
  readonly checks: readonly WireCheck[];
}

function service(context: ApiContext, request: V1Request): Answering {
  return answerRows(context, request, () => {
    const { argument: name, query } = request;
    if (name === '') throw badRequest('Missing service name');
    const passing = passingOf(query.get('passing'));
    const tags = tagFilter(query);
    const meta = metaFilter(query);
    const isFine = ({ checks: all }: HealthRow): boolean => !passing || all.every((one) => one.Status === 'passing');
    return {
      key: `health service ${JSON.stringify([name, passing, tags, meta])}`,
      topics: [topic.service(name)],
      rows: () => {
        const all = context.catalog.instances(name);
        const found = all.filter((one) => hasTags(one, tags) && matchesMeta(one.node, meta));
        return found.map(healthRow).filter(isFine);
      },
      sees: (authority, { instance }) => seesInstance(authority, instance),
      wire: (row) => wireHealth(row, context.region),
      shape: HEALTH_SHAPE,
    };
  });
}

function healthRow(instance: Instance): HealthRow {
  return { instance, checks: [...nodeChecks(instance.node), ...instanceChecks(instance)] };
}

/** An instance with its node and all checks that count for it, as `health/service` has it. */
export function wireInstanceHealth(instance: Instance, region: string): Record<string, unknown> {
  return wireHealth(healthRow(instance), region);
}

function wireHealth({ instance, checks: all }: HealthRow, region: string): Record<string, unknown> {
  return { Node: wireNode(instance.node, region), Service: wireService(instance), Checks: all };
}

function passingOf(text: string | null): boolean {
  if (text === null) return false;
  const passing = text === '' ? true : parseBoolean(text);
  if (passing === undefined) throw badRequest('Invalid value for ?passing');
  return passing;
}

/** A read of checks, each as it goes out. */
function checkRows(key: string, topics: readonly string[], rows: () => readonly WireCheck[]): RowsQuery<WireCheck> {
  return { key, topics, rows, sees: seesCheck, wire: (check) => check, shape: CHECK_SHAPE };
}

function checks(context: ApiContext, request: V1Request): Answering {
  return answerRows(context, request, () => {
    const { argument: name, query } = request;
    if (name === '') throw badRequest('Missing service name');
    const meta = metaFilter(query);
    return checkRows(`health checks ${JSON.stringify([name, meta])}`, [topic.service(name)], () => {
      const found = context.catalog.instances(name).filter((one) => matchesMeta(one.node, meta));
      return found.flatMap(instanceChecks);
    });
  });
}

function node(context: ApiContext, request: V1Request): Answering {
  return answerRows(context, request, () => {
    const name = request.argument;
    if (name === '') throw badRequest('Missing node name');
    return checkRows(`health node ${JSON.stringify(name)}`, [topic.node(name), topic.nodeChecks(name)], () =>
      allChecks(context.catalog.node(name)),
    );
  });
}

function allChecks(found: CatalogNode | undefined): WireCheck[] {
  if (found === undefined) return [];
  return [...nodeChecks(found), ...[...found.instances.values()].flatMap(instanceChecks)];
}

const STATES: readonly string[] = ['any', 'passing', 'warning', 'critical'];

function state(context: ApiContext, request: V1Request): Answering {
  return answerRows(context, request, () => {
    const wanted = request.argument;
    if (wanted === '') throw badRequest('Missing check state');
    if (!STATES.includes(wanted)) throw badRequest(`Invalid check state: ${JSON.stringify(wanted)}`);
    const meta = metaFilter(request.query);
    return checkRows(`health state ${JSON.stringify([wanted, meta])}`, [topic.checks, topic.nodes], () => {
      const all = context.catalog
        .nodes()
        .filter((one) => matchesMeta(one, meta))
        .flatMap(allChecks);
      return wanted === 'any' ? all : all.filter((check) => check.Status === wanted);
    });
  });
}
