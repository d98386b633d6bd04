import { checkIdOf } from '../../health/index.ts';
import { DroverError } from '../../lib/index.ts';
import { topic, type InstanceRecord } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest, notFound } from '../errors.ts';
import type { LocalNode, ServiceRegistration } from '../local-node.ts';
import { parseServiceRegistration } from '../registration.ts';
import { isSidecar, sidecarIdOf, withSidecarPort } from '../sidecar.ts';
import { healthById, healthByName } from './agent-health.ts';
import { filterRows } from './answer-rows.ts';
import { waitOf } from './blocking.ts';
import { bodyJson, json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { demandReplaced, demandService } from './local-demands.ts';
import { hashedService, localService } from './local-wire.ts';
import { argumentOf, changed, enableOf, onNode } from './on-node.ts';
import { SERVICE_SHAPE } from './row-shapes.ts';

/** The services that are registered with this agent. */
export function agentServiceRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'agent/services', methods: { GET: onNode(context, services) } },
    { path: 'agent/service/', methods: { GET: onNode(context, (node, request) => service(context, node, request)) } },
    { path: 'agent/health/service/id/', methods: { GET: onNode(context, healthById) } },
    { path: 'agent/health/service/name/', methods: { GET: onNode(context, healthByName) } },
    { path: 'agent/service/register', methods: { PUT: onNode(context, register) } },
    { path: 'agent/service/deregister/', methods: { PUT: onNode(context, deregister) }, legacyGet: true },
    { path: 'agent/service/maintenance/', methods: { PUT: onNode(context, maintenance) }, legacyGet: true },
  ];
}

function services(node: LocalNode, { authority, query }: V1Request): V1Answer {
  const seen = node.services().filter((one) => authority.allows('service', one.service, 'read'));
  const wire = (one: InstanceRecord): Record<string, unknown> => localService(one, node.record.datacenter);
  const found = filterRows(seen, query.get('filter'), SERVICE_SHAPE, wire);
  return json(Object.fromEntries(found.map((one) => [one.id, wire(one)])));
}

/** One service; with `?hash=` once it is other than what had that hash. The region's word wakes: it follows each change here. */
async function service(context: ApiContext, node: LocalNode, request: V1Request): Promise<V1Answer> {
  const id = argumentOf(request, 'service ID');
  demandService(request.authority, node, id, 'read');
  const find = (): ReturnType<typeof hashedService> | undefined => {
    const found = node.services().find((one) => one.id === id);
    return found === undefined ? undefined : hashedService(found, node.record.datacenter);
  };
  const now = find();
  if (now === undefined) throw notFound(`unknown service ID: ${id}`);
  const hash = request.query.get('hash') ?? '';
  const waitMs = waitOf(request.query.get('wait'));
  if (hash === '' || hash !== now.ContentHash || request.hasWaited) return hashed(now);
  const query = {
    key: `agent service ${JSON.stringify([node.record.name, id])}`,
    topics: [topic.node(node.record.name)],
    render: () => find()?.ContentHash ?? '',
  };
  const { index } = context.queries.read(query);
  const { signal } = request;
  await context.queries.wait(query, { index, signal, ...(waitMs === undefined ? {} : { waitMs }) });
  const then = find();
  if (then === undefined) throw notFound(`unknown service ID: ${id}`);
  return hashed(then);
}

function hashed(found: ReturnType<typeof hashedService>): V1Answer {
  return { ...json(found), headers: { 'X-Consul-ContentHash': found.ContentHash } };
}

async function register(node: LocalNode, request: V1Request): Promise<V1Answer> {
  const registration = parseServiceRegistration(bodyJson(request), { unknownKeys: 'ignore' });
  const sidecars = registration.sidecar === undefined ? [] : [registration.sidecar];
  for (const one of [registration, ...sidecars]) demandRegister(request, node, one);
  const options = { replaceChecks: parseFlag(request, 'replace-existing-checks') };
  const revision = await asInvalidCheck(node.registerService(registration, options));
  if (registration.sidecar === undefined) return changed(revision);
  const others = node.services().filter((one) => one.id !== registration.instance.id);
  const sidecar = withSidecarPort(registration.sidecar, others);
  return changed(await asInvalidCheck(node.registerService(sidecar, options)));
}

/** What it replaces may be another service's: the service under its id, and the checks under those of its checks. */
function demandRegister({ authority }: V1Request, node: LocalNode, { instance, checks }: ServiceRegistration): void {
  const { id: serviceId, service: serviceName } = instance;
  authority.demand('service', serviceName, 'write');
  if (authority.id === '') return;
  if (node.services().some((one) => one.id === serviceId)) demandService(authority, node, serviceId, 'write');
  for (const [index, check] of checks.entries())
    demandReplaced(authority, node, checkIdOf(check, { serviceId, serviceName, index, count: checks.length }));
}

/** Go's clients send `true`; a flag without a value counts as well. */
function parseFlag({ query }: V1Request, name: string): boolean {
  return query.has(name) && !/^(?:0|f|false)$/i.test(query.get(name) ?? '');
}

/** What the health checks refuse has Consul's prefix; scripts that are off have a text of their own. */
export async function asInvalidCheck<T>(task: Promise<T>): Promise<T> {
  try {
    return await task;
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== 'HEALTH_INVALID_CHECK') throw error;
    throw badRequest.with({ cause: error }, `Invalid check: ${error.message}`);
  }
}

async function deregister(node: LocalNode, request: V1Request): Promise<V1Answer> {
  const id = argumentOf(request, 'service ID');
  demandService(request.authority, node, id, 'write');
  const revision = await node.deregisterService(id);
  const sidecar = node.services().find((one) => one.id === sidecarIdOf(id) && isSidecar(one));
  return changed(sidecar === undefined ? revision : await node.deregisterService(sidecar.id));
}

async function maintenance(node: LocalNode, request: V1Request): Promise<V1Answer> {
  const id = argumentOf(request, 'service ID');
  demandService(request.authority, node, id, 'write');
  return changed(await node.setMaintenance(id, enableOf(request.query), request.query.get('reason') ?? ''));
}
