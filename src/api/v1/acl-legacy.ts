import { aclTopic, GLOBAL_MANAGEMENT, secretHash, unknownToken } from '../../access/index.ts';
import type { Kept, LegacyToken, TokenInput, TokenRecord } from '../../access/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { textIn } from '../fields.ts';
import { aclBody } from './acl-body.ts';
import { aclRead, authored, type Answering } from './acl-request.ts';
import { HIDDEN, keptSecret } from './acl-wire.ts';
import { answerRead } from './blocking.ts';
import { changedAt, json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { argumentOf } from './on-node.ts';

const FIELDS = ['ID', 'Name', 'Type', 'Rules', 'CreateIndex', 'ModifyIndex'];

/** Consul's ACL API of before 1.4, whose ids are the secrets themselves. */
export function aclLegacyRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'acl/create', methods: { PUT: (request) => create(context, request) } },
    { path: 'acl/update', methods: { PUT: (request) => update(context, request) } },
    { path: 'acl/destroy/', methods: { PUT: (request) => destroy(context, request) } },
    { path: 'acl/info/', methods: { GET: (request) => info(context, request) } },
    { path: 'acl/clone/', methods: { PUT: (request) => clone(context, request) } },
    { path: 'acl/list', methods: { GET: (request) => list(context, request) } },
  ];
}

interface LegacyBody {
  readonly id: string;
  readonly token: LegacyToken;
}

function legacyBody(request: V1Request): LegacyBody {
  const body = aclBody(request, FIELDS);
  const type = textIn(body, 'type') || 'client';
  if (type !== 'client' && type !== 'management') throw badRequest('Invalid ACL Type');
  return { id: textIn(body, 'id'), token: { name: textIn(body, 'name'), type, rules: textIn(body, 'rules') } };
}

function inputOf(legacy: LegacyToken): TokenInput {
  const none = { policies: [], roles: [], serviceIdentities: [], nodeIdentities: [], local: false };
  return { ...none, description: legacy.name, legacy };
}

async function create(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const { id, token } = legacyBody(request);
  return make(context, request, { ...inputOf(token), ...(id === '' ? {} : { secret: id }) });
}

async function make({ acl }: ApiContext, request: V1Request, input: TokenInput): Promise<V1Answer> {
  const { value, revision } = await acl.writes.createToken(input, authored(request));
  return { ...json({ ID: value.secret }), headers: changedAt(revision) };
}

/** What is not there yet is made, as Consul did. */
async function update(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const { id, token } = legacyBody(request);
  if (id === '') throw badRequest('ACL ID must be set');
  const known = find(context, id);
  if (known === undefined) return make(context, request, { ...inputOf(token), secret: id });
  const { revision } = await context.acl.writes.updateToken(known.record.accessor, inputOf(token), authored(request));
  return { ...json({ ID: id }), headers: changedAt(revision) };
}

async function destroy(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const known = find(context, argumentOf(request, 'ACL'));
  if (known === undefined) return { json: 'true' };
  const { revision } = await context.acl.writes.deleteToken(known.record.accessor, { author: request.author });
  return { json: 'true', headers: changedAt(revision) };
}

async function clone(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const known = find(context, argumentOf(request, 'ACL'));
  if (known === undefined) throw unknownToken();
  const { record } = known;
  const { value, revision } = await context.acl.writes.cloneToken(record, record.description, authored(request));
  return { ...json({ ID: value.secret }), headers: changedAt(revision) };
}

/** Whoever knows the secret may see the token; by its AccessorID only who may read all. */
function info(context: ApiContext, request: V1Request): Answering {
  const id = argumentOf(request, 'ACL');
  const isSecret = context.acl.state.token(id) === undefined;
  const query = {
    key: `legacy info ${secretHash(id)}`,
    topics: [aclTopic.tokens],
    render: () => JSON.stringify([find(context, id)].flatMap((one) => (one === undefined ? [] : [wireLegacy(one)]))),
  };
  return isSecret ? answerRead(context, request, query) : aclRead(context, request, query);
}

function list(context: ApiContext, request: V1Request): Answering {
  request.authority.demand('acl', '', 'write');
  const { access, state } = context.acl;
  return aclRead(context, request, {
    key: 'legacy list',
    topics: [aclTopic.tokens],
    render: () =>
      JSON.stringify(
        state
          .tokens()
          .filter((one) => access.isLiving(one))
          .map(wireLegacy),
      ),
  });
}

/** By its secret, or by the AccessorID of one whose secret is not kept. */
function find({ acl }: ApiContext, id: string): Kept<TokenRecord> | undefined {
  const found = acl.state.tokenByHash(secretHash(id)) ?? acl.state.token(id);
  return found !== undefined && acl.access.isLiving(found) ? found : undefined;
}

function wireLegacy({ record, createRevision, modRevision }: Kept<TokenRecord>): Record<string, unknown> {
  const { legacy, accessor, policies, description } = record;
  const secret = keptSecret(record);
  const type = policies.includes(GLOBAL_MANAGEMENT) ? 'management' : 'client';
  return {
    CreateIndex: createRevision,
    ModifyIndex: modRevision,
    ID: secret === HIDDEN ? accessor : secret,
    Name: legacy?.name ?? description,
    Type: legacy?.type ?? type,
    Rules: legacy?.rules ?? '',
  };
}
