import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRoutable, type Health } from '../../registry/index.ts';
import { healthWord } from './health-word.ts';

test.each<[string, Health[]]>([
  ['none', []],
  ['passing', ['passing', 'passing']],
  ['warning', ['passing', 'warning']],
  ['warning', ['warning']],
  ['critical', ['critical', 'critical']],
  ['maintenance', ['maintenance']],
  ['unknown', ['unknown', 'unknown']],
  ['draining', ['draining']],
  ['critical', ['maintenance', 'unknown']],
  ['2 of 3 passing', ['passing', 'critical', 'warning']],
  ['1 of 2 passing', ['maintenance', 'passing']],
])('healthWord() is "%s" for %j', (word, healths) => {
  expect(healthWord(healths)).toBe(word);
});

test('healthWord() is passing or warning exactly when every instance gets traffic', () => {
  const health = fc.constantFrom<Health>('passing', 'warning', 'unknown', 'critical', 'draining', 'maintenance');
  fc.assert(
    fc.property(fc.array(health, { minLength: 1, maxLength: 5 }), (healths) => {
      expect(['passing', 'warning'].includes(healthWord(healths))).toBe(healths.every(isRoutable));
    }),
  );
});
