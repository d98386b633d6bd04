import { aclTopic, type Kept, type PolicyRecord } from '../../access/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { policyBody } from './acl-body.ts';
import { aclRead, authored, orMissing, type Answering } from './acl-request.ts';
import { wirePolicy, wirePolicyListed } from './acl-wire.ts';
import { changedAt, json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { argumentOf } from './on-node.ts';

/** Policies: named sets of rules. */
export function aclPolicyRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'acl/policies', methods: { GET: (request) => list(context, request) } },
    { path: 'acl/policy', methods: { PUT: (request) => create(context, request) } },
    {
      path: 'acl/policy/',
      methods: {
        GET: (request) => {
          const id = argumentOf(request, 'policy ID');
          return show(context, request, `id ${id}`, () => context.acl.state.policy(id));
        },
        PUT: (request) => update(context, request),
        DELETE: (request) => remove(context, request),
      },
    },
    {
      path: 'acl/policy/name/',
      methods: {
        GET: (request) => {
          const name = argumentOf(request, 'policy Name');
          return show(context, request, `name ${name}`, () => context.acl.state.policyNamed(name));
        },
      },
    },
  ];
}

function list(context: ApiContext, request: V1Request): Answering {
  return aclRead(context, request, {
    key: 'policies',
    topics: [aclTopic.policies],
    render: () => JSON.stringify(context.acl.state.policies().map(wirePolicyListed)),
  });
}

/** The one of an id or a name, `what`. */
function show(
  context: ApiContext,
  request: V1Request,
  what: string,
  find: () => Kept<PolicyRecord> | undefined,
): Answering {
  const query = {
    key: `policy ${what}`,
    topics: [aclTopic.policies],
    render: () => {
      const found = find();
      return found === undefined ? '' : JSON.stringify(wirePolicy(found));
    },
  };
  return aclRead(context, request, query, orMissing(404, 'Requested policy does not exist: ACL not found'));
}

async function create(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const { id, input } = policyBody(request);
  if (id !== '') throw badRequest('Cannot specify the ID when creating a new policy');
  const { value, revision } = await context.acl.writes.putPolicy(undefined, input, authored(request));
  return { ...json(wirePolicy(value)), headers: changedAt(revision) };
}

async function update(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const id = argumentOf(request, 'policy ID');
  const body = policyBody(request);
  if (body.id !== '' && body.id !== id) throw badRequest('Policy ID in URL and payload do not match');
  const { value, revision } = await context.acl.writes.putPolicy(id, body.input, authored(request));
  return { ...json(wirePolicy(value)), headers: changedAt(revision) };
}

async function remove(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const { revision } = await context.acl.writes.deletePolicy(argumentOf(request, 'policy ID'), authored(request));
  return { json: 'true', headers: changedAt(revision) };
}
