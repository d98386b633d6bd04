import type { ApiContext } from '../context.ts';
import { notFound, unauthorized } from '../errors.ts';
import { bootstrap } from './acl-bootstrap.ts';
import { aclLegacyRoutes } from './acl-legacy.ts';
import { aclPolicyRoutes } from './acl-policies.ts';
import { aclRead } from './acl-request.ts';
import { aclRoleRoutes } from './acl-roles.ts';
import { aclTokenRoutes } from './acl-tokens.ts';
import { setAgentToken } from './agent-token.ts';
import { json, type V1Handler, type V1Route } from './exchange.ts';

/** Access control (consul-http-api 13, 15). */
export function aclRoutes(context: ApiContext): V1Route[] {
  if (!context.access.isEnabled) return refusing();
  return [
    { path: 'acl/bootstrap', methods: { PUT: (request) => bootstrap(context, request) } },
    { path: 'acl/replication', methods: { GET: () => json(NO_REPLICATION) } },
    ...aclTokenRoutes(context),
    ...aclPolicyRoutes(context),
    ...aclRoleRoutes(context),
    ...withoutAuthMethods(context),
    ...(context.legacy ? aclLegacyRoutes(context) : LEGACY.map(legacyOnly)),
    { path: 'agent/token/', methods: { PUT: (request) => setAgentToken(context, request) } },
  ];
}

/** ACLs are off: Consul answers each of these calls with 401, and clients know it by its text. */
function refusing(): V1Route[] {
  const refuse: V1Handler = () => {
    throw unauthorized('ACL support disabled');
  };
  return [
    { path: 'acl/', methods: { GET: refuse, PUT: refuse, POST: refuse, DELETE: refuse } },
    { path: 'agent/token/', methods: { PUT: refuse } },
  ];
}

/** Tokens come from nowhere else, so there are no methods, no rules that bind them, and nobody logs in. */
function withoutAuthMethods(context: ApiContext): V1Route[] {
  const none = (what: string, body: string): V1Handler => {
    return (request) => aclRead(context, request, { key: `no ${what}`, topics: [], render: () => body });
  };
  const refuse: V1Handler = ({ authority }) => {
    authority.demand('acl', '', 'write');
    return { status: 501, text: 'drover leaves auth methods out: tokens are made with /v1/acl/token' };
  };
  const login: V1Handler = () => ({
    status: 501,
    text: 'drover leaves auth methods out: there is nothing to log in with',
  });
  const changing = { GET: refuse, PUT: refuse, DELETE: refuse };
  return [
    { path: 'acl/auth-methods', methods: { GET: none('auth methods', '[]') } },
    { path: 'acl/binding-rules', methods: { GET: none('binding rules', '[]') } },
    { path: 'acl/templated-policies', methods: { GET: none('templated policies', '{}') } },
    { path: 'acl/auth-method', methods: { PUT: refuse } },
    { path: 'acl/auth-method/', methods: changing },
    { path: 'acl/binding-rule', methods: { PUT: refuse } },
    { path: 'acl/binding-rule/', methods: changing },
    { path: 'acl/templated-policy/', methods: { GET: refuse, POST: refuse } },
    { path: 'acl/login', methods: { POST: login } },
    { path: 'acl/logout', methods: { POST: login } },
  ];
}

const LEGACY = [
  ['acl/create', 'PUT'],
  ['acl/update', 'PUT'],
  ['acl/destroy/', 'PUT'],
  ['acl/info/', 'GET'],
  ['acl/clone/', 'PUT'],
  ['acl/list', 'GET'],
] as const;

function legacyOnly([path, method]: (typeof LEGACY)[number]): V1Route {
  const refuse: V1Handler = () => {
    throw notFound(
      "Consul's ACL API of before 1.4 is answered under legacy only: use /v1/acl/token and /v1/acl/policy",
    );
  };
  return { path, methods: { [method]: refuse } };
}

/** There is one datacenter, whose servers share a store. */
const NO_REPLICATION = Object.freeze({
  Enabled: false,
  Running: false,
  SourceDatacenter: '',
  ReplicationType: '',
  ReplicatedIndex: 0,
  ReplicatedRoleIndex: 0,
  ReplicatedTokenIndex: 0,
  LastSuccess: '0001-01-01T00:00:00Z',
  LastError: '0001-01-01T00:00:00Z',
  LastErrorMessage: '',
});
