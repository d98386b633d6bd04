import { expect, test } from 'vitest';
import { configurationManual } from './manual.ts';

test('configurationManual() says of every key what it means', () => {
  const rows = configurationManual()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(60);
  expect(rows.filter((row) => /\| *\|$/.test(row))).toEqual([]);
});

test('configurationManual() gives each key a form', () => {
  expect(configurationManual()).not.toContain('| anything |');
});
