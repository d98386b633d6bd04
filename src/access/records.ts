import { hash } from 'node:crypto';
import type { Revision } from '../store/index.ts';

/** May write one service. */
export interface ServiceIdentity {
  readonly serviceName: string;
  /** Datacenters in which it counts; empty = all. */
  readonly datacenters: readonly string[];
}

/** May speak for one node. */
export interface NodeIdentity {
  readonly nodeName: string;
  readonly datacenter: string;
}

/** What tokens and roles are made of. */
export interface Grants {
  /** Ids of policies. */
  readonly policies: readonly string[];
  readonly serviceIdentities: readonly ServiceIdentity[];
  readonly nodeIdentities: readonly NodeIdentity[];
}

/** A token of before Consul 1.4, whose rules stand in itself. */
export interface LegacyToken {
  readonly name: string;
  readonly type: 'client' | 'management';
  readonly rules: string;
}

/** A token as it is stored, under the hash of its secret. */
export interface TokenRecord extends Grants {
  readonly accessor: string;
  /** `secretHash` of its secret. */
  readonly hash: string;
  /** Only of tokens made while `legacy` is on (decision 133). */
  readonly secret?: string;
  readonly description: string;
  /** Ids of roles. */
  readonly roles: readonly string[];
  readonly local: boolean;
  /** ISO time. */
  readonly createdAt: string;
  readonly expiresAt?: string;
  readonly legacy?: LegacyToken;
}

export interface PolicyRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** As it was given. */
  readonly rules: string;
  /** Datacenters in which it counts; empty = all. */
  readonly datacenters: readonly string[];
}

export interface RoleRecord extends Grants {
  readonly id: string;
  readonly name: string;
  readonly description: string;
}

/** A record with the revisions at which it was made and last changed. */
export interface Kept<Record> {
  readonly record: Record;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/** What stands for a secret wherever it is kept or compared. */
export function secretHash(secret: string): string {
  return hash('sha256', secret, 'hex');
}

const FAMILY = 'acl/';

/** Keys of the store (store.md 3). */
export const aclKey = {
  token: (secretHashed: string): string => `${FAMILY}tok/${secretHashed}`,
  accessor: (accessor: string): string => `${FAMILY}acc/${accessor}`,
  policy: (id: string): string => `${FAMILY}pol/${id}`,
  role: (id: string): string => `${FAMILY}role/${id}`,
  /** Who bootstrapped last, when. */
  boot: `${FAMILY}boot`,
  /** Put by each change, and compared by the next: names are unique and links lead somewhere. */
  turn: `${FAMILY}turn`,
} as const;

/** What reads of tokens, policies and roles hang on. */
export const aclTopic = { tokens: `${FAMILY}tok`, policies: `${FAMILY}pol`, roles: `${FAMILY}role` } as const;
