import { expect, test } from 'vitest';
import { whereAnswered } from './where-answered.ts';

test.each([
  '/v1/agent/services',
  '/v1/agent/service/register',
  '/v1/agent/self',
  '/v1/agent/check/pass/a%2Fb',
  '/v1/agent/metrics?format=prometheus',
  '/v2/status',
  '/v2/listener/on?node=a',
  '/v2/provisions',
  '/v2/maintenance?enable=true',
  '/v2/openapi.json',
  '/',
  '/v1/%61gent/maintenance?enable=true',
  '/v2/%6Daintenance?enable=true',
  '/%76%32/maintenance',
  '/v2/maintenance%2f%ff',
])('%s is answered here, linked or not', (url) => {
  expect([whereAnswered(url, true), whereAnswered(url, false)]).toEqual(['here', 'here']);
});

test.each([
  '/v1/kv/agent/self',
  '/v1/catalog/services',
  '/v1/agent/force-leave/a',
  '/v1/agent/connect/ca/roots',
  '/v1/nothing',
  '/v2/services',
  '/v2/listeners',
  '/v2',
  '/ui/',
  '/metrics',
])('%s is a server’s, linked or not', (url) => {
  expect([whereAnswered(url, true), whereAnswered(url, false)]).toEqual(['by a server', 'by a server']);
});

test.each(['/v1/agent/members?wan=1', '/v1/status/leader', '/v2/environment/app?node=a'])(
  '%s is a server’s, and answered here for want of one',
  (url) => {
    expect([whereAnswered(url, true), whereAnswered(url, false)]).toEqual(['by a server', 'here']);
  },
);
