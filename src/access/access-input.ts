import { parseRules } from './parse-rules.ts';
import { invalid } from './errors.ts';
import type { LegacyToken, NodeIdentity, ServiceIdentity } from './records.ts';

/** A policy or role by its id or its name. */
export interface LinkInput {
  readonly id?: string;
  readonly name?: string;
}

/** What a token or role is given. */
export interface GrantsInput {
  readonly policies: readonly LinkInput[];
  readonly serviceIdentities: readonly ServiceIdentity[];
  readonly nodeIdentities: readonly NodeIdentity[];
}

export interface TokenInput extends GrantsInput {
  /** A UUID; made when absent. */
  readonly accessor?: string;
  /** A UUID; made when absent. Any text of a legacy token. */
  readonly secret?: string;
  readonly description: string;
  readonly roles: readonly LinkInput[];
  readonly local: boolean;
  /** From now on; at least a minute, at most a day. */
  readonly expiresInMs?: number;
  /** ISO time within the same bounds. */
  readonly expiresAt?: string;
  readonly legacy?: LegacyToken;
}

export interface PolicyInput {
  readonly name: string;
  readonly description: string;
  readonly rules: string;
  readonly datacenters: readonly string[];
}

export interface RoleInput extends GrantsInput {
  readonly name: string;
  readonly description: string;
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const POLICY_NAME = /^[A-Za-z0-9_-]{1,128}$/;
const ROLE_NAME = /^[A-Za-z0-9_-]{1,256}$/;
/** Of services and nodes, as DNS can say them. */
const IDENTITY_NAME = /^[a-z0-9](?:[a-z0-9_-]{0,254}[a-z0-9])?$/;
const MOST_LINKS = 256;
const MOST_TEXT = 4_096;
const MIN_EXPIRY_MS = 60_000;
const MAX_EXPIRY_MS = 86_400_000;

/** @throws ACCESS_INVALID with what is wrong, ACCESS_BAD_RULES */
export function checkPolicy({ name, description, rules }: PolicyInput): void {
  if (name === '') throw invalid('Invalid Policy: no Name is set');
  if (!POLICY_NAME.test(name))
    throw invalid("Invalid Policy: invalid Name. Only alphanumeric characters, '-' and '_' are allowed, at most 128");
  checkText(description, 'Policy');
  parseRules(rules, { from: `policy ${name}` });
}

/** @throws ACCESS_INVALID */
export function checkRole({ name, description, ...grants }: RoleInput): void {
  if (name === '') throw invalid('Invalid Role: no Name is set');
  if (!ROLE_NAME.test(name))
    throw invalid("Invalid Role: invalid Name. Only alphanumeric characters, '-' and '_' are allowed, at most 256");
  checkText(description, 'Role');
  checkGrants(grants);
}

/** @throws ACCESS_INVALID, ACCESS_BAD_RULES; nothing of the secret is said */
export function checkToken({ accessor, secret, description, roles, legacy, ...grants }: TokenInput): void {
  if (accessor !== undefined && !UUID.test(accessor)) throw invalid('Invalid Token: AccessorID is not a valid UUID');
  if (secret !== undefined && !(legacy === undefined ? UUID : /^[\u0021-\u007e]{1,255}$/).test(secret))
    throw invalid(
      `Invalid Token: SecretID is not ${legacy === undefined ? 'a valid UUID' : 'plain text without blanks'}`,
    );
  checkText(description, 'Token');
  if (roles.length > MOST_LINKS) throw invalid(`Invalid Token: more than ${MOST_LINKS} roles`);
  checkGrants(grants);
  if (legacy !== undefined) parseRules(legacy.rules, { from: 'token', legacy: true });
}

/** When a token ends, as an ISO time; undefined for never. @throws ACCESS_INVALID */
export function expiryOf({ expiresInMs, expiresAt }: TokenInput, nowMs: number): string | undefined {
  if (expiresInMs !== undefined && expiresAt !== undefined)
    throw invalid('Invalid Token: ExpirationTTL and ExpirationTime cannot both be set');
  const lastsMs = expiresInMs ?? (expiresAt === undefined ? undefined : Date.parse(expiresAt) - nowMs);
  if (lastsMs === undefined) return undefined;
  if (Number.isNaN(lastsMs)) throw invalid('Invalid Token: ExpirationTime is no time');
  if (lastsMs < MIN_EXPIRY_MS) throw invalid('Invalid Token: Expiration Time cannot be less than 1m0s in the future');
  if (lastsMs > MAX_EXPIRY_MS)
    throw invalid('Invalid Token: Expiration Time cannot be more than 24h0m0s in the future');
  return new Date(nowMs + lastsMs).toISOString();
}

function checkGrants({ policies, serviceIdentities, nodeIdentities }: GrantsInput): void {
  if (policies.length + serviceIdentities.length + nodeIdentities.length > MOST_LINKS)
    throw invalid(`more than ${MOST_LINKS} policies and identities`);
  for (const { serviceName } of serviceIdentities)
    if (!IDENTITY_NAME.test(serviceName))
      throw invalid(
        `Service identity ${JSON.stringify(serviceName)} has an invalid name. Only lowercase alphanumeric characters, '-' and '_' are allowed`,
      );
  for (const { nodeName, datacenter } of nodeIdentities) {
    if (!IDENTITY_NAME.test(nodeName))
      throw invalid(
        `Node identity ${JSON.stringify(nodeName)} has an invalid name. Only lowercase alphanumeric characters, '-' and '_' are allowed`,
      );
    if (datacenter === '') throw invalid(`Node identity ${JSON.stringify(nodeName)} has no Datacenter`);
  }
}

function checkText(text: string, what: string): void {
  if (text.length > MOST_TEXT) throw invalid(`Invalid ${what}: a description of more than ${MOST_TEXT} characters`);
}
