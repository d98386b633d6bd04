import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineDiff } from './line-diff.ts';

const lines = fc
  .array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 8 })
  .map((all) => all.map((one) => `${one}\n`).join(''));

test('lineDiff() leads from the one text to the other, and keeps what is common', () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const diff = lineDiff(before, after);
      const side = (sign: string): string =>
        diff
          .filter((one) => one.sign !== sign)
          .map(({ text }) => `${text}\n`)
          .join('');
      expect([side('+'), side('-')]).toEqual([before, after]);
      if (before === after) expect(diff.every(({ sign }) => sign === ' ')).toBe(true);
    }),
  );
});

test.each([
  ['a\nb\nc', 'a\nx\nc\n', [' a', '-b', '+x', ' c']],
  ['', 'a', ['+a']],
  ['a\n', '', ['-a']],
  ['a\nb', 'b\na', ['-a', ' b', '+a']],
])('lineDiff(%j, %j)', (before, after, expected) => {
  expect(lineDiff(before, after).map(({ sign, text }) => sign + text)).toEqual(expected);
});

test('lineDiff() shows large texts one after the other', () => {
  const text = (word: string): string => Array.from({ length: 3_000 }, (_, at) => `${word}${at}`).join('\n');
  expect(lineDiff(text('a'), text('b'))).toHaveLength(6_000);
});
