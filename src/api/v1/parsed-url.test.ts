import { expect, test } from 'vitest';
import { UrlParser } from './parsed-url.ts';
import { Router } from './router.ts';

const parser = new UrlParser(new Router([{ path: 'kv/', methods: {} }]), '/v1/');

test('parse() gives route, argument as bytes and parameters', () => {
  const { match, argumentBytes, query } = parser.parse('/v1/kv/a%ff/b?raw&dc=x?y');
  expect([match?.route.path, argumentBytes, query.has('raw'), query.get('dc')]).toEqual([
    'kv/',
    'a\u00ff/b',
    true,
    'x?y',
  ]);
});

test('parse() says where nothing is, and what is broken', () => {
  expect(parser.parse('/v1/none').match).toBeUndefined();
  expect(parser.parse('/v1/kv/%').argumentBytes).toBeUndefined();
});

test('parse() keeps short URLs, but never one with a token', () => {
  const isKept = (url: string): boolean => parser.parse(url) === parser.parse(url);
  expect(['/v1/kv/a', '/v1/kv/a?token=x', `/v1/kv/${'a'.repeat(300)}`].map(isKept)).toEqual([true, false, false]);
});

test('parse() keeps a bounded number', () => {
  const first = parser.parse('/v1/kv/first');
  for (let n = 0; n < 1_100; n++) parser.parse(`/v1/kv/${n}`);
  expect(parser.parse('/v1/kv/first')).not.toBe(first);
});
