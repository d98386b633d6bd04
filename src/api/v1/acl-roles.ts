import { aclTopic, type Kept, type RoleRecord } from '../../access/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { roleBody } from './acl-body.ts';
import { aclRead, authored, orMissing, type Answering } from './acl-request.ts';
import { wireRole } from './acl-wire.ts';
import { changedAt, json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { argumentOf } from './on-node.ts';

const TOPICS = [aclTopic.roles, aclTopic.policies];

/** Roles: what several tokens are given together. */
export function aclRoleRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'acl/roles', methods: { GET: (request) => list(context, request) } },
    { path: 'acl/role', methods: { PUT: (request) => create(context, request) } },
    {
      path: 'acl/role/',
      methods: {
        GET: (request) => {
          const id = argumentOf(request, 'role ID');
          return show(context, request, `id ${id}`, () => context.acl.state.role(id));
        },
        PUT: (request) => update(context, request),
        DELETE: (request) => remove(context, request),
      },
    },
    {
      path: 'acl/role/name/',
      methods: {
        GET: (request) => {
          const name = argumentOf(request, 'role Name');
          return show(context, request, `name ${name}`, () => context.acl.state.roleNamed(name));
        },
      },
    },
  ];
}

/** `?policy=ID`: roles with that policy. */
function list(context: ApiContext, request: V1Request): Answering {
  const { state } = context.acl;
  const policy = request.query.get('policy') ?? '';
  return aclRead(context, request, {
    key: `roles ${JSON.stringify(policy)}`,
    topics: TOPICS,
    render: () => {
      const found = state.roles().filter(({ record }) => policy === '' || record.policies.includes(policy));
      return JSON.stringify(found.map((role) => wireRole(state, role)));
    },
  });
}

/** The one of an id or a name, `what`. */
function show(
  context: ApiContext,
  request: V1Request,
  what: string,
  find: () => Kept<RoleRecord> | undefined,
): Answering {
  const query = {
    key: `role ${what}`,
    topics: TOPICS,
    render: () => {
      const found = find();
      return found === undefined ? '' : JSON.stringify(wireRole(context.acl.state, found));
    },
  };
  return aclRead(context, request, query, orMissing(404, 'Requested role does not exist: ACL not found'));
}

async function create(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const { id, input } = roleBody(request);
  if (id !== '') throw badRequest('Cannot specify the ID when creating a new role');
  const { value, revision } = await context.acl.writes.putRole(undefined, input, authored(request));
  return { ...json(wireRole(context.acl.state, value)), headers: changedAt(revision) };
}

async function update(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const id = argumentOf(request, 'role ID');
  const body = roleBody(request);
  if (body.id !== '' && body.id !== id) throw badRequest('Role ID in URL and payload do not match');
  const { value, revision } = await context.acl.writes.putRole(id, body.input, authored(request));
  return { ...json(wireRole(context.acl.state, value)), headers: changedAt(revision) };
}

async function remove(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const { revision } = await context.acl.writes.deleteRole(argumentOf(request, 'role ID'), authored(request));
  return { json: 'true', headers: changedAt(revision) };
}
