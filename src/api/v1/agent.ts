import type { CheckStatus } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest, notFound } from '../errors.ts';
import type { LocalNode } from '../local-node.ts';
import { parseCheckRegistration, parseServiceRegistration } from '../registration.ts';
import { agentSelf, members } from './agent-self.ts';
import { bodyJson, changedAt, EMPTY, isSet, json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { foldedObject, textIn } from './fields.ts';
import { localCheck, localHealth, localService } from './local-wire.ts';

type OnNode = (node: LocalNode, request: V1Request) => V1Answer | Promise<V1Answer>;

/** The agent's services and checks (consul-http-api 8), of its first node or of `?node=`. */
export function agentRoutes(context: ApiContext): V1Route[] {
  const on = (task: OnNode) => (request: V1Request) => task(nodeOf(context, request), request);
  const put = (path: string, task: OnNode): V1Route => ({ path, methods: { PUT: on(task) }, legacyGet: true });
  return [
    { path: 'agent/self', methods: { GET: on((node) => json(agentSelf(context, node))) } },
    { path: 'agent/members', methods: { GET: (request) => json(members(context, isSet(request.query, 'wan'))) } },
    { path: 'agent/version', methods: { GET: () => json({ SHA: '', HumanVersion: context.version }) } },
    { path: 'agent/services', methods: { GET: on(services) } },
    { path: 'agent/service/', methods: { GET: on(service) } },
    { path: 'agent/checks', methods: { GET: on(checks) } },
    { path: 'agent/health/service/id/', methods: { GET: on(healthById) } },
    { path: 'agent/health/service/name/', methods: { GET: on(healthByName) } },
    { path: 'agent/service/register', methods: { PUT: on(registerService) } },
    put('agent/service/deregister/', deregisterService),
    put('agent/service/maintenance/', serviceMaintenance),
    { path: 'agent/check/register', methods: { PUT: on(registerCheck) } },
    put('agent/check/deregister/', deregisterCheck),
    put('agent/check/pass/', (node, request) => setTtl(node, request, 'passing')),
    put('agent/check/warn/', (node, request) => setTtl(node, request, 'warning')),
    put('agent/check/fail/', (node, request) => setTtl(node, request, 'critical')),
    put('agent/check/update/', updateCheck),
    put('agent/maintenance', nodeMaintenance),
    { path: 'agent/reload', methods: { PUT: () => context.reload().then(() => EMPTY) } },
    { path: 'agent/leave', methods: { PUT: () => leave(context) } },
  ];
}

function nodeOf(context: ApiContext, { query }: V1Request): LocalNode {
  const name = query.get('node') ?? context.firstNode;
  const node = context.nodes.get(name);
  if (node === undefined)
    throw notFound(`this agent has no node "${name}"; it has ${[...context.nodes.keys()].join(', ')}`);
  return node;
}

function services(node: LocalNode): V1Answer {
  return json(Object.fromEntries(node.services().map((one) => [one.id, localService(one, node.record.datacenter)])));
}

function service(node: LocalNode, { argument: id }: V1Request): V1Answer {
  if (id === '') throw badRequest('Missing service ID');
  const found = node.services().find((one) => one.id === id);
  if (found === undefined) throw notFound(`unknown service ID: ${id}`);
  return json(localService(found, node.record.datacenter, true));
}

function checks(node: LocalNode): V1Answer {
  return json(Object.fromEntries(node.checks().map((check) => [check.id, localCheck(node, check)])));
}

function healthById(node: LocalNode, request: V1Request): V1Answer {
  return localHealth(node, (one) => one.id === request.argument, request, 'id');
}

function healthByName(node: LocalNode, request: V1Request): V1Answer {
  return localHealth(node, (one) => one.service === request.argument, request, 'name');
}

async function registerService(node: LocalNode, request: V1Request): Promise<V1Answer> {
  const registration = parseServiceRegistration(bodyJson(request), { unknownKeys: 'ignore' });
  const replaceChecks = isSet(request.query, 'replace-existing-checks');
  return changed(await node.registerService(registration, { replaceChecks }));
}

async function deregisterService(node: LocalNode, { argument: id }: V1Request): Promise<V1Answer> {
  if (id === '') throw badRequest('Missing service ID');
  return changed(await node.deregisterService(id));
}

async function registerCheck(node: LocalNode, request: V1Request): Promise<V1Answer> {
  const body = bodyJson(request);
  const { name = '', id, checkid } = foldedObject(body, 'body') as { name?: string; id?: string; checkid?: string };
  if (name === '' && (id ?? checkid ?? '') === '') throw badRequest('Missing check name');
  return changed(await node.registerCheck(parseCheckRegistration(body, { unknownKeys: 'ignore' })));
}

async function deregisterCheck(node: LocalNode, { argument: id }: V1Request): Promise<V1Answer> {
  if (id === '') throw badRequest('Missing check ID');
  return changed(await node.deregisterCheck(id));
}

type Settable = Exclude<CheckStatus, 'unknown'>;

async function setTtl(node: LocalNode, { argument: id, query }: V1Request, status: Settable): Promise<V1Answer> {
  if (id === '') throw badRequest('Missing check ID');
  return changed(await node.updateTtl(id, status, query.get('note') ?? ''));
}

async function updateCheck(node: LocalNode, request: V1Request): Promise<V1Answer> {
  const { argument: id } = request;
  if (id === '') throw badRequest('Missing check ID');
  const body = foldedObject(bodyJson(request), 'body');
  const status = textIn(body, 'status');
  if (!['passing', 'warning', 'critical'].includes(status)) throw badRequest(`Invalid check status: '${status}'`);
  return changed(await node.updateTtl(id, status as Settable, textIn(body, 'output')));
}

async function nodeMaintenance(node: LocalNode, { query }: V1Request): Promise<V1Answer> {
  return changed(await node.setMaintenance(null, enableOf(query), query.get('reason') ?? ''));
}

async function serviceMaintenance(node: LocalNode, { argument: id, query }: V1Request): Promise<V1Answer> {
  if (id === '') throw badRequest('Missing service ID');
  return changed(await node.setMaintenance(id, enableOf(query), query.get('reason') ?? ''));
}

function enableOf(query: URLSearchParams): boolean {
  const text = query.get('enable');
  if (text === null || text === '') throw badRequest('Missing value for enable');
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw badRequest(`Invalid value for enable: ${JSON.stringify(text)}`);
}

function leave(context: ApiContext): V1Answer {
  setImmediate(() => context.leave());
  return EMPTY;
}

function changed(revision: number): V1Answer {
  return { ...EMPTY, headers: changedAt(revision) };
}
