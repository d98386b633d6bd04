import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DroverError } from '../errors.ts';
import { hclToJson } from './hcl-to-json.ts';
import { parseHcl } from './parse-hcl.ts';
import { type HclBody, type HclValue, isHclBody } from './value.ts';

/** Any code units, halves of surrogate pairs among them; fast-check's own take a second to set up. */
const units = fc
  .array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff)), { maxLength: 30 })
  .map((codes) => String.fromCharCode(...codes));
const word = fc
  .array(fc.constantFrom('a', 'é', '😀', '"', '\\', '$', '{', '\n', '\u0007', '中', "'"), { maxLength: 6 })
  .map((parts) => parts.join(''));

/** The value of `v = …`. */
function valueOf(text: string): unknown {
  return hclToJson(parseHcl(`v = ${text}`)).v;
}

test('parseHcl() keeps blocks, labels, attributes and places in order', () => {
  const body = parseHcl('key_prefix "a/" {\n  policy = "read"\n}\nkey_prefix "a/" { }\noperator = "read"');
  expect(body).toEqual({
    place: { line: 1, column: 1 },
    items: [
      {
        key: 'key_prefix',
        labels: ['a/'],
        place: { line: 1, column: 1 },
        value: {
          place: { line: 1, column: 17 },
          items: [{ key: 'policy', labels: [], value: 'read', place: { line: 2, column: 3 } }],
        },
      },
      {
        key: 'key_prefix',
        labels: ['a/'],
        place: { line: 4, column: 1 },
        value: { place: { line: 4, column: 17 }, items: [] },
      },
      { key: 'operator', labels: [], place: { line: 5, column: 1 }, value: 'read' },
    ],
  });
});

test.each<[string, unknown]>([
  ['"a"', 'a'],
  [String.raw`"\a\b\f\n\r\t\v\\\""`, '\u0007\b\f\n\r\t\v\\"'],
  [String.raw`"\x41\101\u00e9\U0001F600"`, 'AAé😀'],
  ['"ä 😀 中"', 'ä 😀 中'],
  ['"${var.a["x"]} and {"', '${var.a["x"]} and {'],
  ['"$5"', '$5'],
  ['<<EOF\none\n  two "x" \\n\nEOF', 'one\n  two "x" \\n\n'],
  ['<<-EOF\n    one\n      two\n    EOF\n', 'one\n  two\n'],
  ['<<-EOF\n  one\n    EOF\n', '  one\n'],
  ['<<EOF\r\none\r\nEOF\r\n', 'one\r\n'],
  ['<<EOF\nEOF', ''],
  ['0', 0],
  ['42', 42],
  ['-7', -7],
  ['1.5', 1.5],
  ['1.5e3', 1500],
  ['0x1F', 31],
  ['017', 15],
  ['true', true],
  ['false', false],
  ['null', null],
  ['[]', []],
  ['[1, "a", true,]', [1, 'a', true]],
  ['[\n  # one\n  1,\n  [2], // two\n  { a = 3 } /* three */\n]', [1, [2], { a: 3 }]],
  ['{}', {}],
  ['{ a = 1, "b c" = 2, d : 3, }', { a: 1, 'b c': 2, d: 3 }],
  ['{ a = 1\n b { c = 2 } }', { a: 1, b: { c: 2 } }],
])('parseHcl() reads the value %s', (text, value) => {
  expect(valueOf(text)).toEqual(value);
});

test.each<[string, Record<string, unknown>]>([
  ['', {}],
  [' # nothing\n// at /* all\n/* here\n */ ', {}],
  ['\u{feff}a = 1', { a: 1 }],
  ['a = 1 b = 2, c = 3', { a: 1, b: 2, c: 3 }],
  ['"a b" = 1\nnode_meta.x-1 = 2', { 'a b': 1, 'node_meta.x-1': 2 }],
  ['service web { port = 1 }', { service: { web: { port: 1 } } }],
  [
    '__proto__ { a = 1 }\nconstructor = 2',
    Object.fromEntries([
      ['__proto__', { a: 1 }],
      ['constructor', 2],
    ]),
  ],
])('parseHcl() reads %j', (text, json) => {
  expect(hclToJson(parseHcl(text))).toEqual(json);
});

test.each([
  ['a', '1:2: = or { was expected, not the end of the text'],
  ['a =', '1:4: a value was expected, not the end of the text'],
  ['a = b', '1:5: a value was expected, not "b"'],
  ['a = 1\n}', '2:1: a name was expected, not "}"'],
  ['a {\n', '1:3: this { has no }'],
  ['a "b" = 1', '1:7: { was expected: only a block has labels'],
  ['a = [1 2]', '1:8: , or ] was expected, not "2"'],
  ['a = [1,', '1:5: this [ has no ]'],
  ['= 1', '1:1: a name was expected, not "="'],
  ['a = "b', '1:5: this text has no closing quote'],
  ['a = "b\n"', '1:7: a closing quote was expected before the end of the line'],
  [String.raw`a = "\q"`, String.raw`1:6: \q is no escape`],
  [String.raw`a = "\ud800"`, '1:6: this escape names no character'],
  [String.raw`a = "\xff"`, '1:6: this escape names no character'],
  [String.raw`a = "\u12"`, '1:6: this escape names no character'],
  [String.raw`a = "\U00110000"`, '1:6: this escape names no character'],
  ['a = "${b"', '1:6: this ${ has no closing brace'],
  ['a = <<EOF\nb', '1:5: a line EOF was expected that ends this text'],
  ['a = << EOF\nEOF', '1:5: a word and the end of the line were expected after <<'],
  ['a = 1x', '1:5: a value was expected, not "1x"'],
  ['a = 08', '1:5: 08 is no number'],
  ['a = 1e999', '1:5: 1e999 is no number'],
  ['a = 1 /* b', '1:7: this comment has no end'],
])('parseHcl() tells where %j is wrong', (text, message) => {
  expect(() => parseHcl(text)).toThrow(expect.objectContaining({ code: 'LIB_BAD_HCL', message }));
});

test('parseHcl() reads 64 levels and no more, whatever they are made of', () => {
  const lists = (levels: number): string => `v = ${'['.repeat(levels)}${']'.repeat(levels)}`;
  expect(() => parseHcl(lists(64))).not.toThrow();
  for (const text of [
    lists(65),
    lists(400_000),
    'a {'.repeat(300_000),
    'a = {'.repeat(200_000),
    `a ${'b '.repeat(500_000)}{}`,
  ]) {
    expect(() => parseHcl(text)).toThrow('at most 64 levels are read');
  }
  expect(() => parseHcl(' '.repeat(1_048_577))).toThrow('1:1: at most 1 MiB is read');
});

test('parseHcl() throws LIB_BAD_HCL or nothing for any text', () => {
  const token = fc.constantFrom(
    'a',
    '"b"',
    '{',
    '}',
    '[',
    ']',
    '=',
    ',',
    '\n',
    '#',
    '/*',
    '*/',
    '<<A\n',
    'A\n',
    '1',
    '-',
    '\\',
    '"',
    '${',
    'true',
  );
  const texts = fc.oneof(
    units,
    fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join(' ')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        hclToJson(parseHcl(text));
      } catch (error) {
        expect(error).toBeInstanceOf(DroverError);
        expect((error as DroverError).code).toBe('LIB_BAD_HCL');
        expect((error as DroverError).message).toMatch(/^\d+:\d+: /);
      }
    }),
    { numRuns: 200 },
  );
});

test('parseHcl() reads what was printed', () => {
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      word,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(word, tie('value'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(value, (each) => {
      expect(plain(parseHcl(`v = ${printed(each)}`).items[0]?.value ?? null)).toEqual(each);
    }),
  );
});

function printed(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('${', String.raw`\u0024{`);
  if (Array.isArray(value)) return `[${value.map(printed).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${printed(key)} = ${printed(each)}`)
    .join('\n')} }`;
}

function plain(value: HclValue): unknown {
  if (isHclBody(value))
    return Object.fromEntries((value as HclBody).items.map((item) => [item.key, plain(item.value)]));
  return Array.isArray(value) ? value.map((each) => plain(each as HclValue)) : value;
}
