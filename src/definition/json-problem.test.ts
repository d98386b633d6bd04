import { parse } from '@humanwhocodes/momoa';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findJsonProblem, findTooDeep } from './json-problem.ts';
import type { JsonMode } from './json-tokens.ts';
import { SourceText } from './source-text.ts';

function explain(text: string, mode: JsonMode = 'jsonc'): string {
  const source = new SourceText(text);
  const problem = findJsonProblem(source, mode);
  if (problem === undefined) return 'fine';
  const { line, column } = source.positionOf(problem.offset);
  return `${line}:${column}: ${problem.message}${problem.hint === undefined ? '' : ` (${problem.hint})`}`;
}

describe('findJsonProblem() says', () => {
  test.each([
    ['', '1:1: the file is empty (a document begins with {)'],
    ['  \n // nothing\n', '3:1: the file is empty (a document begins with {)'],
    ['{"a": 1\n"b": 2}', `2:1: expected ',' before "b" (add a comma at the end of line 1)`],
    ['{"a": 1 "b": 2}', `1:9: expected ',' before "b" (add a comma after 1)`],
    ['{"a": {}\n\n"b": 2}', `3:1: expected ',' before "b" (add a comma at the end of line 1)`],
    ['["a"\n"b"]', `2:1: expected ',' before "b" (add a comma at the end of line 1)`],
    ['{"a": 1', `1:8: unexpected end of file, expected '}' (the '{' on line 1 is not closed)`],
    ['{"a": [1,\n 2', `2:3: unexpected end of file, expected ']' (the '[' on line 1 is not closed)`],
    ['{\n  "a": {\n    "b": 1\n  }\n', `4:4: unexpected end of file, expected '}' (the '{' on line 1 is not closed)`],
    ['{', `1:2: unexpected end of file, expected a key or '}' (the '{' on line 1 is not closed)`],
    ['{"a": 1,', `1:9: unexpected end of file, expected a key (the '{' on line 1 is not closed)`],
    ['{"a"', `1:5: unexpected end of file, expected ':' after "a" (the '{' on line 1 is not closed)`],
    ['{"a":', `1:6: unexpected end of file, expected a value for "a" (the '{' on line 1 is not closed)`],
    ['[1,', `1:4: unexpected end of file, expected a value (the '[' on line 1 is not closed)`],
    ['{"a" 1}', `1:6: expected ':' after "a" (write "a": …)`],
    ['{"a" = 1}', `1:6: expected ':' after "a" (write "a": …)`],
    ['{"a": }', `1:7: expected a value for "a" before '}'`],
    ['{"a":, "b": 1}', `1:6: expected a value for "a" before ','`],
    ['{"a":: 1}', `1:6: expected a value for "a" before ':'`],
    ['{: 1}', `1:2: expected a key before ':'`],
    ['{"a": 1,}', `1:8: unexpected ',' before '}' (remove the comma on line 1, or name the file .json5)`],
    ['{"a": 1,\n}', `1:8: unexpected ',' before '}' (remove the comma on line 1, or name the file .json5)`],
    ['[1, 2,]', `1:6: unexpected ',' before ']' (remove the comma on line 1, or name the file .json5)`],
    ['{"a": 1,, "b": 2}', `1:9: unexpected ',' (remove one of the two commas)`],
    ['[1,,2]', `1:4: unexpected ',' (remove one of the two commas)`],
    ['{,}', `1:2: expected a key, found ','`],
    ['{"a": [1}', `1:9: expected ']' before '}' (the '[' on line 1 is still open)`],
    ['{"a": 1]', `1:8: expected '}' before ']' (the '{' on line 1 is still open)`],
    ['{]', `1:2: expected a key, found ']' (the '{' on line 1 is still open)`],
    ['{"a": "b": 1}', `1:10: expected ',' or '}', found ':'`],
    ['{"a": 1; "b": 2}', `1:8: expected ',', found ';' (write a comma)`],
    ['{}}', `1:3: unexpected '}' (it closes nothing: remove it, or add what it closes)`],
    ['{}\n{}', `2:1: expected the end of the file, found '{' (one file holds one document)`],
    ['{} x', '1:4: expected the end of the file, found x'],
    ['}', `1:1: expected a value before '}'`],
    ["{'a': 1}", `1:2: expected a key in double quotes, found 'a' (write "a", or name the file .json5)`],
    [`{"a": 'b'}`, `1:7: expected a text in double quotes, found 'b' (write "b", or name the file .json5)`],
    ['{a: 1}', '1:2: expected a key in double quotes, found a (write "a", or name the file .json5)'],
    ['{1: 1}', '1:2: expected a key in double quotes, found 1 (write "1", or name the file .json5)'],
    ['{"a": True}', `1:7: unexpected True, expected a value (write true, or "True" if it is text)`],
    ['{"a": None}', `1:7: unexpected None, expected a value (write null, or "None" if it is text)`],
    ['{"a": production}', `1:7: unexpected production, expected a value (write "production" if it is text)`],
    ['{"a": constructor}', `1:7: unexpected constructor, expected a value (write "constructor" if it is text)`],
    ['{"a": 012}', '1:7: 012 is no number (put it in double quotes if it is text)'],
    ['{"a": 1.2.3}', '1:7: 1.2.3 is no number (put it in double quotes if it is text)'],
    ['{"a": .5}', '1:7: .5 is no number (write it in decimal digits, or name the file .json5)'],
    ['{"a": 0x1F}', '1:7: 0x1F is no number (write it in decimal digits, or name the file .json5)'],
    ['{"a": 10s}', '1:7: 10s is no number (put it in double quotes if it is text)'],
    ['{"a": "b}\n', '1:7: the text that begins here is not closed on its line (add " at its end)'],
    ['{"a: 1}', '1:2: the text that begins here is not closed on its line (add " at its end)'],
    ['{"a": "\t"}', '1:8: a tab inside a text (write \\t)'],
    ['{"a": "\u0001"}', '1:8: a control character inside a text (write \\u0001)'],
    ['{"a": "C:\\dir"}', '1:10: unknown escape \\d in a text (write \\\\ for a backslash)'],
    ['{"a": "\\u12"}', '1:8: unknown escape \\u in a text (write \\\\ for a backslash)'],
    ['{“a”: 1}', '1:2: unexpected “ (use straight quotes: ")'],
    ['{"a": 1 /* b }', '1:9: the comment that begins here is not closed (end it with */)'],
    ['{"a": 1,\n ...\n}', '2:2: unexpected "..." (remove it: it stands for what was left out)'],
    ['{"a": 1\n …}', '2:2: unexpected "…" (remove it: it stands for what was left out)'],
    ['{ # why\n}', `1:3: unexpected '#' (for a comment use // or name the file .yaml)`],
    ['# why\n{}', `1:1: unexpected '#' (for a comment use // or name the file .yaml)`],
    ['{"a": @}', '1:7: unexpected @, expected a value for "a"'],
    ['{"a": 1 @}', `1:9: expected ',' before @ (add a comma after 1)`],
    ['id: api', '1:1: unexpected id, expected a value (write "id" if it is text)'],
  ])('of %j: %s', (text, expected) => {
    expect(explain(text)).toBe(expected);
  });

  test.each([
    [`{'a': 1, b: .5, c: 0x1F, d: [1,], // why\n}`, 'fine'],
    ['{a: 1 b: 2}', `1:7: expected ',' before b (add a comma after 1)`],
    ['{a: hello}', '1:5: unexpected hello, expected a value (write "hello" if it is text)'],
    ['{a: -.5}', '1:5: -.5 is no number (write a 0 before the dot)'],
    ['{a: 1, "b', '1:8: the text that begins here is not closed on its line (add " at its end)'],
    ['[,]', `1:2: expected a value before ','`],
    ['{a: 1,,}', `1:7: unexpected ',' (remove one of the two commas)`],
    ['{# why\n}', `1:2: unexpected '#' (for a comment use // or name the file .yaml)`],
  ])('of the JSON5 text %j: %s', (text, expected) => {
    expect(explain(text, 'json5')).toBe(expected);
  });
});

const PIECES =
  String.raw`{~}~[~]~:~,~"a"~"b"~'c'~d~1~-2.5e3~.5~0x1~true~null~/*x*/~/~"~'~\~#~...~"\n"~"\x"~NaN~-Infinity~+1~-.5~5.~01~é`
    .split('~')
    .concat(' ', '\n', '\t', '//x\n');

describe('findJsonProblem() judges any text', () => {
  const piece = fc.constantFrom(...PIECES);
  const mangled = fc
    .tuple(fc.json({ maxDepth: 2 }), fc.nat(), fc.nat(3), fc.string({ maxLength: 2 }))
    .map(([json, at, count, insert]) => {
      const start = at % (json.length + 1);
      return json.slice(0, start) + insert + json.slice(start + count);
    });
  const pieces = fc.array(piece, { maxLength: 12 }).map((list) => list.join(''));
  const texts = fc.oneof(pieces, mangled);
  const refused = (text: string, mode: JsonMode): boolean => findJsonProblem(new SourceText(text), mode) !== undefined;

  test('as JSON.parse does, when it holds no comment', () => {
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(!/\/[/*]/.test(text));
        expect(refused(text, 'jsonc')).toBe(!isJson(text));
      }),
      { numRuns: 1_000 },
    );
  });

  test.each(['jsonc', 'json5'] as const)('so that the parser takes all %s that it lets through', (mode) => {
    fc.assert(
      fc.property(texts, (text) => {
        if (!refused(text, mode)) expect(() => parse(text, { mode })).not.toThrow();
      }),
      { numRuns: 1_000 },
    );
  });

  test('and takes as JSON5 whatever is JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => !refused(text, 'json5')),
      { numRuns: 100 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test.each([
  ['[[[]]]', 3, undefined],
  ['[[[]]]', 2, 2],
  ['["[[[["]', 1, undefined],
  ['[]// [[[\n', 1, undefined],
])('findTooDeep() in %j with %i levels gives %s', (text, levels, offset) => {
  expect(findTooDeep(new SourceText(text), 'jsonc', levels)).toBe(offset);
});
