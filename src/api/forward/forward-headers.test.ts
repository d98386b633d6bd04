import { expect, test } from 'vitest';
import { requestHeaders, responseHeaders, type HandedOn } from './forward-headers.ts';

const pairs = (list: readonly string[]): Record<string, string> =>
  Object.fromEntries(list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] as string]] : [])));

function sent(headers: Record<string, string>, more: Partial<HandedOn> = {}): Record<string, string> {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return pairs(
    requestHeaders({
      rawHeaders: Object.entries(headers).flat(),
      headers: lower,
      host: '10.0.0.1:8500',
      node: 'n1',
      remoteAddress: '127.0.0.1',
      token: 's',
      ...more,
    }),
  );
}

const OWN = { Host: '10.0.0.1:8500', 'X-Drover-Node': 'n1', 'X-Drover-For': '127.0.0.1', 'X-Consul-Token': 's' };

test('requestHeaders() passes on what came, under the name it came with', () => {
  const headers = { 'X-Consul-Token': 's', 'Accept-Encoding': 'gzip', 'Content-Length': '3', 'x-own': 'a' };
  expect(sent(headers)).toEqual({ ...OWN, ...headers });
});

test('requestHeaders() keeps what is between neighbours, and what a client says in the agent’s place', () => {
  const headers = {
    Host: 'localhost:8500',
    Connection: 'keep-alive, X-Hop',
    'X-Hop': '1',
    'Keep-Alive': 'timeout=5',
    TE: 'trailers',
    Expect: '100-continue',
    'X-Drover-Node': 'other',
    'X-Drover-For': '1.2.3.4',
  };
  expect(sent(headers)).toEqual(OWN);
});

test('requestHeaders() sends a body of unknown length in chunks', () => {
  expect(sent({ 'Transfer-Encoding': 'chunked' })).toEqual({ ...OWN, 'Transfer-Encoding': 'chunked' });
});

test('requestHeaders() asks in one name, which is always said, whatever came', () => {
  expect(sent({ 'X-Consul-Token': 'x', Authorization: 'Bearer y' }, { token: 'own' })).toEqual({
    ...OWN,
    Authorization: 'Bearer y',
    'X-Consul-Token': 'own',
  });
});

test('requestHeaders() lets no Connection take away what makes the request another one', () => {
  const kept = {
    'Content-Length': '30',
    'Content-Type': 'text/plain',
    Authorization: 'Bearer y',
    origin: 'http://evil',
  };
  const Connection = `X-Consul-Token, ${Object.keys(kept).join(', ')}, X-Drover-Node, Host, X-Hop`;
  expect(sent({ ...kept, Connection, 'X-Hop': '1', host: 'localhost' })).toEqual({ ...OWN, ...kept });
});

test('requestHeaders() tells the server of a page elsewhere, and not of one of this agent', () => {
  const own = { host: 'localhost:8500', origin: 'http://localhost:8500', 'sec-fetch-site': 'same-origin' };
  expect(sent(own)).toEqual(OWN);
  const foreign = { host: 'localhost:8500', origin: 'http://evil.example' };
  expect(sent(foreign)).toEqual({ ...OWN, origin: 'http://evil.example' });
});

test('responseHeaders() passes on all but what is between neighbours', () => {
  const raw = ['X-Consul-Index', '7', 'Connection', 'close, x-hop', 'X-Hop', '1', 'Content-Encoding', 'gzip'];
  expect(responseHeaders([...raw, 'Transfer-Encoding', 'chunked'], 'close, x-hop')).toEqual([
    'X-Consul-Index',
    '7',
    'Content-Encoding',
    'gzip',
  ]);
});
