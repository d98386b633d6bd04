import { aclTopic, ANONYMOUS, secretHash, unknownToken, type Kept, type TokenRecord } from '../../access/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { tokenOf } from '../token-of.ts';
import { aclBody, tokenBody } from './acl-body.ts';
import { aclRead, authored, orMissing, type Answering } from './acl-request.ts';
import { HIDDEN, keptSecret, wireToken } from './acl-wire.ts';
import { answerRead } from './blocking.ts';
import { textIn } from '../fields.ts';
import { changedAt, json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { argumentOf } from './on-node.ts';

/** A token shows the names of what it is given. */
const TOPICS = [aclTopic.tokens, aclTopic.policies, aclTopic.roles];
const CLONE = '/clone';

/** Tokens. A secret is shown when it is made, and to its bearer; else only where `legacy` keeps it (decision 133). */
export function aclTokenRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'acl/tokens', methods: { GET: (request) => list(context, request) } },
    { path: 'acl/token', methods: { PUT: (request) => create(context, request) } },
    { path: 'acl/token/self', methods: { GET: (request) => self(context, request) } },
    {
      path: 'acl/token/',
      methods: {
        GET: (request) => show(context, request),
        PUT: (request) => (request.argument.endsWith(CLONE) ? clone(context, request) : update(context, request)),
        DELETE: (request) => remove(context, request),
      },
    },
  ];
}

/** `?policy=`, `?role=`: tokens with that one. There are no auth methods, so none has a token. */
function list(context: ApiContext, request: V1Request): Answering {
  const { query } = request;
  const [policy, role, method] = ['policy', 'role', 'authmethod'].map((name) => query.get(name) ?? '') as [
    string,
    string,
    string,
  ];
  const { access, state } = context.acl;
  const isAsked = ({ record }: Kept<TokenRecord>): boolean =>
    method === '' &&
    (policy === '' || record.policies.includes(policy)) &&
    (role === '' || record.roles.includes(role));
  const shows = showsSecrets(request);
  return aclRead(context, request, {
    key: `tokens ${JSON.stringify([policy, role, method, shows])}`,
    topics: TOPICS,
    render: () => {
      const found = state.tokens().filter((token) => isAsked(token) && access.isLiving(token));
      return JSON.stringify(found.map((one) => wireToken(state, one, shows ? keptSecret(one.record) : HIDDEN)));
    },
  });
}

function show(context: ApiContext, request: V1Request): Answering {
  const { access, state } = context.acl;
  const accessor = argumentOf(request, 'token ID');
  request.authority.demand('acl', '', 'read');
  const shows = showsSecrets(request);
  const find = (): Kept<TokenRecord> | undefined => {
    const token = state.token(accessor);
    return token !== undefined && access.isLiving(token) ? token : undefined;
  };
  const query = {
    key: `token ${JSON.stringify([accessor, shows])}`,
    topics: TOPICS,
    render: () => {
      const token = find();
      return token === undefined
        ? ''
        : JSON.stringify(wireToken(state, token, shows ? keptSecret(token.record) : HIDDEN));
    },
  };
  return aclRead(context, request, query, orMissing(403, 'ACL not found'));
}

/** Where no token was shown: the agent's own is not for everybody, also where `legacy` keeps it. */
function agentsSecret(request: V1Request, record: TokenRecord): string {
  return showsSecrets(request) || record.accessor === ANONYMOUS ? keptSecret(record) : HIDDEN;
}

function showsSecrets({ authority }: V1Request): boolean {
  return authority.allows('acl', '', 'write');
}

/** The bearer's own token, which needs nothing but that it is valid. */
function self(context: ApiContext, request: V1Request): Answering {
  const { state } = context.acl;
  const { accessor } = request.authority;
  const token = state.token(accessor);
  if (token === undefined) throw unknownToken();
  const shown = tokenOf(request.query.get('token'), request.headers);
  // Without a token it is the agent's, whose secret is not the asker's.
  const secret = secretHash(shown) === token.record.hash ? shown : agentsSecret(request, token.record);
  const query = {
    key: `acl self ${JSON.stringify(accessor)}`,
    topics: TOPICS,
    render: () => JSON.stringify(wireToken(state, state.token(accessor) ?? token, HIDDEN)),
  };
  // What is rendered is kept for others who ask the same, so the secret comes in afterwards.
  return answerRead(context, request, query, ({ body }) =>
    json({ ...(JSON.parse(body.toString()) as object), SecretID: secret }),
  );
}

async function create(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const { value, revision } = await context.acl.writes.createToken(tokenBody(request), authored(request));
  return { ...json(wireToken(context.acl.state, value.token, value.secret)), headers: changedAt(revision) };
}

async function update(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const accessor = argumentOf(request, 'token ID');
  const { secret, ...input } = tokenBody(request);
  if (input.accessor !== undefined && input.accessor !== accessor)
    throw badRequest('Token Accessor ID in URL and payload do not match');
  const known = context.acl.state.token(accessor);
  if (secret !== undefined && known !== undefined && secretHash(secret) !== known.record.hash)
    throw badRequest("Changing a token's SecretID is not permitted");
  const { value, revision } = await context.acl.writes.updateToken(accessor, input, authored(request));
  return { ...json(wireToken(context.acl.state, value, keptSecret(value.record))), headers: changedAt(revision) };
}

async function clone(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const { argument } = request;
  const source = context.acl.state.token(argument.slice(0, -CLONE.length));
  if (source === undefined || !context.acl.access.isLiving(source)) throw unknownToken();
  const body = aclBody(request, ['Description', 'Namespace', 'Partition']);
  const description = textIn(body, 'description') || source.record.description;
  const { value, revision } = await context.acl.writes.cloneToken(source.record, description, authored(request));
  return { ...json(wireToken(context.acl.state, value.token, value.secret)), headers: changedAt(revision) };
}

async function remove(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const { revision } = await context.acl.writes.deleteToken(argumentOf(request, 'token ID'), authored(request));
  return { json: 'true', headers: changedAt(revision) };
}
