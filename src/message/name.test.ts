import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldCase, formatLabel, formatName, nameOctets, octetsOf, parseName, textOf, whyNoName } from './name.ts';

test.each([
  ['.', []],
  ['consul.', ['consul']],
  ['web.service.consul', ['web', 'service', 'consul']],
  ['a\\.b.consul.', ['a.b', 'consul']],
  ['a\\\\b.', ['a\\b']],
  ['\\065\\000.', ['A\0']],
  ['\\..', ['.']],
  ['é.consul.', ['Ã©', 'consul']],
  ['with space.', ['with space']],
  [`${'x'.repeat(63)}.`, ['x'.repeat(63)]],
])('parseName() reads %j', (text, labels) => {
  expect(parseName(text)).toEqual(labels);
});

test.each([
  ['', 'a label is empty'],
  ['..', 'a label is empty'],
  ['a..b', 'a label is empty'],
  ['.a', 'a label is empty'],
  ['x'.repeat(64), 'longer than 63 octets'],
  [Array.from({ length: 64 }, () => 'xxx').join('.'), 'longer than 255 octets'],
  ['a\\', 'ends in a backslash'],
  ['a\\256', 'is no octet'],
  ['a\\25', 'is no octet'],
])('parseName() refuses %j', (text, why) => {
  expect(() => parseName(text)).toThrow(why);
});

test('formatName() escapes what would be read otherwise', () => {
  expect(formatName([])).toBe('.');
  expect(formatName(['a.b', 'c\\d', ' \xff'])).toBe('a\\.b.c\\\\d.\\032\\255.');
  expect(formatLabel('web_1-x')).toBe('web_1-x');
});

test('textOf() is the inverse of octetsOf()', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => textOf(octetsOf(text)) === text.toWellFormed()));
});

test('foldCase() touches ASCII letters only', () => {
  expect(foldCase('AbZ@[À\x01')).toBe('abz@[À\x01');
});

const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const label = fc.string({ unit: octet, minLength: 1, maxLength: 63 });
const labels = fc.array(label, { maxLength: 6 }).filter((some) => whyNoName(some) === null);

test('parseName() is the inverse of formatName()', () => {
  const check = (some: string[]): void => {
    expect(parseName(formatName(some))).toEqual(some);
  };
  fc.assert(fc.property(labels, check));
});

test('nameOctets() counts lengths and the root', () => {
  expect(nameOctets([])).toBe(1);
  expect(nameOctets(['staging', 'node', 'aws', 'consul'])).toBe(25);
});
