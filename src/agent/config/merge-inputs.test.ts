import { expect, test } from 'vitest';
import { mergeInputs } from './merge-inputs.ts';

const cases: [what: string, inputs: object[], merged: object][] = [
  ['nothing', [], {}],
  ['the last scalar', [{ a: 1 }, { a: 2 }], { a: 2 }],
  ['what a later input leaves out', [{ a: 1 }, { a: undefined, b: 2 }], { a: 1, b: 2 }],
  ['maps key by key', [{ m: { a: 1, b: { c: 1 } } }, { m: { b: { d: 2 } } }], { m: { a: 1, b: { c: 1, d: 2 } } }],
  ['the last of a map and a scalar', [{ m: true }, { m: { a: 1 } }], { m: { a: 1 } }],
  ['runs without repetition', [{ runs: ['a', 'b'] }, { runs: ['b', 'c'] }], { runs: ['a', 'b', 'c'] }],
  ['the last of other lists', [{ command: ['a', 'b'] }, { command: ['c'] }], { command: ['c'] }],
];

test.each(cases)('mergeInputs() gives %s', (_what, inputs, merged) => {
  const before = structuredClone(inputs);
  expect(mergeInputs(inputs)).toEqual(merged);
  expect(inputs).toEqual(before);
});

test('mergeInputs() takes `__proto__` and `constructor` for keys like any other', () => {
  const hostile = JSON.parse('{"m": {"__proto__": {"polluted": "yes"}, "constructor": "c"}}') as { m: object };
  const merged = mergeInputs([{ m: {} }, hostile]);
  expect(Object.keys(merged.m ?? {})).toEqual(['__proto__', 'constructor']);
  expect(merged.m).not.toHaveProperty('polluted');
});
