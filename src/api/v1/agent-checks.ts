import type { CheckStatus } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest, internal } from '../errors.ts';
import { foldedObject, textIn } from '../fields.ts';
import type { LocalNode } from '../local-node.ts';
import { parseCheckRegistration } from '../registration.ts';
import { asInvalidCheck } from './agent-services.ts';
import { filterRows } from './answer-rows.ts';
import { bodyJson, json, type V1Answer, type V1Handler, type V1Request, type V1Route } from './exchange.ts';
import { demandCheck, demandCheckOf, demandReplaced } from './local-demands.ts';
import { localCheck } from './local-wire.ts';
import { argumentOf, changed, onNode } from './on-node.ts';
import { CHECK_SHAPE } from './row-shapes.ts';
import { seesLocalCheck } from './sees.ts';

type Settable = Exclude<CheckStatus, 'unknown'>;
const SETTABLE: readonly string[] = ['passing', 'warning', 'critical'];

/** The checks that are registered with this agent. */
export function agentCheckRoutes(context: ApiContext): V1Route[] {
  const set = (status: Settable): V1Handler =>
    onNode(context, (node, request) =>
      setTtl(context, node, request, { status, output: request.query.get('note') ?? '' }),
    );
  return [
    { path: 'agent/checks', methods: { GET: onNode(context, checks) } },
    { path: 'agent/check/register', methods: { PUT: onNode(context, register) } },
    { path: 'agent/check/deregister/', methods: { PUT: onNode(context, deregister) }, legacyGet: true },
    { path: 'agent/check/pass/', methods: { PUT: set('passing') }, legacyGet: true },
    { path: 'agent/check/warn/', methods: { PUT: set('warning') }, legacyGet: true },
    { path: 'agent/check/fail/', methods: { PUT: set('critical') }, legacyGet: true },
    {
      path: 'agent/check/update/',
      methods: { PUT: onNode(context, (node, request) => update(context, node, request)) },
    },
  ];
}

function checks(node: LocalNode, { authority, query }: V1Request): V1Answer {
  const seen = node
    .checks()
    .map((check) => localCheck(node, check))
    .filter((check) => seesLocalCheck(authority, check));
  const found = filterRows(seen, query.get('filter'), CHECK_SHAPE, (check) => check);
  return json(Object.fromEntries(found.map((check) => [check.CheckID, check])));
}

async function register(node: LocalNode, request: V1Request): Promise<V1Answer> {
  const body = bodyJson(request);
  if (textIn(foldedObject(body, 'body'), 'name') === '') throw badRequest('Missing check name');
  const registration = parseCheckRegistration(body, { unknownKeys: 'ignore' });
  const { definition, serviceId } = registration;
  demandCheckOf(request.authority, node, serviceId, 'write');
  const id = definition.id ?? definition.name;
  if (id !== undefined) demandReplaced(request.authority, node, id);
  return changed(await asInvalidCheck(node.registerCheck(registration)));
}

async function deregister(node: LocalNode, request: V1Request): Promise<V1Answer> {
  const id = argumentOf(request, 'check ID');
  demandCheck(request.authority, node, id, 'write');
  return changed(await node.deregisterCheck(id));
}

function update(context: ApiContext, node: LocalNode, request: V1Request): Promise<V1Answer> {
  const body = foldedObject(bodyJson(request), 'body');
  const status = textIn(body, 'status');
  if (!SETTABLE.includes(status)) throw badRequest(`Invalid check status: '${status}'`);
  return setTtl(context, node, request, { status: status as Settable, output: textIn(body, 'output') });
}

async function setTtl(
  { legacy }: ApiContext,
  node: LocalNode,
  request: V1Request,
  { status, output }: { readonly status: Settable; readonly output: string },
): Promise<V1Answer> {
  const id = argumentOf(request, 'check ID');
  demandCheck(request.authority, node, id, 'write');
  // Clients of old register again when they read this of a check that is not known any more.
  if (legacy && !node.checks().some((check) => check.id === id))
    throw internal(`CheckID ${JSON.stringify(id)} does not have associated TTL`);
  return changed(await node.updateTtl(id, status, output));
}
