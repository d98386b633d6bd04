import { expect, test } from 'vitest';
import { defineError } from './errors.ts';
import { formatDroverError, formatPlace } from './format-error.ts';

const syntax = defineError('DEFINITION_SYNTAX', 400, (what: string) => what);

test('formatDroverError() prints code, place, excerpt and hint when all are known', () => {
  const error = syntax.with(
    { place: { file: 'a.json', line: 10, column: 5 }, excerpt: '  10 |     "PORT"\n     |     ^', hint: 'add a comma' },
    `expected ',' before "PORT"`,
  );
  expect(formatDroverError(error)).toBe(
    `error DEFINITION_SYNTAX: a.json:10:5: expected ',' before "PORT"\n  10 |     "PORT"\n     |     ^\nhint: add a comma`,
  );
});

test('formatDroverError() prints one line when only the message is known', () => {
  expect(formatDroverError(syntax('no such file'))).toBe('error DEFINITION_SYNTAX: no such file');
});

test('formatDroverError() prints each problem, and counts those beyond twenty', () => {
  const problems = Array.from({ length: 22 }, (_, index) => syntax(`problem ${index}`));
  const lines = formatDroverError(syntax.with({ problems }, 'many')).split('\n');
  expect(lines).toHaveLength(21);
  expect(lines[0]).toBe('error DEFINITION_SYNTAX: problem 0');
  expect(lines.at(-1)).toBe('and 2 more');
});

test('formatDroverError() prints the same for an error that came over the wire', () => {
  const error = syntax.with({ place: { file: 'a.json', line: 1, column: 2 }, excerpt: 'x', hint: 'y' }, 'z');
  expect(formatDroverError(JSON.parse(JSON.stringify(error)))).toBe(formatDroverError(error));
});

test.each([
  [undefined, ''],
  [{ file: 'a.json' }, 'a.json'],
  [{ file: 'a.json', line: 3 }, 'a.json:3'],
  [{ line: 3, column: 4 }, '3:4'],
  [{ file: 'a.json', path: 'provides.X' }, 'a.json'],
  [{ path: 'provides.X' }, ''],
])('formatPlace() says %j', (place, text) => {
  expect(formatPlace(place)).toBe(text);
});
