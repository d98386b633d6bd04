import { digest } from '../lib/index.ts';
import type { Resource } from './authority.ts';
import { selectorOf, type Rule, type RuleLevel } from './rule.ts';

/** The rules of one resource, ready to be asked. */
export interface RuleTable {
  readonly exact: ReadonlyMap<string, Rule>;
  readonly prefixes: ReadonlyMap<string, Rule>;
  /** How long its prefixes are, the longest first. */
  readonly lengths: readonly number[];
}

/** Rules ready to be asked; equal ids decide the same. */
export interface CompiledRules {
  readonly id: string;
  readonly defaultPolicy: 'allow' | 'deny';
  readonly tables: ReadonlyMap<Resource, RuleTable>;
}

/** Which of several rules with the same selector counts: deny before write before list before read. */
const STRENGTH: Readonly<Record<RuleLevel, number>> = { deny: 3, write: 2, list: 1, read: 0 };

/** Rules of several policies together. Pure. */
export function compileRules(rules: readonly Rule[], defaultPolicy: 'allow' | 'deny'): CompiledRules {
  const strongest = new Map<string, Rule>();
  for (const rule of rules) {
    const selector = selectorOf(rule);
    const known = strongest.get(selector);
    if (known === undefined || STRENGTH[rule.level] > STRENGTH[known.level]) strongest.set(selector, rule);
  }
  const tables = new Map<Resource, { exact: Map<string, Rule>; prefixes: Map<string, Rule> }>();
  for (const rule of strongest.values()) {
    const table = tables.get(rule.resource) ?? { exact: new Map(), prefixes: new Map() };
    tables.set(rule.resource, table);
    (rule.match === 'exact' ? table.exact : table.prefixes).set(rule.name, rule);
  }
  const said = [...strongest].map(([selector, { level }]) => `${selector} ${level}`).toSorted();
  return {
    id: digest([defaultPolicy, said]),
    defaultPolicy,
    tables: new Map([...tables].map(([resource, table]) => [resource, { ...table, lengths: lengthsOf(table) }])),
  };
}

function lengthsOf({ prefixes }: Pick<RuleTable, 'prefixes'>): number[] {
  return [...new Set([...prefixes.keys()].map((prefix) => prefix.length))].toSorted((a, b) => b - a);
}
