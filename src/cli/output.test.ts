import { describe, expect, test } from 'vitest';
import { openOutput, table } from './output.ts';
import { plainText } from './plain-text.ts';
import { FakeHost } from './testing.ts';

describe('table()', () => {
  test('aligns columns and leaves no space at the end', () => {
    expect(
      table(
        ['a', 'long'],
        [
          ['wide one', ''],
          ['x', 'y'],
        ],
      ),
    ).toEqual(['a         long', 'wide one', 'x         y']);
  });

  test('is nothing without rows', () => {
    expect(table(['a'], [])).toEqual([]);
  });

  test('keeps a cell on its line, and within 120 characters', () => {
    const [, line] = table(['a', 'b'], [[`x\ny\t${'z'.repeat(200)}`, '\u001B[31m']]);
    expect(line).toBe(`x y ${'z'.repeat(115)}…  \\u{1b}[31m`);
  });
});

test('plainText() writes out controls and what turns text around, and nothing else', () => {
  expect(plainText('a\tb\nü 漢 😀')).toBe('a\tb\nü 漢 😀');
  expect(plainText('\u0000\r\u007F\u009B\u200F\u2067')).toBe('\\u{0}\\u{d}\\u{7f}\\u{9b}\\u{200f}\\u{2067}');
});

describe('openOutput()', () => {
  test('gives people lines, and programs the value', () => {
    const [plain, json] = [new FakeHost(), new FakeHost()];
    for (const [host, isJson] of [
      [plain, false],
      [json, true],
    ] as const) {
      const output = openOutput(host, isJson);
      output.data({ a: 1 }, ['one', 'two\u001B']);
      output.say('by the way');
      output.raw(Buffer.from([0xff]));
    }
    expect(plain.out.toString('latin1')).toBe('one\ntwo\\u{1b}\n\u00FF');
    expect(plain.err).toBe('by the way\n');
    expect(json.out.toString('latin1')).toBe('{\n  "a": 1\n}\n\u00FF');
    expect(json.err).toBe('{"message":"by the way"}\n');
  });
});
