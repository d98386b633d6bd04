import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Query } from './query.ts';

test.each([
  ['passing', 'passing', ''],
  ['passing=1', 'passing', '1'],
  ['a=1&a=2', 'a', '1'],
  ['a=b=c', 'a', 'b=c'],
  ['a%20b=c+d', 'a b', 'c d'],
  ['a=%2B', 'a', '+'],
  ['a=%zz', 'a', '%zz'],
  ['a=%C3%A7', 'a', 'ç'],
  ['a=\u00c3\u00a7', 'a', 'ç'],
  ['&&a=1&', 'a', '1'],
  ['=1', '', '1'],
])('parse(%s).get(%j) is %j', (text, name, value) => {
  expect(Query.parse(text).get(name)).toBe(value);
});

test('get() and has() say when there is none', () => {
  const query = Query.parse('passing&index=1');
  expect([query.get('wait'), query.has('wait'), query.has('passing'), query.isEmpty]).toEqual([
    null,
    false,
    true,
    false,
  ]);
  expect([Query.parse('').isEmpty, Query.parse('&').isEmpty]).toEqual([true, true]);
});

test('getAll() gives each value once', () => {
  expect(Query.parse('tag=a&x=1&tag=b&tag=a').getAll('tag')).toEqual(['a', 'b']);
});

test('toString() is encoded again, with names in order', () => {
  expect(Query.parse('release=b&acquire=a%20b').toString()).toBe('acquire=a+b&release=b');
});

test('parse() reads what URLSearchParams writes', () => {
  const pairs = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.string()), { selector: ([name]) => name });
  fc.assert(
    fc.property(pairs, (given) => {
      const query = Query.parse(new URLSearchParams(given).toString());
      expect(given.map(([name]) => query.get(name))).toEqual(given.map(([, value]) => value));
    }),
    { numRuns: 200 },
  );
});

test('toString() leaves a token out: it stands in errors', () => {
  expect(Query.parse('release=s&token=secret&cas=1').toString()).toBe('cas=1&release=s');
});
