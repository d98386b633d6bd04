import { expect, test } from 'vitest';
import { firstAsk, nextAsk, showUrl } from './http-ask.ts';

test('firstAsk() sends what the definition says', () => {
  const ask = firstAsk({
    http: 'http://127.0.0.1:80/status',
    method: 'put',
    header: { 'X-Probe': ['a', 'b'], Host: ['api.example.com'] },
    body: 'é',
  });
  expect(ask.method).toBe('PUT');
  expect(ask.headers).toMatchObject({
    'x-probe': ['a', 'b'],
    host: 'api.example.com',
    'content-length': '2',
    accept: 'text/plain, text/*, */*',
  });
});

test("firstAsk() lets the definition's headers win", () => {
  expect(firstAsk({ http: 'http://a/', header: { 'User-Agent': ['probe'] } }).headers['user-agent']).toEqual(['probe']);
});

const posted = firstAsk({
  http: 'http://a:80/x',
  method: 'POST',
  header: { Authorization: ['secret'], 'X-Other': ['1'] },
  body: 'b',
});

test.each([
  [{ status: 200, location: '/y' }],
  [{ status: 304, location: '/y' }],
  [{ status: 302 }],
  [{ status: 302, location: 'ftp://a/' }],
  [{ status: 302, location: 'http://[' }],
])('nextAsk() of %j is none', (answer) => {
  expect(nextAsk(posted, answer)).toBeNull();
});

test.each([301, 302, 303])('nextAsk() after POST and %i is GET without its body', (status) => {
  const next = nextAsk(posted, { status, location: '/y' });
  expect(next).toMatchObject({ method: 'GET', body: '' });
  expect(next?.url.href).toBe('http://a/y');
  expect(next?.headers).not.toHaveProperty('content-length');
  expect(next?.headers).toHaveProperty('authorization');
});

test.each([307, 308])('nextAsk() after POST and %i is the same request', (status) => {
  expect(nextAsk(posted, { status, location: '/y' })).toMatchObject({ method: 'POST', body: 'b' });
});

test.each(['x-consul-token', 'X-Vault-Token', 'proxy-authorization', 'x-api-key', 'cookie'])(
  'nextAsk() takes no %s to another host',
  (name) => {
    const ask = firstAsk({ http: 'http://a/x', header: { [name]: ['secret'] } });
    const headers = (location: string): string => JSON.stringify(nextAsk(ask, { status: 302, location })?.headers);
    expect([headers('/y').includes('secret'), headers('http://b/y').includes('secret')]).toEqual([true, false]);
  },
);

test('nextAsk() takes no secrets to another host', () => {
  const next = nextAsk(posted, { status: 307, location: 'http://b/y' });
  expect(next?.headers).not.toHaveProperty('authorization');
  expect(next?.headers).toHaveProperty('x-other');
});

test.each([
  ['http://a/x', 'http://a/x'],
  ['http://u:secret@a/x', 'http://u:xxxxx@a/x'],
  ['http://u@a/x', 'http://u@a/x'],
  ['not a url', 'not a url'],
])('showUrl(%s) is %s', (url, shown) => {
  expect(showUrl(url)).toBe(shown);
});
