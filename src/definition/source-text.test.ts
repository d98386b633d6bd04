import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SourceText } from './source-text.ts';

describe('SourceText.positionOf()', () => {
  test.each([
    ['', 0, [1, 1]],
    ['abc', 2, [1, 3]],
    ['abc', 99, [1, 4]],
    ['a\nb', 2, [2, 1]],
    ['a\r\nb', 3, [2, 1]],
    ['a\rb', 2, [2, 1]],
    ['a\n\n\nb', 4, [4, 1]],
    ['💥x', 2, [1, 2]],
  ])('of %j at %i is %j', (text, offset, [line, column]) => {
    expect(new SourceText(text).positionOf(offset)).toEqual({ line, column });
  });

  test('finds each character again in its line', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'é', '💥', '\n', '\r\n') }), (text) => {
        const source = new SourceText(text);
        for (let offset = 0; offset < text.length; offset++) {
          const { line, column } = source.positionOf(offset);
          const character = Array.from(source.line(line))[column - 1];
          if (character !== undefined && text.codePointAt(offset) === character.codePointAt(0)) continue;
          expect(/[\r\n\udc00-\udfff]/.test(text[offset] as string)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('SourceText.excerptAt()', () => {
  test('shows the line before, the line and a caret', () => {
    const text = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join('\n');
    expect(new SourceText(text).excerptAt({ line: 10, column: 6 })).toBe(
      '   9 | line 9\n  10 | line 10\n     |      ^',
    );
  });

  test('shows only the first line when the place is on it', () => {
    expect(new SourceText('{').excerptAt({ line: 1, column: 2 })).toBe('   1 | {\n     |  ^');
  });

  test('keeps tabs above the caret so that it stands under its character', () => {
    expect(new SourceText('\t"a" 1').excerptAt({ line: 1, column: 6 })).toBe('   1 | \t"a" 1\n     | \t    ^');
  });

  test('shows a window of a long line', () => {
    const excerpt = new SourceText(`${'a'.repeat(5_000)}X${'b'.repeat(5_000)}`).excerptAt({ line: 1, column: 5_001 });
    const [line = '', caret = ''] = excerpt.split('\n');
    expect(line.length).toBeLessThan(120);
    expect(line[caret.indexOf('^')]).toBe('X');
  });

  test('sends no control characters to the terminal', () => {
    expect(new SourceText('"\u001b[2J\u0007"').excerptAt({ line: 1, column: 1 })).toContain('"·[2J·"');
  });

  test.each([
    ['"DATABASE_URL": "mysql://user:hunter2@db/app"', 'hunter2'],
    ['"token": "hunter2",', 'hunter2'],
    ["api_key: 'hunter2'", 'hunter2'],
    ['DB_PASSWORD: hunter2', 'hunter2'],
    ['"encrypt" : "hun\\"ter2"', 'ter2'],
    ['password: "hunter2', 'hunter2'],
  ])('stars out the secret of %s', (line, secret) => {
    const excerpt = new SourceText(line).excerptAt({ line: 1, column: 1 });
    expect(excerpt).not.toContain(secret);
    expect(excerpt.split('\n')[0]?.length).toBe('   1 | '.length + line.length);
  });
});
