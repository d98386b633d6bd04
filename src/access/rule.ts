import type { Place } from '../lib/index.ts';
import type { Resource } from './authority.ts';

/** What a rule says of what it names; `list` is of keys only. */
export type RuleLevel = 'deny' | 'read' | 'list' | 'write';

/** One rule: what it names, and what may be done to that. */
export interface Rule {
  readonly resource: Resource;
  /** `exact` names one thing, `prefix` all whose names begin so; scalar resources are `exact` with an empty name. */
  readonly match: 'exact' | 'prefix';
  readonly name: string;
  readonly level: RuleLevel;
  readonly source: RuleSource;
}

/** Where a rule comes from, for people. */
export interface RuleSource {
  /** `policy ops`, `service identity web`. */
  readonly from: string;
  /** Within the rules of a policy; null for what has no text. */
  readonly place: Place | null;
}

/** Resources with names; each has rules of its own and, with `_prefix`, for all names that begin so. */
export const NAMED: ReadonlySet<string> = new Set<Resource>([
  'agent',
  'event',
  'key',
  'node',
  'query',
  'service',
  'session',
]);

/** Resources without names. */
export const SCALAR: ReadonlySet<string> = new Set<Resource>(['acl', 'keyring', 'mesh', 'operator', 'peering']);

/** A rule as it is written, `key_prefix "app/"`. */
export function selectorOf({ resource, match, name }: Pick<Rule, 'resource' | 'match' | 'name'>): string {
  if (SCALAR.has(resource)) return resource;
  return `${resource}${match === 'prefix' ? '_prefix' : ''} ${JSON.stringify(name)}`;
}
