import { expect, test } from 'vitest';
import { formatGoDuration, parseDuration, sayDuration } from './duration.ts';

test.each([
  ['10s', 10_000],
  ['1m30s', 90_000],
  ['250ms', 250],
  ['1.5h', 5_400_000],
  ['0', 0],
  ['.5s', 500],
  ['-2s', -2_000],
])('parseDuration() reads %s', (text, ms) => {
  expect(parseDuration(text)).toBeCloseTo(ms, 6);
});

test.each(['', '10', 's', '10x', '1m 30s', 'ten seconds', '1h-5m'])('parseDuration() refuses %j', (text) => {
  expect(() => parseDuration(text)).toThrow('invalid duration');
});

test('formatGoDuration() prints as Go does', () => {
  expect([0, 250, 10_000, 90_000, 5_400_000].map(formatGoDuration)).toEqual(['0s', '250ms', '10s', '1m30s', '1h30m0s']);
});

test('sayDuration() prints for people', () => {
  expect([1.234, 38, 1_234, 322_000].map(sayDuration)).toEqual(['1.2 ms', '38 ms', '1.2 s', '5 min 22 s']);
});
