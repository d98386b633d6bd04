import { expect, test } from 'vitest';
import { serverUrl } from './server-url.ts';

test.each([
  ['10.0.0.1', 'http://10.0.0.1:8500'],
  ['10.0.0.1:80', 'http://10.0.0.1'],
  ['server-1.example:9500', 'http://server-1.example:9500'],
  [' server-1 ', 'http://server-1:8500'],
  ['::1', 'http://[::1]:8500'],
  ['[::1]:8501', 'http://[::1]:8501'],
  ['http://10.0.0.1:8500/', 'http://10.0.0.1:8500'],
  ['https://server.example', 'https://server.example'],
])('serverUrl(%j) is %j', (text, url) => {
  expect(serverUrl(text)).toBe(url);
});

test.each(['', '  ', 'a b', 'http://', 'host/path', 'http://h/path', 'http://user:pw@h', 'host:port', 'ftp://h'])(
  'serverUrl(%j) throws',
  (text) => {
    expect(() => serverUrl(text)).toThrow(expect.objectContaining({ code: 'AGENT_SERVER_NAME' }));
  },
);
