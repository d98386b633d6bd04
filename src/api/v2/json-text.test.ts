import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJsonText } from './json-text.ts';

test('parseJsonText() gives what JSON.parse gives', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseJsonText(text).value).toEqual(JSON.parse(text));
    }),
    { numRuns: 200 },
  );
});

test.each([
  ['{"environment": {"V": 1.10}}', ['environment', 'V'], '1.10'],
  ['[{"a": 12345678901234567890}]', [0, 'a'], '12345678901234567890'],
  ['{"a": 1e3}', ['a'], '1e3'],
  ['{"a": [1, -0]}', ['a', 1], '-0'],
])('parseJsonText(%s) knows how the number at %j was written', (text, path, written) => {
  expect(parseJsonText(text).writtenAt(path)).toBe(written);
});

test.each([
  ['{"a": 8080}', ['a']],
  ['{"a": "1.10"}', ['a']],
  ['{"a": 1.10}', ['b']],
  ['{"a": 1.10}', ['a', 'b', 'c']],
  ['[]', []],
])('parseJsonText(%s) knows nothing of %j', (text, path) => {
  expect(parseJsonText(text).writtenAt(path)).toBeUndefined();
});

test.each(['', '{', '{"a": 1,}', '{a: 1}', 'nul', '01'])('parseJsonText(%j) throws SyntaxError', (text) => {
  expect(() => parseJsonText(text)).toThrow(SyntaxError);
});

test('parseJsonText() throws RangeError when a text nests too deep, however deep', () => {
  for (const depth of [65, 100_000])
    expect(() => parseJsonText('['.repeat(depth) + ']'.repeat(depth))).toThrow(RangeError);
  expect(parseJsonText('['.repeat(64) + ']'.repeat(64)).value).toBeDefined();
});
