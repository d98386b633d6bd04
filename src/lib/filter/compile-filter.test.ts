import { expect, test } from 'vitest';
import { compileFilter } from './compile-filter.ts';
import type { FilterFields } from './shape.ts';

const SHAPE = {
  Node: { Node: 'text', Meta: 'map' },
  Service: {
    ID: 'text',
    Port: 'number',
    Load: 'number',
    Tags: 'texts',
    Meta: 'map',
    EnableTagOverride: 'flag',
    TaggedAddresses: ['map', { Address: 'text', Port: 'number' }],
  },
  Checks: [{ CheckID: 'text', Status: 'text', ServiceTags: 'texts' }],
} as const satisfies FilterFields;

const ROW = {
  Node: { Node: 'n1', Meta: { rack: 'r-7', 'a.b': 'dotted', 'x/y': 'slash' } },
  Service: {
    ID: 'web "1"',
    Port: 8080,
    Load: 1.5,
    Tags: ['v2', 'primary'],
    Meta: { version: '2', constructor: 'mine' },
    EnableTagOverride: false,
    TaggedAddresses: { lan: { Address: '10.0.0.1', Port: 80 } },
  },
  Checks: [
    { CheckID: 'serfHealth', Status: 'passing', ServiceTags: [] },
    { CheckID: 'web', Status: 'warning', ServiceTags: ['v2'] },
  ],
};

test.each([
  ['Node.Node == n1', true],
  ['Node.Node=="n1"', true],
  ['Node.Node == `n1`', true],
  ['Node.Node != n1', false],
  ['Node.Node == "n2"', false],
  ['Node.Node == n-2.example:80/x', false],
  [String.raw`Service.ID == "web \"1\""`, true],
  [String.raw`Service.ID == "web \x221\u0022"`, true],
  ['Service.ID == `web "1"`', true],
  ['Service.Meta.version == 2', true],
  ['Service.Meta.missing == 2', false],
  ['Service.Meta.missing != 2', true],
  ['Service.Meta.missing == ""', true],
  ['Service.Meta.missing is empty', true],
  ['Service.Meta.toString is empty', true],
  ['Service.Meta.constructor == mine', true],
  ['Node.Meta.rack == "r-7"', true],
  ['Node.Meta["rack"] == "r-7"', true],
  ['Node.Meta[ `a.b` ] == dotted', true],
  ['"/Node/Meta/a.b" == dotted', true],
  ['"/Node/Meta/x~1y" == slash', true],
  ['Service.Port == 8080', true],
  ['Service.Port == "8080"', true],
  ['Service.Port == 0x1f90', true],
  ['Service.Port != 80', true],
  ['Service.Load == 1.5', true],
  ['Service.Load == -1.5', false],
  ['Service.EnableTagOverride == false', true],
  ['Service.EnableTagOverride == t', false],
  ['v2 in Service.Tags', true],
  ['"v2" in Service.Tags', true],
  ['v not in Service.Tags', true],
  ['Service.Tags contains primary', true],
  ['Service.Tags not contains primary', false],
  ['Service.Tags is empty', false],
  ['Service.Tags is not empty', true],
  ['"eb" in Service.ID', true],
  ['Service.ID contains eb', true],
  ['version in Service.Meta', true],
  ['toString in Service.Meta', false],
  ['Service.Meta is not empty', true],
  ['lan in Service.TaggedAddresses', true],
  ['Service.TaggedAddresses.lan.Address == 10.0.0.1', true],
  ['Service.TaggedAddresses["lan"].Port == 80', true],
  ['Service.TaggedAddresses.wan.Port == 0', true],
  ['Service.ID matches "^web"', true],
  ['Service.ID matches `"\\d"$`', true],
  [String.raw`Service.ID matches "\d"`, true],
  ['Service.ID not matches "^eb"', true],
  ['Checks.Status == warning', true],
  ['Checks.Status == critical', false],
  ['Checks.Status != passing', true],
  ['not (Checks.Status == warning)', false],
  ['v2 in Checks.ServiceTags', true],
  ['Checks is empty', false],
  ['not Node.Node == n1', false],
  ['not not Node.Node == n1', true],
  ['Node.Node == n2 or Node.Node == n1 and Service.Port == 8080', true],
  ['Node.Node == n1 or Node.Node == n1 and Service.Port == 1', true],
  ['(Node.Node == n1 or Node.Node == n1) and Service.Port == 1', false],
  ['not Node.Node == n2 and Service.Port == 8080', true],
  [' ( ( Node.Node == n1 ) )\n', true],
  ['Node.Node == and or Node.Node == or', false],
])('compileFilter() of %s is %s', (expression, matches) => {
  expect(compileFilter(expression, SHAPE)(ROW)).toBe(matches);
});

test('compileFilter() takes what a row lacks for empty, zero and false', () => {
  for (const expression of [
    'Node.Node == ""',
    'Service.Port == 0',
    'Service.EnableTagOverride == false',
    'Service.Tags is empty',
    'Service.Meta is empty',
    'Checks is empty',
    'Service.TaggedAddresses.lan.Address is empty',
  ]) {
    expect(compileFilter(expression, SHAPE)({})).toBe(true);
    expect(compileFilter(expression, SHAPE)({ Node: null, Service: null, Checks: null })).toBe(true);
  }
});

test.each([
  ['', '1:1: expected a selector or a value, not the end'],
  ['Node.Node', '1:10: expected ==, !=, in, contains, matches, is empty or one of these with not, not the end'],
  ['Node.Node = n1', '1:11: "=" can be no part of an expression'],
  ['Node.Node == ', '1:14: expected a value, not the end'],
  ['Node.Node == n1 Node.Node == n2', '1:17: expected and, or, or the end, not Node.Node'],
  ['(Node.Node == n1', '1:17: expected and, or, or ), not the end'],
  ['Node.Node == n1)', '1:16: expected and, or, or the end, not )'],
  ['Node.Node is full', '1:14: expected empty, not full'],
  ['Node.Node not equals n1', '1:15: expected in, contains or matches, not equals'],
  ['Node.Node == "n1', '1:14: this text has no closing quote'],
  ['Node.Node == `n1', '1:14: this text has no closing quote'],
  ['Node.Meta[a] == 1', '1:11: a quoted text was expected after ['],
  ['Node.Meta["a" == 1', '1:15: ] was expected'],
  [String.raw`Node.Node == "\ud800"`, String.raw`\ud800 names no character`],
  ['"Node" == n1', '1:1: a selector was expected, not the text "Node"'],
  ['Node.Nod == n1', 'Selector "Node.Nod" is not valid (did you mean Node?)'],
  ['Nowhere == n1', 'Selector "Nowhere" is not valid'],
  ['Node.Node.x == n1', 'Selector "Node.Node.x" is not valid'],
  ['Node.Meta.a.b == n1', 'Selector "Node.Meta.a.b" is not valid'],
  ['constructor == n1', 'Selector "constructor" is not valid'],
  ['Node == n1', 'Invalid match operator "Equal" for selector "Node": it takes none, name a field of it'],
  ['80 not in Service.Port', 'Invalid match operator "Not In" for selector "Service.Port": it takes Equal, Not Equal'],
  ['Service.Tags == v2', '"Equal" for selector "Service.Tags": it takes In, Not In, Is Empty, Is Not Empty'],
  ['Service.Tags matches v2', 'Invalid match operator "Matches" for selector "Service.Tags"'],
  ['Service.EnableTagOverride is empty', 'Invalid match operator "Is Empty"'],
  ['web in Checks', 'Invalid match operator "In" for selector "Checks": it takes Is Empty, Is Not Empty'],
  ['Service.Port == eighty', 'Selector "Service.Port" is compared with a number, not with "eighty"'],
  ['Service.EnableTagOverride == yes', 'is compared with true or false, not with "yes"'],
  ['Node.Node matches "("', 'error parsing regexp: missing closing ): `(`'],
])('compileFilter() refuses %j', (expression, message) => {
  expect(() => compileFilter(expression, SHAPE)).toThrow(message);
});

test('compileFilter() bounds what is nested and how long an expression is', () => {
  const nested = (depth: number): string => `${'('.repeat(depth)}Node.Node == n1${')'.repeat(depth)}`;
  expect(compileFilter(nested(256), SHAPE)(ROW)).toBe(true);
  for (const depth of [257, 1_000, 30_000]) {
    expect(() => compileFilter(nested(depth), SHAPE)).toThrow('brackets are at most 256 deep');
  }
  expect(() => compileFilter('not ('.repeat(10_000), SHAPE)).toThrow('brackets are at most 256 deep');
  expect(compileFilter(`${'not '.repeat(10_000)}Node.Node == n1`, SHAPE)(ROW)).toBe(true);
  const long = Array.from({ length: 2_500 }, () => 'Node.Node == n2').join(' or ');
  expect(compileFilter(long, SHAPE)(ROW)).toBe(false);
  expect(() => compileFilter(`${long} or ${long}`, SHAPE)).toThrow('at most 65536 characters');
  const patterns = (count: number): string => Array.from({ length: count }, () => 'Node.Node matches x').join(' or ');
  expect(compileFilter(patterns(16), SHAPE)(ROW)).toBe(false);
  expect(() => compileFilter(patterns(17), SHAPE)).toThrow('at most 16 regular expressions');
});
