import type { GrantsInput, LinkInput, PolicyInput, RoleInput, TokenInput } from '../../access/index.ts';
import { parseDuration } from '../../lib/index.ts';
import { badRequest } from '../errors.ts';
import { flagIn, foldedObject, listIn, refuseUnknown, textIn, textListIn, type Folded } from '../fields.ts';
import { bodyJson, type V1Request } from './exchange.ts';
import { HIDDEN } from './acl-wire.ts';

const STAMPS = ['Hash', 'CreateIndex', 'ModifyIndex', 'Namespace', 'Partition'] as const;
const GRANTS = ['Policies', 'ServiceIdentities', 'NodeIdentities', 'TemplatedPolicies'] as const;
const TOKEN = [
  'AccessorID',
  'SecretID',
  'Description',
  'Roles',
  'Local',
  'AuthMethod',
  'AuthMethodNamespace',
  'ExpirationTime',
  'ExpirationTTL',
  'CreateTime',
  'Legacy',
  'Rules',
  ...GRANTS,
  ...STAMPS,
];
const POLICY = ['ID', 'Name', 'Description', 'Rules', 'Datacenters', ...STAMPS];
const ROLE = ['ID', 'Name', 'Description', ...GRANTS, ...STAMPS];
/** Go's zero time stands for none. */
const NO_TIME = '0001-01-01T00:00:00Z';
const NS_PER_MS = 1_000_000;

/** A body that knows only these fields; none at all is an empty one. @throws API_BAD_REQUEST */
export function aclBody(request: V1Request, known: readonly string[]): Folded {
  if (request.body.length === 0) return {};
  const body = bodyJson(request);
  const folded = foldedObject(body, 'body');
  refuseOthers(body as object, known, 'the body');
  return folded;
}

/** As any other body that cannot be decoded. @throws API_BAD_REQUEST */
function refuseOthers(record: object, known: readonly string[], what: string): void {
  try {
    refuseUnknown(record, known, what);
  } catch (error) {
    throw badRequest(`Request decode failed: ${(error as Error).message}`);
  }
}

/** What a token shall be, and what the body says of its ids. @throws API_BAD_REQUEST */
export function tokenBody(request: V1Request): TokenInput {
  const body = aclBody(request, TOKEN);
  if (textIn(body, 'rules') !== '') throw badRequest('Rules of a token: give it a policy that has them');
  const secret = textIn(body, 'secretid');
  const accessor = textIn(body, 'accessorid');
  const expiresAt = textIn(body, 'expirationtime');
  const expiresInMs = durationIn(body, 'expirationttl');
  return {
    description: textIn(body, 'description'),
    ...grantsIn(body),
    roles: linksIn(body, 'roles'),
    local: flagIn(body, 'local'),
    ...(accessor === '' ? {} : { accessor }),
    ...(secret === '' || secret === HIDDEN ? {} : { secret }),
    ...(expiresAt === '' || expiresAt === NO_TIME ? {} : { expiresAt }),
    ...(expiresInMs === undefined ? {} : { expiresInMs }),
  };
}

/** A record with the id that its body names; empty for none. */
export interface WithId<Input> {
  readonly id: string;
  readonly input: Input;
}

/** @throws API_BAD_REQUEST */
export function policyBody(request: V1Request): WithId<PolicyInput> {
  const body = aclBody(request, POLICY);
  const input = {
    name: textIn(body, 'name'),
    description: textIn(body, 'description'),
    rules: textIn(body, 'rules'),
    datacenters: textListIn(body, 'datacenters'),
  };
  return { id: textIn(body, 'id'), input };
}

/** @throws API_BAD_REQUEST */
export function roleBody(request: V1Request): WithId<RoleInput> {
  const body = aclBody(request, ROLE);
  const input = { name: textIn(body, 'name'), description: textIn(body, 'description'), ...grantsIn(body) };
  return { id: textIn(body, 'id'), input };
}

function grantsIn(body: Folded): GrantsInput {
  if (listIn(body, 'templatedpolicies').length > 0)
    throw badRequest('templated policies are left out: name a policy, a service identity or a node identity');
  return {
    policies: linksIn(body, 'policies'),
    serviceIdentities: objectsIn(body, 'serviceidentities', ['ServiceName', 'Datacenters']).map((one) => ({
      serviceName: textIn(one, 'servicename'),
      datacenters: textListIn(one, 'datacenters'),
    })),
    nodeIdentities: objectsIn(body, 'nodeidentities', ['NodeName', 'Datacenter']).map((one) => ({
      nodeName: textIn(one, 'nodename'),
      datacenter: textIn(one, 'datacenter'),
    })),
  };
}

function linksIn(body: Folded, key: string): LinkInput[] {
  return objectsIn(body, key, ['ID', 'Name']).map((one) => {
    const [id, name] = [textIn(one, 'id'), textIn(one, 'name')];
    return { ...(id === '' ? {} : { id }), ...(name === '' ? {} : { name }) };
  });
}

function objectsIn(body: Folded, key: string, known: readonly string[]): Folded[] {
  return listIn(body, key).map((one) => {
    const folded = foldedObject(one, key);
    refuseOthers(one as object, known, key);
    return folded;
  });
}

/** Go's text, or a number of nanoseconds; undefined for none. */
function durationIn(body: Folded, key: string): number | undefined {
  const value = body[key] ?? 0;
  if (typeof value === 'number') return value === 0 ? undefined : value / NS_PER_MS;
  try {
    return value === '' ? undefined : parseDuration(value as string);
  } catch (error) {
    throw badRequest.with({ cause: error }, `Request decode failed: ${key}: invalid duration`);
  }
}
