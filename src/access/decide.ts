import type { Level, Resource } from './authority.ts';
import type { CompiledRules, RuleTable } from './compile-rules.ts';
import { SCALAR, type Rule, type RuleLevel } from './rule.ts';

/** What was decided, and by which rule; null = no rule names it, and the default policy decided. */
export interface Decision {
  readonly allowed: boolean;
  readonly rule: Rule | null;
}

const RANK: Readonly<Record<RuleLevel, number>> = { deny: 0, read: 1, list: 2, write: 3 };

/** What other resource speaks for one without a rule of its own. */
const FALLBACK: Readonly<Partial<Record<Resource, Resource>>> = { mesh: 'operator', peering: 'operator' };

/** May this be done? The exact rule decides, else that with the longest prefix, else the default policy. Pure. */
export function decide(rules: CompiledRules, resource: Resource, name: string, level: Level): Decision {
  const rule = findRule(rules, resource, SCALAR.has(resource) ? '' : name);
  if (rule === null) return { allowed: allowsByDefault(rules, resource), rule };
  return { allowed: RANK[rule.level] >= RANK[level], rule };
}

/** As `decide` for everything whose name begins with `prefix`: no rule below it may say less. Pure. */
export function decideUnder(rules: CompiledRules, resource: Resource, prefix: string, level: Level): Decision {
  const table = rules.tables.get(resource);
  const around = table === undefined ? null : longestPrefix(table, prefix);
  const forbids = (rule: Rule): boolean => RANK[rule.level] < RANK[level];
  if (around !== null ? forbids(around) : !allowsByDefault(rules, resource)) return { allowed: false, rule: around };
  for (const below of [table?.exact, table?.prefixes])
    for (const [name, rule] of below ?? [])
      if (name.startsWith(prefix) && forbids(rule)) return { allowed: false, rule };
  return { allowed: true, rule: around };
}

function findRule({ tables }: CompiledRules, resource: Resource, name: string): Rule | null {
  const table = tables.get(resource);
  const found = table === undefined ? null : (table.exact.get(name) ?? longestPrefix(table, name));
  const instead = FALLBACK[resource];
  return found ?? (instead === undefined ? null : (tables.get(instead)?.exact.get('') ?? null));
}

function longestPrefix({ prefixes, lengths }: RuleTable, name: string): Rule | null {
  for (const length of lengths) {
    const rule = length <= name.length ? prefixes.get(name.slice(0, length)) : undefined;
    if (rule !== undefined) return rule;
  }
  return null;
}

/** Tokens and policies are never open by default: who has them has everything. */
function allowsByDefault({ defaultPolicy }: CompiledRules, resource: Resource): boolean {
  return defaultPolicy === 'allow' && resource !== 'acl';
}
