import { describe, expect, test } from 'vitest';
import { advertisedEndpoint, isThisMachine, parseEndpoint } from './address.ts';

describe('parseEndpoint()', () => {
  test.each([
    ['h1', 'h1:2379'],
    ['H1.Example:1', 'h1.example:1'],
    ['10.0.0.1:02379', '10.0.0.1:2379'],
    ['[2001:DB8::1]', '[2001:db8::1]:2379'],
    ['[::1]:99', '[::1]:99'],
  ])('%s is %s', (text, endpoint) => expect(parseEndpoint(text)).toBe(endpoint));

  test.each(['', ' ', 'h1:', 'h1:0', 'h1:65536', 'h1:x', 'http://h1', 'h1/', 'u@h1', '::1', '[x]:1', 'h1,h2', 'a b'])(
    '%j is none',
    (text) => expect(parseEndpoint(text)).toBeNull(),
  );
});

describe('advertisedEndpoint()', () => {
  const far = { tls: false, isLocal: false };
  test.each([
    ['http://h1:1', far, 'h1:1'],
    ['http://h1:1/', far, 'h1:1'],
    ['https://h1:1', { tls: true, isLocal: false }, 'h1:1'],
    ['http://127.0.0.1:1', { tls: false, isLocal: true }, '127.0.0.1:1'],
  ])('%s with %j is %s', (url, options, endpoint) => expect(advertisedEndpoint(url, options)).toBe(endpoint));

  test.each([
    ['http://h1:1', { tls: true, isLocal: false }],
    ['https://h1:1', far],
    ['unix://x', far],
    ['http://0.0.0.0:1', far],
    ['http://[::]:1', far],
    ['http://127.0.0.1:1', far],
    ['http://localhost:1', far],
    ['http://h1:1/path', far],
    ['http://u@h1:1', far],
  ])('%s with %j is of no use', (url, options) => expect(advertisedEndpoint(url, options)).toBeNull());
});

test.each([
  ['localhost:1', true],
  ['127.1.2.3:1', true],
  ['[::1]:1', true],
  ['10.0.0.1:1', false],
  ['localhost.example:1', false],
])('isThisMachine() of %s is %s', (endpoint, expected) => expect(isThisMachine(endpoint)).toBe(expected));
