import {
  topic,
  type CatalogNode,
  type CheckRecord,
  type CheckStatus,
  type ExternalRegistration,
} from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest, internal } from '../errors.ts';
import { parseServiceRegistration } from '../registration.ts';
import { answerRead, checkDatacenter } from './blocking.ts';
import { bodyJson, changedAt, json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { foldedObject, listIn, objectIn, textIn, textsIn, type Folded } from './fields.ts';
import { hasTags } from './health.ts';
import { matchesMeta, metaFilter } from './meta-filter.ts';
import { wireCatalogService, wireNode, wireService } from './wire.ts';

/** Catalog (consul-http-api 6). */
export function catalogRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'catalog/register', methods: { PUT: (request) => register(context, request) } },
    { path: 'catalog/deregister', methods: { PUT: (request) => deregister(context, request) } },
    { path: 'catalog/datacenters', methods: { GET: () => json([context.region]) } },
    { path: 'catalog/nodes', methods: { GET: (request) => nodes(context, request) } },
    { path: 'catalog/services', methods: { GET: (request) => services(context, request) } },
    { path: 'catalog/service/', methods: { GET: (request) => service(context, request) } },
    { path: 'catalog/node/', methods: { GET: (request) => node(context, request, asMap) } },
    { path: 'catalog/node-services/', methods: { GET: (request) => node(context, request, asList) } },
    { path: 'catalog/connect/', methods: { GET: (request) => nothing(context, request) } },
    { path: 'catalog/gateway-services/', methods: { GET: (request) => nothing(context, request) } },
  ];
}

function nodes(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const meta = metaFilter(request.query);
  return answerRead(context, request, {
    key: `catalog nodes ${JSON.stringify(meta)}`,
    topics: [topic.nodes],
    render: () =>
      JSON.stringify(
        context.catalog
          .nodes()
          .filter((one) => matchesMeta(one, meta))
          .map((one) => wireNode(one, context.region)),
      ),
  });
}

function services(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const meta = metaFilter(request.query);
  return answerRead(context, request, {
    key: `catalog services ${JSON.stringify(meta)}`,
    topics: [topic.services],
    render: () => {
      const rows = context.catalog.serviceNames().map((name): [string, string[]] | null => {
        const instances = context.catalog.instances(name).filter((one) => matchesMeta(one.node, meta));
        return instances.length === 0
          ? null
          : [name, [...new Set(instances.flatMap((one) => one.record.tags))].toSorted()];
      });
      return JSON.stringify(Object.fromEntries(rows.filter((row) => row !== null)));
    },
  });
}

function service(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const { argument: name, query } = request;
  if (name === '') throw badRequest('Missing service name');
  const tags = query.getAll('tag').map((tag) => tag.toLowerCase());
  const meta = metaFilter(query);
  return answerRead(context, request, {
    key: `catalog service ${JSON.stringify([name, tags, meta])}`,
    topics: [topic.service(name)],
    render: () =>
      JSON.stringify(
        context.catalog
          .instances(name)
          .filter((one) => hasTags(one, tags) && matchesMeta(one.node, meta))
          .map((one) => wireCatalogService(one, context.region)),
      ),
  });
}

type Shape = (found: CatalogNode) => unknown;
const asMap: Shape = (found) => Object.fromEntries([...found.instances].map(([id, one]) => [id, wireService(one)]));
const asList: Shape = (found) => [...found.instances.values()].map(wireService);

function node(context: ApiContext, request: V1Request, shape: Shape): Promise<V1Answer> {
  const { argument: name } = request;
  if (name === '') throw badRequest('Missing node name');
  const find = (): CatalogNode | undefined =>
    context.catalog.node(name) ?? context.catalog.nodes().find((one) => one.record.id === name);
  const found = find()?.record.name ?? name;
  return answerRead(context, request, {
    key: `catalog node ${JSON.stringify([name, shape === asMap])}`,
    topics: [topic.node(found)],
    render: () => {
      const current = find();
      if (current === undefined) return 'null';
      return JSON.stringify({ Node: wireNode(current, context.region), Services: shape(current) });
    },
  });
}

/** Connect and gateways are out of scope: there are none. */
function nothing(context: ApiContext, request: V1Request): Promise<V1Answer> {
  return answerRead(context, request, { key: 'nothing', topics: [], render: () => '[]' });
}

async function register(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const body = foldedObject(bodyJson(request), 'body');
  checkBodyDatacenter(context, request, body);
  const name = textIn(body, 'node');
  const address = textIn(body, 'address');
  if (name === '' || address === '') throw internal('Must provide node and address');
  const revision = await context.registry.registerExternal(toRegistration(context, body, name, address));
  return { json: 'true', headers: changedAt(revision) };
}

function toRegistration(context: ApiContext, body: Folded, name: string, address: string): ExternalRegistration {
  const given = objectIn(body, 'service');
  const instance = given === undefined ? undefined : serviceOf(given);
  const id = textIn(body, 'id');
  return {
    node: {
      name,
      address,
      ...(id === '' ? {} : { id }),
      ...(body['taggedaddresses'] === undefined ? {} : { taggedAddresses: textsIn(body, 'taggedaddresses') }),
      ...(body['nodemeta'] === undefined ? {} : { meta: textsIn(body, 'nodemeta') }),
    },
    skipNodeUpdate: body['skipnodeupdate'] === true,
    ...(instance === undefined ? {} : { instance }),
    checks: checksOf(context, body, instance?.id ?? ''),
  };
}

function serviceOf(given: Record<string, unknown>): NonNullable<ExternalRegistration['instance']> {
  const folded = foldedObject(given, 'service');
  if (textIn(folded, 'service') === '') throw internal('Must provide service name with ID');
  // The catalog's service says `Service` where the agent's says `Name`.
  const { service: _service, checks: _checks, check: _check, ...rest } = folded;
  return parseServiceRegistration({ ...rest, name: folded['service'] }, { unknownKeys: 'ignore' }).instance;
}

function checksOf(context: ApiContext, body: Folded, serviceId: string): CheckRecord[] {
  const single = objectIn(body, 'check');
  const several = listIn(body, 'checks');
  return [...(single === undefined ? [] : [single]), ...several].map((value) => checkOf(context, value, serviceId));
}

const STATUSES: readonly string[] = ['passing', 'warning', 'critical'];

function checkOf(context: ApiContext, value: unknown, defaultService: string): CheckRecord {
  const check = foldedObject(value, 'check');
  const name = textIn(check, 'name');
  const id = textIn(check, 'checkid') || name;
  const status = textIn(check, 'status') || 'critical';
  if (!STATUSES.includes(status)) throw badRequest(`Invalid check status: '${status}'`);
  if (id === '') throw internal('Must provide a check ID or name');
  return {
    id,
    name: name || id,
    serviceId: check['serviceid'] === undefined ? defaultService : textIn(check, 'serviceid'),
    status: status as CheckStatus,
    output: textIn(check, 'output').slice(0, 4_096),
    notes: textIn(check, 'notes'),
    type: textIn(check, 'type'),
    interval: '',
    timeout: '',
    definition: objectIn(check, 'definition') ?? {},
    since: new Date(context.clock.wall()).toISOString(),
  };
}

async function deregister(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const body = foldedObject(bodyJson(request), 'body');
  checkBodyDatacenter(context, request, body);
  const name = textIn(body, 'node');
  if (name === '') throw internal('Must provide node');
  const serviceId = textIn(body, 'serviceid');
  const checkId = textIn(body, 'checkid');
  const revision = await context.registry.deregister({
    node: name,
    ...(serviceId === '' ? {} : { serviceId }),
    ...(checkId === '' ? {} : { checkId }),
  });
  return { json: 'true', headers: changedAt(revision) };
}

function checkBodyDatacenter(context: ApiContext, request: V1Request, body: Folded): void {
  checkDatacenter(context, request.query);
  const given = textIn(body, 'datacenter');
  if (given !== '' && given !== context.region) throw internal('No path to datacenter');
}
