import { describe, expect, it } from 'vitest';
import { renderConfiguration, structureOf } from './render.ts';
import type { RenderOptions } from './render.ts';
import { testFrontend, testMember } from './testing.ts';
import { wantedBackend } from './wanted.ts';

const OPTIONS: RenderOptions = {
  node: 'staging',
  address: '127.0.0.1',
  adminSocket: '/var/lib/drover/admin.sock',
  hardStopMs: 900_000,
  threads: 2,
  runAs: { user: 'haproxy', group: 'haproxy' },
};

const API = testFrontend([
  testMember('api-2/api', { address: '127.0.0.3', port: 1100 }),
  testMember('api-1/api', { address: '127.0.0.2', port: 1100, weight: 2 }),
  testMember('api-3/api', { draining: true }),
]);
const CACHE = testFrontend([testMember('c/redis', { address: '::1', port: 6379 })], {
  service: 'cache store',
  port: 6379,
  protocol: 'tcp',
});

const GOLDEN = `# The balancer of drover node staging. Written by drover: changes made here are lost.
global
  stats socket '/var/lib/drover/admin.sock' mode 600 level admin expose-fd listeners
  stats timeout 10s
  nbthread 2
  maxconn 8192
  no strict-limits
  hard-stop-after 900000ms
  mworker-max-reloads 8
  user haproxy
  group haproxy

defaults
  balance roundrobin
  option redispatch 1
  retries 3
  timeout connect 2s
  timeout queue 5s

frontend api
  mode http
  bind 127.0.0.1:1100
  timeout client 5m
  timeout http-request 10s
  timeout http-keep-alive 60s
  option idle-close-on-response
  use_backend api::relay if { stopping }
  default_backend api

backend api
  mode http
  timeout server 5m
  timeout tunnel 1h
  retry-on conn-failure empty-response
  http-request disable-l7-retry unless METH_GET
  http-error status 503 content-type text/plain string "no instance of the service answers\\n" hdr Retry-After 1
  server api-1:2Fapi 127.0.0.2:1100 weight 200
  server api-2:2Fapi 127.0.0.3:1100 weight 100

backend api::relay
  mode http
  timeout server 5m
  timeout tunnel 1h
  retry-on conn-failure empty-response
  http-request disable-l7-retry unless METH_GET
  http-error status 503 content-type text/plain string "no instance of the service answers\\n" hdr Retry-After 1
  server new 127.0.0.1:1100

frontend cache:20store
  mode tcp
  bind 127.0.0.1:6379
  timeout client 1h
  option clitcpka
  default_backend cache:20store

backend cache:20store
  mode tcp
  timeout server 1h
  option srvtcpka
  server c:2Fredis [::1]:6379 weight 100
`;

describe('renderConfiguration()', () => {
  it('writes exactly this for an http and a tcp service', () => {
    expect(renderConfiguration(OPTIONS, [API, CACHE].map(wantedBackend))).toBe(GOLDEN);
  });

  it('gives equal text whatever the order of frontends and members', () => {
    const turned = { ...API, members: API.members.toReversed() };
    expect(renderConfiguration(OPTIONS, [CACHE, turned].map(wantedBackend))).toBe(GOLDEN);
  });

  it('lets no name out of its place', () => {
    const evil = testFrontend([testMember('a\nserver/x #"')], { service: 'x\n  bind :1' });
    const options = { ...OPTIONS, node: 'a\nglobal', adminSocket: "/tmp/it's here/a.sock", runAs: null };
    const text = renderConfiguration(options, [wantedBackend(evil)]);
    expect(text).toContain('# The balancer of drover node a?global.');
    expect(text).toContain(String.raw`stats socket '/tmp/it'\''s here/a.sock' mode`);
    expect(text).toContain('frontend x:0A:20:20bind:20:3A1\n');
    expect(text).toContain('  server a:0Aserver:2Fx:20:23:22 127.0.0.1:80 weight 100');
    expect(text).not.toContain('user ');
  });
});

describe('structureOf()', () => {
  const structure = (frontends: readonly (typeof API)[], options = OPTIONS): string =>
    structureOf(options, frontends.map(wantedBackend));

  it('is the same when members, weights and their order differ', () => {
    const other = { ...API, members: [testMember('z/z', { weight: 7 })] };
    expect(structure([other, CACHE])).toBe(structure([CACHE, API]));
  });

  for (const [what, frontends, options] of [
    ['a service more', [API], OPTIONS],
    ['a port', [{ ...API, port: 1101 }, CACHE], OPTIONS],
    ['a protocol', [{ ...API, protocol: 'tcp' } as const, CACHE], OPTIONS],
    ['the address', [API, CACHE], { ...OPTIONS, address: '127.0.0.2' }],
    ['the number of threads', [API, CACHE], { ...OPTIONS, threads: 1 }],
  ] as const) {
    it(`differs by ${what}`, () => expect(structure(frontends, options)).not.toBe(structure([API, CACHE])));
  }
});
