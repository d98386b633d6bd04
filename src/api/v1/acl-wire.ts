import { hash } from 'node:crypto';
import { ANONYMOUS, ANONYMOUS_SECRET } from '../../access/index.ts';
import type { AclState, Grants, Kept, PolicyRecord, RoleRecord, TokenRecord } from '../../access/index.ts';
import { canonicalJson } from '../../lib/index.ts';

/** What stands for a secret that is not shown. */
export const HIDDEN = '<hidden>';

interface WireLink {
  readonly ID: string;
  readonly Name: string;
}

/** A token as Consul shows it (consul-http-api 13). */
export function wireToken(state: AclState, kept: Kept<TokenRecord>, secret: string): Record<string, unknown> {
  const { record } = kept;
  return {
    AccessorID: record.accessor,
    SecretID: secret,
    Description: record.description,
    ...wireGrants(state, record),
    Roles: record.roles.flatMap((id) => linkOf(state.role(id))),
    TemplatedPolicies: [],
    Local: record.local,
    ...(record.expiresAt === undefined ? {} : { ExpirationTime: record.expiresAt }),
    CreateTime: record.createdAt,
    ...stamps(kept, { ...record, hash: '', secret: '' }),
  };
}

/** The secret as far as it is kept: the anonymous token's always, others under `legacy`. */
export function keptSecret({ accessor, secret }: TokenRecord): string {
  return accessor === ANONYMOUS ? ANONYMOUS_SECRET : (secret ?? HIDDEN);
}

export function wirePolicy(kept: Kept<PolicyRecord>): Record<string, unknown> {
  return { ...wirePolicyListed(kept), Rules: kept.record.rules };
}

/** Without its rules, as in lists. */
export function wirePolicyListed(kept: Kept<PolicyRecord>): Record<string, unknown> {
  const { id, name, description, datacenters } = kept.record;
  return {
    ID: id,
    Name: name,
    Description: description,
    ...(datacenters.length === 0 ? {} : { Datacenters: datacenters }),
    ...stamps(kept, kept.record),
  };
}

export function wireRole(state: AclState, kept: Kept<RoleRecord>): Record<string, unknown> {
  const { id, name, description } = kept.record;
  const grants = wireGrants(state, kept.record);
  return {
    ID: id,
    Name: name,
    Description: description,
    ...grants,
    TemplatedPolicies: [],
    ...stamps(kept, kept.record),
  };
}

function wireGrants(state: AclState, { policies, serviceIdentities, nodeIdentities }: Grants): Record<string, unknown> {
  return {
    Policies: policies.flatMap((id) => linkOf(state.policy(id))),
    ServiceIdentities: serviceIdentities.map(({ serviceName, datacenters }) => ({
      ServiceName: serviceName,
      ...(datacenters.length === 0 ? {} : { Datacenters: datacenters }),
    })),
    NodeIdentities: nodeIdentities.map(({ nodeName, datacenter }) => ({ NodeName: nodeName, Datacenter: datacenter })),
  };
}

/** What was deleted since is not linked any more. */
function linkOf(kept: Kept<PolicyRecord | RoleRecord> | undefined): WireLink[] {
  return kept === undefined ? [] : [{ ID: kept.record.id, Name: kept.record.name }];
}

/** `Hash` tells clients whether a record differs, without its secret. */
function stamps({ createRevision, modRevision }: Kept<unknown>, record: object): Record<string, unknown> {
  return {
    Hash: hash('sha256', canonicalJson(record), 'base64'),
    CreateIndex: createRevision,
    ModifyIndex: modRevision,
  };
}
