import { expect, test } from 'vitest';
import { LinearPattern } from './linear-pattern.ts';

test.each([
  ['a+', 'xaay', true],
  ['^a+$', 'xaay', false],
  ['(?i)^A$', 'a', true],
  [String.raw`^\d+\.\d+$`, '1.22', true],
  ['', '', true],
])('LinearPattern.test() finds /%s/ in %j: %s', (source, text, found) => {
  expect(new LinearPattern(source).test(text)).toBe(found);
});

test('LinearPattern.groups() gives what the groups caught, empty for one that caught nothing', () => {
  const pattern = new LinearPattern('^geo-(?:(db)|(web))-(.*?)$');
  expect(pattern.groups('geo-web-eu')).toEqual(['geo-web-eu', '', 'web', 'eu']);
  expect(pattern.groups('geo-mail-eu')).toBeUndefined();
});

test.each([
  ['(', 'missing closing )'],
  ['(?=a)', 'invalid or unsupported Perl syntax'],
  [String.raw`(a)\1`, 'invalid escape sequence'],
  ['a{1001}', 'invalid repeat count'],
  ['((a{100}){100}){100}', 'invalid repeat count'],
  [`${'('.repeat(2_000)}${')'.repeat(2_000)}`, 'expression nests too deeply'],
  ['a'.repeat(4_097), 'longer than 4096 characters'],
  ['(a|b|c){1000}', '3002 instructions, at most 1000 are run'],
])('LinearPattern() refuses %j', (source, why) => {
  expect(() => new LinearPattern(source)).toThrow(expect.objectContaining({ code: 'LIB_BAD_PATTERN' }));
  expect(() => new LinearPattern(source)).toThrow(why);
});

test('LinearPattern.test() takes time in proportion to the text for what backtracks without end elsewhere', () => {
  const text = `${'a'.repeat(50_000)}b`;
  const start = performance.now();
  for (const source of ['(a+)+$', '(a|aa)+$', '(.*a){12}$', '^(([a-z])+.)+[A-Z]([a-z])+$']) {
    expect(new LinearPattern(source).test(text)).toBe(false);
  }
  expect(performance.now() - start).toBeLessThan(2_000);
});
