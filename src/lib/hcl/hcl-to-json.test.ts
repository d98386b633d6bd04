import { expect, test } from 'vitest';
import { hclToJson } from './hcl-to-json.ts';
import { parseHcl } from './parse-hcl.ts';

test.each<[string, string, unknown]>([
  ['nests labels', 'key "a" { policy = "read" }', { key: { a: { policy: 'read' } } }],
  [
    'merges blocks whose labels differ',
    'key "a" { policy = "read" }\nkey "b" { policy = "deny" }',
    { key: { a: { policy: 'read' }, b: { policy: 'deny' } } },
  ],
  ['merges several labels', 'a "b" "c" {}\na "b" "d" {}', { a: { b: { c: {}, d: {} } } }],
  [
    'makes a list of blocks that say the same labels',
    'key "a" { policy = "read" }\nkey "a" { policy = "deny" }\nkey "b" {}',
    { key: { a: [{ policy: 'read' }, { policy: 'deny' }], b: {} } },
  ],
  [
    'makes a list of blocks without labels',
    'service { name = "a" }\nservice { name = "b" }\nservice { name = "c" }',
    { service: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
  ],
  [
    'makes a list of a block without and one with labels',
    'service { name = "a" }\nservice "web" { port = 1 }\nservice "api" { port = 2 }',
    { service: [{ name: 'a' }, { web: { port: 1 }, api: { port: 2 } }] },
  ],
  ['makes a list of a block in a block', 'a "b" {}\na "b" "c" {}', { a: { b: [{}, { c: {} }] } }],
  ['takes the last of attributes', 'a = 1\na = [2]\nb = [1]\nb = 3', { a: [2], b: 3 }],
  ['keeps an object of an attribute', 'key = { "a/" = { policy = "read" } }', { key: { 'a/': { policy: 'read' } } }],
  ['keeps objects in lists', 'a = [{ b = 1 }, { b = 2, b = 3 }]', { a: [{ b: 1 }, { b: 3 }] }],
])('hclToJson() %s', (_does, text, json) => {
  expect(hclToJson(parseHcl(text))).toEqual(json);
});
