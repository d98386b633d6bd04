import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DroverError } from '../lib/index.ts';
import { readDocument } from './document.ts';
import { validateDocument, validateValue } from './validate.ts';

const schema = z.strictObject({
  name: z.string().min(2),
  mode: z.enum(['fast', 'slow']).optional(),
  size: z.number().int().max(9).optional(),
  nested: z.array(z.strictObject({ interval: z.string() })).optional(),
  either: z.union([z.string(), z.strictObject({ path: z.string(), retries: z.number() })]).optional(),
  api_token: z.enum(['a', 'b']).optional(),
});

function messages(text: string, options = {}): string[] {
  try {
    validateDocument(readDocument(text, 'a.json5', options), schema);
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    const problems = error.problems.length > 0 ? error.problems : [error];
    return problems.map(({ place, message }) => `${place?.line}:${place?.column} ${message}`);
  }
  return [];
}

describe('validateDocument()', () => {
  test.each([
    ['{name: "ab"}', []],
    ['{}', ['1:1 the key "name" is missing']],
    ['[]', ['1:1 expected a map, found an empty list']],
    ['{name: 4}', ['1:8 name: expected text, found 4']],
    ['{name: "ab", mode: "fsat"}', ['1:20 mode: expected "fast" or "slow", found "fsat": did you mean "fast"?']],
    ['{name: "ab", size: 10}', ['1:20 size: expected at most 9, found 10']],
    ['{name: "ab", size: 1.5}', ['1:20 size: expected a whole number, found 1.5']],
    [
      '{name: "ab", nested: [{intervall: "x"}]}',
      [
        '1:23 nested[0]: the key "interval" is missing',
        '1:24 nested[0]: unknown key "intervall": did you mean "interval"?',
      ],
    ],
    ['{name: "ab", either: {path: "x", retries: "y"}}', ['1:43 either.retries: expected a number, found "y"']],
    [
      '{name: "ab", either: {path: "x", retires: 1}}',
      expect.arrayContaining(['1:34 either: unknown key "retires": did you mean "retries"?']),
    ],
    [
      '{name: "ab",\n colour: 1, sizes: 2}',
      ['2:2 unknown key "colour"', '2:13 unknown key "sizes": did you mean "size"?'],
    ],
    ['{name: "ab", either: 4}', ['1:22 either: expected text or a map, found 4']],
    ['{name: "ab", api_token: "hunter2"}', ['1:25 api_token: expected "a" or "b", found a text']],
  ])('of %s reports %j', (text, expected) => {
    expect(messages(text)).toEqual(expected);
  });

  test('shows no value of a secret document', () => {
    expect(messages('{name: "ab", mode: "hunter2"}', { secret: true })).toEqual([
      '1:20 mode: expected "fast" or "slow", found a text',
    ]);
  });

  test('throws one error that spells out the first of several', () => {
    expect(() => validateDocument(readDocument('{a: 1, b: 2, c: 3, name: "ab"}', 'f.json5'), schema)).toThrow(
      '3 problems: f.json5:1:2: unknown key "a"; f.json5:1:8: unknown key "b"; f.json5:1:14: unknown key "c"',
    );
  });
});

describe('validateValue()', () => {
  test('names the path when there is no file', () => {
    const error = (() => {
      try {
        return validateValue({ name: 'ab', nested: [{ interval: 4 }] }, schema);
      } catch (thrown) {
        return thrown as DroverError;
      }
    })();
    expect(error).toMatchObject({
      message: 'nested[0].interval: expected text, found 4',
      place: { path: 'nested[0].interval' },
    });
  });

  test('gives what the schema gives', () => {
    expect(validateValue({ name: 'ab' }, schema)).toEqual({ name: 'ab' });
  });
});
