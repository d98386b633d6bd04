import { expect, test } from 'vitest';
import { describeValue, formatPath, isSecretKey, maskUrls } from './describe.ts';

test.each([
  [[], ''],
  [['provides', 'API_URL'], 'provides.API_URL'],
  [['checks', 0, 'interval'], 'checks[0].interval'],
  [['environment', 'a b'], 'environment["a b"]'],
])('formatPath() of %j is %j', (path, text) => {
  expect(formatPath(path)).toBe(text);
});

test.each([
  ['ten', '"ten"'],
  [99_999, '99999'],
  [true, 'true'],
  [null, 'null'],
  [undefined, 'nothing'],
  [[], 'an empty list'],
  [[1], 'a list'],
  [{}, 'a map'],
  ['x'.repeat(100), `"${'x'.repeat(59)}…`],
  ['mysql://user:pw@db', '"mysql://user:**@db"'],
])('describeValue() of %j is %j', (value, text) => {
  expect(describeValue(value)).toBe(text);
});

test('describeValue() says only the type when the value is secret', () => {
  expect([describeValue('hunter2', true), describeValue(4, true)]).toEqual(['a text', 'a number']);
});

test.each(['token', 'DB_PASSWORD', 'secret', 'api_key', 'apiKey', 'encrypt', 'private_key', 'tokens'])(
  'isSecretKey() is true for %s',
  (key) => expect(isSecretKey(key)).toBe(true),
);

test.each(['id', 'requires', 'local_port', 'KEY', 'environment', 'passed'])('isSecretKey() is false for %s', (key) => {
  expect(isSecretKey(key)).toBe(false);
});

test.each([
  ['mysql://user:password@host:3306/db', 'mysql://user:********@host:3306/db'],
  ['redis://:p@ss@host', 'redis://:****@host'],
  ['http://host:9200/a', 'http://host:9200/a'],
  ['no url', 'no url'],
])('maskUrls() of %s is %s', (text, masked) => {
  expect(maskUrls(text)).toBe(masked);
});
