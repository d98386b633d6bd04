import { expect, test } from 'vitest';
import { Router } from './router.ts';

const router = new Router([
  { path: 'kv/', methods: {} },
  { path: 'agent/service/', methods: {} },
  { path: 'agent/service/register', methods: {} },
  { path: 'agent/service/deregister/', methods: {} },
  { path: 'agent/services', methods: {} },
]);

test.each([
  ['kv/a/b/c', 'kv/', 'a/b/c'],
  ['kv/', 'kv/', ''],
  ['kv//a', 'kv/', '/a'],
  ['kv/agent/service/x', 'kv/', 'agent/service/x'],
  ['agent/services', 'agent/services', ''],
  ['agent/service/web', 'agent/service/', 'web'],
  ['agent/service/register', 'agent/service/register', ''],
  ['agent/service/register/x', 'agent/service/', 'register/x'],
  ['agent/service/deregister/a%2Fb', 'agent/service/deregister/', 'a%2Fb'],
  ['agent/service/deregister/', 'agent/service/deregister/', ''],
  ['agent/service/deregister', 'agent/service/', 'deregister'],
])('find(%s) is %s with the rest %j', (path, found, rest) => {
  const match = router.find(path);
  expect([match?.route.path, match?.rest]).toEqual([found, rest]);
});

test.each(['', 'kv', 'nothing', 'agent', 'agent/other/x', '/', '//', '/kv/a', 'agent/services/'])(
  'find(%j) finds nothing',
  (path) => {
    expect(router.find(path)).toBeUndefined();
  },
);
