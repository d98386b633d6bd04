import { expect, test } from 'vitest';
import { keptKey } from './kept-answers.ts';
import { RegionalQuestion } from './regional-question.ts';

const signal = new AbortController().signal;

function question(url: string, headers: Record<string, string> = {}, defaultToken = 'own'): RegionalQuestion {
  const rawHeaders = Object.entries(headers).flat();
  const came = { method: 'GET', url, rawHeaders, headers, remoteAddress: undefined, body: null, signal };
  return new RegionalQuestion(came, { node: 'n1', defaultToken });
}

function tokenSent(one: RegionalQuestion): string {
  const { headers } = one.to('http://10.0.0.1:8500', null, signal);
  const at = headers.indexOf('X-Consul-Token');
  expect(headers.filter((text) => /^x-consul-token$/i.test(text))).toHaveLength(1);
  return headers[at + 1] as string;
}

test.each<[string, Record<string, string>, string, string]>([
  ['/v1/kv/a', {}, 'own', 'own'],
  ['/v1/kv/a', { 'x-consul-token': 'x' }, 'x', 'x'],
  ['/v1/kv/a', { authorization: 'Bearer b' }, 'b', 'b'],
  ['/v1/kv/a?token=x', {}, 'x', 'own'],
  ['/v1/kv/a?tok%65n=x', {}, 'x', 'own'],
  ['/v1/kv/a', { 'x-consul-token': 'x', connection: 'x-consul-token' }, 'x', 'x'],
  ['/v2/services?token=x', {}, 'own', 'own'],
  ['/v2/services?token=x', { 'x-consul-token': 'y' }, 'y', 'y'],
])('%s with %o is kept for token %s, and asked with %s in its headers', (url, headers, kept, sent) => {
  const one = question(url, headers);
  const [path, query = ''] = url.split('?');
  // A parameter of /v2 that is none is the server's to refuse.
  const name = query.startsWith('tok') ? path : url;
  expect(one.key).toBe(keptKey(name as string, kept));
  expect(tokenSent(one)).toBe(sent);
});

test('whoever shows no token to an agent without one is nobody, also where the server has a default token', () => {
  expect(tokenSent(question('/v1/kv/a', {}, ''))).toBe('anonymous');
  expect(tokenSent(question('/v2/datastores?token=x', {}, ''))).toBe('anonymous');
});
