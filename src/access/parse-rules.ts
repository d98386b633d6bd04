import { isHclBody, nearest, parseHcl, type HclBody, type HclItem, type HclValue, type Place } from '../lib/index.ts';
import type { Resource } from './authority.ts';
import { badRules } from './errors.ts';
import { NAMED, SCALAR, type Rule, type RuleLevel } from './rule.ts';

const LEVELS: readonly string[] = ['deny', 'read', 'write'];
const KEY_LEVELS: readonly string[] = ['deny', 'read', 'list', 'write'];
const SELECTORS: readonly string[] = [...NAMED].flatMap((name) => [name, `${name}_prefix`]).concat([...SCALAR]);
/** More than any person writes, and few enough to compile in a moment. */
const MOST_RULES = 10_000;
const PREFIX = '_prefix';

export interface ParseRulesOptions {
  /** `policy ops`: whose rules they are. */
  readonly from: string;
  /** As before Consul 1.4: a name without `_prefix` is a prefix as well. */
  readonly legacy?: boolean;
}

/**
 * Reads the rules of a policy in HCL or JSON (consul-http-api 13).
 *
 * @example
 * parseRules('key_prefix "app/" { policy = "read" }', { from: 'policy ops' });
 * @throws ACCESS_BAD_RULES with line and column: what cannot be read, unknown resources, bad levels
 */
export function parseRules(text: string, options: ParseRulesOptions): readonly Rule[] {
  const rules = bodyOf(text).items.flatMap((item) => rulesOfItem(item, options));
  if (rules.length > MOST_RULES) throw badRules('1:1', `${rules.length} rules, at most ${MOST_RULES} are taken`);
  return Object.freeze(rules);
}

/** JSON is HCL between braces: without the outer ones everything stays at its place. */
function bodyOf(text: string): HclBody {
  const isJson = /^\s*\{/.test(text);
  if (isJson && !/\}\s*$/.test(text)) throw badRules(placeAtEnd(text), 'the { of the first line is not closed');
  const inner = isJson ? text.replace('{', ' ').replace(/\}(\s*)$/, ' $1') : text;
  try {
    return parseHcl(inner);
  } catch (error) {
    const [, where = '1:1', what = String(error)] = /^(\d+:\d+): (.*)$/s.exec((error as Error).message) ?? [];
    throw badRules.with({ cause: error }, where, what);
  }
}

function placeAtEnd(text: string): string {
  const lines = text.trimEnd().split('\n');
  return `${lines.length}:${(lines.at(-1) as string).length + 1}`;
}

function rulesOfItem(item: HclItem, options: ParseRulesOptions): Rule[] {
  const { key, labels, value, place } = item;
  if (SCALAR.has(key)) {
    if (labels.length > 0) throw wrong(place, `${key} takes no name: write ${key} = "read"`);
    return [ruleOf(item, { key, name: '', level: levelOf(value, place, LEVELS) }, options)];
  }
  if (!SELECTORS.includes(key)) throw wrong(place, unknownText(key));
  return namedItems(item).map((named) => {
    const level = policyOf(named, key);
    return ruleOf(named, { key, name: named.key, level }, options);
  });
}

/** `key "a" {…}` and JSON's `"key": {"a": {…}}`, each as an item whose key is the name. */
function namedItems({ key, labels, value, place }: HclItem): HclItem[] {
  if (labels.length > 1) throw wrong(place, `${key} takes one name, not ${labels.length}`);
  const [name] = labels;
  if (name !== undefined) return [{ key: name, labels: [], value, place }];
  const bodies = Array.isArray(value) ? (value as readonly HclValue[]) : [value];
  return bodies.flatMap((body) => {
    if (!isHclBody(body)) throw wrong(place, `${key} needs a name and a policy: ${key} "name" { policy = "read" }`);
    return body.items.map((item) => {
      if (item.labels.length > 0 || !isHclBody(item.value))
        throw wrong(item.place, `${key} needs a name and a policy: ${key} "name" { policy = "read" }`);
      return item;
    });
  });
}

function policyOf({ value, place }: HclItem, selector: string): RuleLevel {
  const resource = selector.replace(PREFIX, '');
  const levels = resource === 'key' ? KEY_LEVELS : LEVELS;
  let level: RuleLevel | undefined;
  for (const item of (value as HclBody).items) {
    if (item.key === 'policy') {
      // Which of two was meant nobody knows, and the weaker one may have been.
      if (level !== undefined) throw wrong(item.place, 'policy stands twice in this rule: leave one of them out');
      level = levelOf(item.value, item.place, levels);
    }
    // The mesh and Enterprise: what is written for Consul is taken, and means nothing here.
    else if (item.key === 'intentions' && resource === 'service') levelOf(item.value, item.place, LEVELS);
    else if (item.key !== 'sentinel')
      throw wrong(item.place, `unknown key ${JSON.stringify(item.key)} in a rule: policy says what may be done`);
  }
  if (level === undefined) throw wrong(place, 'a rule without a policy: write policy = "read"');
  return level;
}

function levelOf(value: HclValue, place: Place, levels: readonly string[]): RuleLevel {
  if (typeof value === 'string' && levels.includes(value)) return value as RuleLevel;
  const found = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : 'what stands here';
  throw wrong(place, `${found} is no policy: one of ${levels.join(', ')}`);
}

function ruleOf(
  { place }: HclItem,
  { key, name, level }: { readonly key: string; readonly name: string; readonly level: RuleLevel },
  { from, legacy = false }: ParseRulesOptions,
): Rule {
  const isPrefix = key.endsWith(PREFIX) || (legacy && NAMED.has(key));
  return Object.freeze({
    resource: key.replace(PREFIX, '') as Resource,
    match: isPrefix ? 'prefix' : 'exact',
    name,
    level,
    source: { from, place },
  });
}

function unknownText(key: string): string {
  const near = nearest(key, SELECTORS);
  const meant = near === undefined ? ` it is one of ${SELECTORS.join(', ')}` : ` did you mean ${near}?`;
  return `unknown resource ${JSON.stringify(key.slice(0, 40))}:${meant}`;
}

function wrong({ line = 1, column = 1 }: Place, what: string): Error {
  return badRules.with({ place: { line, column } }, `${line}:${column}`, what);
}
