import { describe, expect, test } from 'vitest';
import { PathRules } from './path-rules.ts';

const BLOCKED = 'Endpoint is blocked by agent configuration';
const RESTRICTED = 'Access is restricted';
const rules = new PathRules({
  blockEndpoints: ['/v1/acl/', '/v1/kv/secret'],
  writeFrom: ['10.0.0.0/8', '127.0.0.1', '::1'],
});
const from = (remoteAddress?: string) => ({ socket: { remoteAddress } });

describe('PathRules', () => {
  test.each<[string, string, string | undefined, string | null]>([
    ['GET', '/v1/acl/tokens', '10.0.0.1', BLOCKED],
    ['GET', '/v1/%61cl/tokens', '10.0.0.1', BLOCKED],
    ['GET', '/v1/kv/secret/a?raw', '10.0.0.1', BLOCKED],
    ['GET', '/v1/acl', '10.0.0.1', null],
    ['GET', '/v1/kv/other?x=/v1/acl/', '10.0.0.1', null],
    ['PUT', '/v1/agent/leave', '10.9.9.9', null],
    ['PUT', '/v1/agent/leave', '127.0.0.1', null],
    ['PUT', '/v1/agent/leave', '::1', null],
    ['PUT', '/v1/agent/leave', '::ffff:10.1.1.1', null],
    ['PUT', '/v1/agent/leave', undefined, null],
    ['PUT', '/v1/agent/leave', '192.0.2.1', RESTRICTED],
    ['PUT', '/v1/%61gent/leave', '192.0.2.1', RESTRICTED],
    ['PUT', '/v2/maintenance?enable=true', '192.0.2.1', RESTRICTED],
    ['POST', '/v2/listener/off', '192.0.2.1', RESTRICTED],
    ['POST', '/v2/provisions', '192.0.2.1', RESTRICTED],
    ['GET', '/v2/provisions', '192.0.2.1', null],
    ['PUT', '/v2/definitions', '192.0.2.1', null],
    ['GET', '/v1/agent/self', '192.0.2.1', null],
    ['PUT', '/v1/kv/a', '192.0.2.1', null],
  ])('%s %s from %s: %s', (method, url, address, refusal) => {
    expect(rules.refusalOf({ method, url, ...from(address) })).toBe(refusal);
  });

  test('refuse nothing when there are none', () => {
    const none = new PathRules({ blockEndpoints: [], writeFrom: [] });
    expect(none.refusalOf({ method: 'PUT', url: '/v1/agent/leave', ...from('192.0.2.1') })).toBeNull();
  });
});
