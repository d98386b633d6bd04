import { expect, test } from 'vitest';
import { HostGuard, hostName, isForeign } from './host-guard.ts';

const guard = new HostGuard(new Set(['staging', 'staging.node.consul']));

function ask(method: string, host?: string, origin?: string): string | null {
  const headers = { ...(host === undefined ? {} : { host }), ...(origin === undefined ? {} : { origin }) };
  return guard.refusalOf({ method, headers });
}

test.each([
  ['127.0.0.1:8500'],
  ['[::1]:8500'],
  ['localhost:8500'],
  ['LOCALHOST'],
  ['staging:8500'],
  ['staging.node.consul.:8500'],
  [undefined],
])('HostGuard lets Host %s in', (host) => {
  expect(ask('GET', host)).toBeNull();
});

test.each([
  ['evil.example'],
  ['evil.example:8500'],
  ['127.0.0.1.evil.example'],
  ['localhost.evil.example'],
  ['[::1].evil.example'],
  ['evil@127.0.0.1'],
  ['127.0.0.1,evil.example'],
  ['[::1'],
  [' '],
])('HostGuard refuses Host %s', (host) => {
  expect(ask('GET', host)).toContain('is not an address');
});

test('HostGuard refuses a change from a foreign origin, also `null`', () => {
  expect(ask('PUT', '127.0.0.1:8500', 'http://evil.example')).toContain('origin');
  expect(ask('DELETE', '127.0.0.1:8500', 'null')).toContain('origin');
  expect(ask('PUT', '127.0.0.1:8500', 'http://127.0.0.1:9999')).toContain('origin');
});

test('HostGuard lets a change from its own page, from no browser, and reads from anywhere in', () => {
  expect(ask('PUT', '127.0.0.1:8500', 'http://127.0.0.1:8500')).toBeNull();
  expect(ask('PUT', '127.0.0.1:8500')).toBeNull();
  expect(ask('GET', '127.0.0.1:8500', 'http://evil.example')).toBeNull();
});

test('hostName() takes ports, brackets and the last dot off', () => {
  expect(['[::1]:80', 'a.b.:1', 'A', '[fe80::1]'].map(hostName)).toEqual(['::1', 'a.b', 'a', 'fe80::1']);
});

test('isForeign() goes by Sec-Fetch-Site where a browser sends no Origin, as for images', () => {
  const host = '127.0.0.1:8500';
  expect(
    ['cross-site', 'same-site', 'same-origin', 'none'].map((site) => isForeign({ host, 'sec-fetch-site': site })),
  ).toEqual([true, true, false, false]);
  expect(isForeign({ host })).toBe(false);
});
