import { describe, expect, test } from 'vitest';
import { parseRules } from './parse-rules.ts';
import { selectorOf } from './rule.ts';

const said = (text: string, legacy = false): string[] =>
  parseRules(text, { from: 'policy p', legacy }).map((rule) => `${selectorOf(rule)} ${rule.level}`);

describe('parseRules()', () => {
  test.each([
    ['nothing', '', []],
    ['a comment alone', '# nobody may\n', []],
    ['a rule of one key', 'key "a" { policy = "write" }', ['key "a" write']],
    ['a rule of a prefix', 'key_prefix "a/" { policy = "list" }', ['key_prefix "a/" list']],
    ['a scalar', 'operator = "read"', ['operator read']],
    [
      'intentions and sentinel, which mean nothing',
      'service "a" { policy = "read" intentions = "write" }',
      ['service "a" read'],
    ],
    ['sentinel blocks', 'key "a" {\n policy = "deny"\n sentinel { code = "x" }\n}', ['key "a" deny']],
    [
      'every resource with a name',
      'agent "a" { policy = "read" }\nevent "a" { policy = "read" }\nnode_prefix "" { policy = "deny" }\nquery "q" { policy = "write" }\nsession_prefix "" { policy = "write" }',
      ['agent "a" read', 'event "a" read', 'node_prefix "" deny', 'query "q" write', 'session_prefix "" write'],
    ],
    [
      'JSON',
      '{"key_prefix":{"a/":{"policy":"read"},"b/":{"policy":"write"}},"operator":"read"}',
      ['key_prefix "a/" read', 'key_prefix "b/" write', 'operator read'],
    ],
    [
      'JSON with lists',
      ' { "key": [{"a": {"policy": "read"}}, {"b": {"policy": "deny"}}] } \n',
      ['key "a" read', 'key "b" deny'],
    ],
    ['empty JSON', '{}', []],
    ['names of any characters', 'key "ü \\"x\\" __proto__" { policy = "read" }', ['key "ü \\"x\\" __proto__" read']],
  ])('parseRules() takes %s', (_name, text, rules) => {
    expect(said(text)).toEqual(rules);
  });

  test('parseRules() takes names as prefixes when legacy', () => {
    expect(said('key "a" { policy = "read" }\nservice "" { policy = "write" }\noperator = "read"', true)).toEqual([
      'key_prefix "a" read',
      'service_prefix "" write',
      'operator read',
    ]);
  });

  test('parseRules() keeps where each rule stands', () => {
    const [rule] = parseRules('\n\n  key "a" { policy = "write" }', { from: 'policy ops' });
    expect(rule?.source).toEqual({ from: 'policy ops', place: { line: 3, column: 3 } });
  });

  test.each([
    ['an unknown resource', '\nkez "a" { policy = "read" }', '2:1: unknown resource "kez": did you mean key?'],
    [
      'a level that is none',
      'key "a" {\n  policy = "rread"\n}',
      '2:3: "rread" is no policy: one of deny, read, list, write',
    ],
    ['list for anything but keys', 'node "a" { policy = "list" }', '1:12: "list" is no policy'],
    ['a level that is no text', 'operator = 1', '1:1: what stands here is no policy'],
    ['a rule without a policy', 'key "a" { }', '1:1: a rule without a policy'],
    ['two policies in a rule', 'key "a" { policy = "deny" policy = "write" }', '1:27: policy stands twice'],
    ['unknown keys in a rule', 'key "a" { policy = "read" x = 1 }', '1:27: unknown key "x" in a rule'],
    [
      'intentions where there are none',
      'key "a" { policy = "read" intentions = "read" }',
      '1:27: unknown key "intentions"',
    ],
    ['a name without a rule', 'key = "read"', '1:1: key needs a name and a policy'],
    ['a scalar with a name', 'operator "a" { policy = "read" }', '1:1: operator takes no name'],
    ['several names', 'key "a" "b" { policy = "read" }', '1:1: key takes one name, not 2'],
    ['what is no HCL', 'key "a" {\n  policy = \n', '3:1: '],
    ['JSON with a level that is none', '{\n  "operator": "all"\n}', '2:3: "all" is no policy'],
    ['JSON that is not closed', '{"operator": "read"', '1:20: the { of the first line is not closed'],
    ['JSON of another form', '{"key": {"a": "read"}}', '1:10: key needs a name'],
    ['a name of the language', 'constructor "a" { policy = "read" }', '1:1: unknown resource "constructor"'],
  ])('parseRules() refuses %s', (_name, text, message) => {
    expect(() => said(text)).toThrow(`Failed to parse ACL rules: ${message}`);
  });
});
