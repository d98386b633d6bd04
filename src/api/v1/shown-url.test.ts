import { expect, test } from 'vitest';
import { shownUrl } from './shown-url.ts';

test.each([
  ['/v1/kv/a', '/v1/kv/a'],
  ['/v1/kv/a?raw&index=5', '/v1/kv/a?raw&index=5'],
  ['/v1/kv/a?token=secret', '/v1/kv/a?token=<hidden>'],
  ['/v1/kv/a?raw&token=secret&wait=5s', '/v1/kv/a?raw&token=<hidden>&wait=5s'],
  ['/v1/kv/a?token=a&token=b', '/v1/kv/a?token=<hidden>&token=<hidden>'],
  ['/v1/kv/a?%74oken=secret', '/v1/kv/a?%74oken=<hidden>'],
  ['/v1/kv/a?TOKEN=a=b', '/v1/kv/a?TOKEN=<hidden>'],
  ['/v1/kv/a?x=1?token=secret', '/v1/kv/a?x=1?token=secret'],
  ['/v1/acl/info/secret', '/v1/acl/info/<hidden>'],
  ['/v1/acl/destroy/secret?token=other', '/v1/acl/destroy/<hidden>?token=<hidden>'],
  ['/v1/acl/clone/a/b', '/v1/acl/clone/<hidden>'],
  ['/v1/%61cl/info/secret', '/v1/acl/info/<hidden>'],
  ['/v1/acl/token/self', '/v1/acl/token/self'],
  ['/v1/acl/list', '/v1/acl/list'],
])('shownUrl(%j) is %j', (url, shown) => {
  expect(shownUrl(url)).toBe(shown);
});
