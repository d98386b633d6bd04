import { LinearPattern } from '../lib/index.ts';
import { badPrepared } from './errors.ts';
import type { PreparedQueryRecord, PreparedService } from './prepared-query.ts';

/** What a template's variables stand for, of the name that was asked for. */
interface Variables {
  readonly full: string;
  readonly prefix: string;
  readonly suffix: string;
  /** What the expression's groups caught; empty without a match. */
  readonly groups: readonly string[];
}

/**
 * The query that a template makes of a name which begins with the template's own.
 *
 * @example
 * // Name "geo-db", Service "mysql${name.suffix}": of "geo-db-eu" that is "mysql-eu".
 * @throws REGISTRY_BAD_PREPARED_QUERY for a variable that is none
 */
export function renderTemplate(
  record: PreparedQueryRecord,
  name: string,
  pattern: LinearPattern | undefined,
): PreparedQueryRecord {
  const prefix = record.name;
  const groups = pattern?.groups(name) ?? [];
  const variables = { full: name, prefix, suffix: name.slice(prefix.length), groups };
  const service = mapTexts(record.service, (text) => filled(text, variables));
  if (record.template?.removeEmptyTags !== true) return { ...record, service };
  return { ...record, service: { ...service, tags: service.tags.filter((tag) => tag !== '') } };
}

/** The expression of a template. @throws REGISTRY_BAD_PREPARED_QUERY */
export function patternOf({ template }: PreparedQueryRecord): LinearPattern | undefined {
  if (template === null || template.regexp === '') return undefined;
  try {
    return new LinearPattern(template.regexp);
  } catch (error) {
    throw badPrepared.with({ cause: error }, `Bad Regexp: ${(error as Error).message}`);
  }
}

function mapTexts(service: PreparedService, map: (text: string) => string): PreparedService {
  const all = (texts: readonly string[]): string[] => texts.map(map);
  const values = (texts: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, map(text)]));
  const { failover } = service;
  return {
    ...service,
    service: map(service.service),
    tags: all(service.tags),
    nodeMeta: values(service.nodeMeta),
    serviceMeta: values(service.serviceMeta),
    ignoreCheckIds: all(service.ignoreCheckIds),
    near: map(service.near),
    failover: { ...failover, datacenters: all(failover.datacenters) },
  };
}

/** `$${` stands for `${`; else a variable up to its closing brace, or to the end where there is none. */
const PLACE = /\$\$\{|\$\{([^}]*)(\}?)/g;

function filled(text: string, variables: Variables): string {
  if (!text.includes('${')) return text;
  return text.replaceAll(PLACE, (place: string, inner: string | undefined, closing: string) => {
    if (inner === undefined) return '${';
    const value = closing === '' ? undefined : valueOf(inner.trim(), variables);
    if (value === undefined) throw badPrepared(`Bad format '${text}': ${place} is no variable of a template`);
    return value;
  });
}

function valueOf(variable: string, { full, prefix, suffix, groups }: Variables): string | undefined {
  if (variable === 'name.full') return full;
  if (variable === 'name.prefix') return prefix;
  if (variable === 'name.suffix') return suffix;
  // The segment of the agent's gossip: Consul's only one is the empty one.
  if (variable === 'agent.segment') return '';
  const [, group] = /^match\(\s*(-?\d{1,9})\s*\)$/.exec(variable) ?? [];
  return group === undefined ? undefined : (groups[Number(group)] ?? '');
}
