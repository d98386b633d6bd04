import { describe, expect, test } from 'vitest';
import { agentAddress, agentToken } from './agent-address.ts';

describe('agentAddress()', () => {
  test.each<[unknown, Record<string, string>, string]>([
    [undefined, {}, 'http://127.0.0.1:8500'],
    [undefined, { CONSUL_HTTP_ADDR: '10.0.0.1:8500' }, 'http://10.0.0.1:8500'],
    [undefined, { CONSUL_HTTP_ADDR: '10.0.0.1:8500', DROVER_HTTP_ADDR: 'https://d.example:1' }, 'https://d.example:1'],
    [undefined, { DROVER_HTTP_ADDR: '', CONSUL_HTTP_ADDR: '' }, 'http://127.0.0.1:8500'],
    ['[::1]:8501', { DROVER_HTTP_ADDR: 'x' }, 'http://[::1]:8501'],
    ['http://127.0.0.1:8500/', {}, 'http://127.0.0.1:8500'],
  ])('of %j and %j is %s', (given, environment, address) => {
    expect(agentAddress(given, environment)).toBe(address);
  });

  test.each([
    ['http://', '--http-addr is not the address of an agent: it is no URL'],
    ['a b', 'it is no URL'],
    ['unix:///run/drover.sock', 'drover speaks http and https, not unix:'],
    ['http://user:s3cret@host', 'it holds a user or password'],
  ])('refuses %j', (given, message) => {
    expect(() => agentAddress(given, {})).toThrow(message);
    expect(() => agentAddress(given, {})).not.toThrow(/s3cret/);
  });
});

describe('agentToken()', () => {
  test('is that of drover, else of Consul, else none', () => {
    expect(agentToken({ DROVER_TOKEN: 'a', CONSUL_HTTP_TOKEN: 'b' })).toBe('a');
    expect(agentToken({ DROVER_TOKEN: '', CONSUL_HTTP_TOKEN: 'b' })).toBe('b');
    expect(agentToken({})).toBeUndefined();
  });

  test('refuses what no header can carry, without showing it', () => {
    expect(() => agentToken({ DROVER_TOKEN: 's3cret\n' })).toThrow(/^DROVER_TOKEN holds characters/);
    expect(() => agentToken({ DROVER_TOKEN: 's3cret\n' })).not.toThrow(/s3cret/);
  });
});
