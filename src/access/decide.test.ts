import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Level, Resource } from './authority.ts';
import { compileRules } from './compile-rules.ts';
import { decide, decideUnder } from './decide.ts';
import { parseRules } from './parse-rules.ts';
import { SCALAR, selectorOf, type Rule, type RuleLevel } from './rule.ts';

const rulesOf = (text: string, defaultPolicy: 'allow' | 'deny' = 'deny') =>
  compileRules(parseRules(text, { from: 'policy p' }), defaultPolicy);

describe('decide()', () => {
  const RULES = `
    key_prefix "" { policy = "read" }
    key_prefix "app/" { policy = "write" }
    key_prefix "app/secret/" { policy = "deny" }
    key "app/secret/open" { policy = "list" }
    service "web" { policy = "write" }
    node_prefix "" { policy = "read" }
    operator = "read"`;

  test.each<[Resource, string, Level, boolean, string | null]>([
    ['key', 'x', 'read', true, 'key_prefix ""'],
    ['key', 'x', 'list', false, 'key_prefix ""'],
    ['key', 'x', 'write', false, 'key_prefix ""'],
    ['key', 'app/x', 'write', true, 'key_prefix "app/"'],
    ['key', 'app/secret/x', 'read', false, 'key_prefix "app/secret/"'],
    ['key', 'app/secret/open', 'list', true, 'key "app/secret/open"'],
    ['key', 'app/secret/open', 'read', true, 'key "app/secret/open"'],
    ['key', 'app/secret/open', 'write', false, 'key "app/secret/open"'],
    ['key', 'app/secret/openly', 'read', false, 'key_prefix "app/secret/"'],
    ['service', 'web', 'write', true, 'service "web"'],
    ['service', 'web2', 'read', false, null],
    ['node', 'n', 'read', true, 'node_prefix ""'],
    ['operator', 'whatever', 'read', true, 'operator'],
    ['operator', '', 'write', false, 'operator'],
    ['mesh', '', 'read', true, 'operator'],
    ['acl', '', 'read', false, null],
    ['session', '__proto__', 'read', false, null],
  ])('decide() of %s %j to %s is %s', (resource, name, level, allowed, selector) => {
    const found = decide(rulesOf(RULES), resource, name, level);
    expect([found.allowed, found.rule === null ? null : selectorOf(found.rule)]).toEqual([allowed, selector]);
  });

  test('decide() goes by the default policy where no rule speaks, which never opens tokens and policies', () => {
    expect(decide(rulesOf('', 'allow'), 'key', 'a', 'write')).toEqual({ allowed: true, rule: null });
    expect(decide(rulesOf('', 'deny'), 'key', 'a', 'read')).toEqual({ allowed: false, rule: null });
    expect(decide(rulesOf('', 'allow'), 'acl', '', 'read')).toEqual({ allowed: false, rule: null });
    expect(decide(rulesOf('acl = "write"', 'deny'), 'acl', '', 'write').allowed).toBe(true);
  });

  test.each<[readonly RuleLevel[], RuleLevel]>([
    [['read', 'write'], 'write'],
    [['write', 'deny', 'read'], 'deny'],
    [['read', 'list'], 'list'],
    [['list', 'write'], 'write'],
    [['deny', 'write'], 'deny'],
  ])('of policies that say %j of the same name %s counts', (levels, strongest) => {
    const texts = levels.map((level) => `key "a" { policy = "${level}" }`);
    const rules = compileRules(
      texts.flatMap((text) => parseRules(text, { from: text })),
      'allow',
    );
    expect(decide(rules, 'key', 'a', 'read').rule?.level).toBe(strongest);
  });

  test('compileRules() gives equal ids to what decides the same, whatever policies it came from', () => {
    const one = 'key "a" { policy = "read" }';
    const other = 'key "b" { policy = "read" }';
    expect(rulesOf(`${one}\n${other}`).id).toBe(rulesOf(`${other}\n${one}\n${one}`).id);
    expect(rulesOf(one).id).not.toBe(rulesOf(other).id);
    expect(rulesOf(one).id).not.toBe(rulesOf(one, 'allow').id);
  });
});

describe('decideUnder()', () => {
  test.each([
    ['', 'a/', 'deny', false],
    ['', 'a/', 'allow', true],
    ['key_prefix "a/" { policy = "write" }', 'a/', 'deny', true],
    ['key_prefix "a/" { policy = "write" }', '', 'deny', false],
    ['key "a/" { policy = "write" }', 'a/', 'deny', false],
    ['key_prefix "a/" { policy = "write" }\nkey "a/x" { policy = "read" }', 'a/', 'deny', false],
    ['key_prefix "a/" { policy = "write" }\nkey "a/x" { policy = "read" }', 'a/y', 'deny', true],
    ['key_prefix "a/" { policy = "write" }\nkey_prefix "a/x/" { policy = "deny" }', 'a/', 'deny', false],
    ['key_prefix "a/b" { policy = "deny" }', 'a/', 'allow', false],
    ['key_prefix "b" { policy = "deny" }', 'a/', 'allow', true],
  ] as const)('decideUnder() of %j to write %j by default %s is %s', (text, prefix, defaultPolicy, allowed) => {
    expect(decideUnder(rulesOf(text, defaultPolicy), 'key', prefix, 'write').allowed).toBe(allowed);
  });
});

describe('against an evaluator that looks at every rule', () => {
  const STRENGTH: Readonly<Record<RuleLevel, number>> = { deny: 3, write: 2, list: 1, read: 0 };
  const RANK: Readonly<Record<RuleLevel, number>> = { deny: 0, read: 1, list: 2, write: 3 };

  function naive(rules: readonly Rule[], fallback: boolean, name: string, level: Level): boolean {
    const named = rules.filter((rule) => (rule.match === 'exact' ? rule.name === name : name.startsWith(rule.name)));
    const exact = named.filter((rule) => rule.match === 'exact');
    const longest = Math.max(...named.map((rule) => rule.name.length));
    const counting = exact.length > 0 ? exact : named.filter((rule) => rule.name.length === longest);
    const [strongest] = counting.toSorted((a, b) => STRENGTH[b.level] - STRENGTH[a.level]);
    return strongest === undefined ? fallback : RANK[strongest.level] >= RANK[level];
  }

  const name = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 4 });
  const rule = fc.record({
    resource: fc.constant<Resource>('key'),
    match: fc.constantFrom<Rule['match']>('exact', 'prefix'),
    name,
    level: fc.constantFrom<RuleLevel>('deny', 'read', 'list', 'write'),
    source: fc.constant({ from: 'p', place: null }),
  });
  const level = fc.constantFrom<Level>('read', 'list', 'write');

  test('decide() says the same, for any rules', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 12 }), fc.boolean(), name, level, (rules, open, asked, wanted) => {
        const compiled = compileRules(rules, open ? 'allow' : 'deny');
        expect(decide(compiled, 'key', asked, wanted).allowed).toBe(naive(rules, open, asked, wanted));
      }),
      { numRuns: 300 },
    );
  });

  test('decideUnder() allows only where every name below is allowed', () => {
    const below = name.map((rest) => rest);
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 8 }), fc.boolean(), name, below, (rules, open, prefix, rest) => {
        const compiled = compileRules(rules, open ? 'allow' : 'deny');
        fc.pre(decideUnder(compiled, 'key', prefix, 'write').allowed);
        expect(decide(compiled, 'key', prefix + rest, 'write').allowed).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

test('every scalar is asked for without a name', () => {
  for (const resource of SCALAR)
    expect(decide(rulesOf(`${resource} = "write"`), resource as Resource, 'any', 'write').allowed).toBe(true);
});
