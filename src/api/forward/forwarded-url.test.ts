import { expect, test } from 'vitest';
import { forwardedRead, ofThisAgent, withWait } from './forwarded-url.ts';

test.each<[string, number | null, string, boolean]>([
  ['/v1/kv/a', null, '', false],
  ['/v1/kv/a?index=0', null, '', false],
  ['/v1/kv/a?index=x', null, '', false],
  ['/v1/kv/a?wait=5s', null, '', false],
  ['/v1/kv/a?index=7', 300_000, '7', false],
  ['/v1/kv/a?index=7&wait=5s', 5_000, '7', false],
  ['/v1/kv/a?index=7&wait=0s', 300_000, '7', false],
  ['/v1/kv/a?index=7&wait=2h', 600_000, '7', false],
  ['/v1/kv/a?index=7&wait=soon', 300_000, '7', false],
  ['/v1/health/service/web?consistent&index=7&wait=1m', 60_000, '7', true],
  ['/v2/converged/7?wait=30s', 30_000, '', false],
])('forwardedRead(%j) waits %s', (url, waitMs, index, isConsistent) => {
  expect(forwardedRead(url)).toMatchObject({ waitMs, index, isConsistent });
});

test.each<[string, string | null]>([
  ['/v1/catalog/services', '/v1/catalog/services'],
  ['/v1/kv/a?index=7&wait=5s&token=s3cret&stale', '/v1/kv/a'],
  ['/v1/health/service/web?passing&tag=a&cached&max_stale=5s', '/v1/health/service/web passing tag=a'],
  ['/v1/query/geo/execute', '/v1/query/geo/execute'],
  ['/v2/services?federation=a', '/v2/services federation=a'],
  ['/v2/nodes/a', '/v2/nodes/a'],
  ['/v1/agent/members', '/v1/agent/members'],
  ['/v1/agent/services', null],
  ['/v1/acl/tokens', null],
  ['/v1/snapshot', null],
  ['/v2/environment/app?reveal=true', null],
  ['/v2/events', null],
  ['/v1/kvetch', null],
])('forwardedRead(%j) is kept under %j: never with a token', (url, kept) => {
  expect(forwardedRead(url).kept).toBe(kept);
});

test.each([
  ['/v1/kv/a?index=7&wait=5m', 1_500.4, '/v1/kv/a?index=7&wait=1500ms'],
  ['/v1/kv/a?index=7', 0, '/v1/kv/a?index=7&wait=1ms'],
  ['/v1/kv/a%2Fb?wait=1s&index=7&dc=x', 10, '/v1/kv/a%2Fb?index=7&dc=x&wait=10ms'],
])('withWait(%j, %d) says what is left and nothing else', (url, waitMs, expected) => {
  expect(withWait(url, waitMs)).toBe(expected);
});

test.each([
  ['/v1/health/service/web?near=_agent', '/v1/health/service/web?near=n%201'],
  ['/v1/health/service/web?passing&near=_agent&tag=a', '/v1/health/service/web?passing&near=n%201&tag=a'],
  ['/v1/health/service/web?near=_agents', '/v1/health/service/web?near=_agents'],
  ['/v1/kv/near=_agent', '/v1/kv/near=_agent'],
])('ofThisAgent(%j) means this agent', (url, expected) => {
  expect(ofThisAgent(url, 'n 1')).toBe(expected);
});
