import { expect, test } from 'vitest';
import { compileRules, parseRules, RuleAuthority, type AccessControl } from '../../access/index.ts';
import { startTestApi } from '../testing.ts';

/** One token whose rules can be changed while it waits. */
class ChangingAccess implements AccessControl {
  readonly isEnabled = true;
  readonly defaultPolicy = 'deny';
  readonly keyListPolicy = false;
  rules = 'key_prefix "" { policy = "read" } event_prefix "" { policy = "read" } service_prefix "" { policy = "read" }';

  authorityOf(): RuleAuthority {
    return new RuleAuthority('tester', compileRules(parseRules(this.rules, { from: 'a test' }), 'deny'));
  }
}

/** Clients give a socket up a little after the time they asked for. */
test.each([
  ['/v1/kv/a?', 'X-Consul-Index'],
  ['/v1/kv/?recurse&', 'X-Consul-Index'],
  ['/v1/session/list?', 'X-Consul-Index'],
  ['/v1/event/list?', 'X-Consul-Index'],
])('%s waits no longer than it was asked to when its rules change meanwhile', async (url, header) => {
  const access = new ChangingAccess();
  await using api = await startTestApi({ access, nodes: [{ name: 'n1', services: [] }] });
  await api.context.kvWrites.put('a', Buffer.from('1'));
  const first = await api.ask('GET', url);
  const index = String(first.headers[header.toLowerCase()]);
  let answered = false;
  const waiting = api.ask('GET', `${url}index=${index}&wait=10s`).then((reply) => {
    answered = true;
    return reply;
  });
  await api.clock.advance(5_000);
  access.rules = 'key_prefix "" { policy = "deny" }';
  expect(answered).toBe(false);
  await api.clock.advance(6_000);
  expect(answered).toBe(true);
  const { status, text } = await waiting;
  expect([status, text.includes('"Key"')]).toEqual([url.startsWith('/v1/kv/a') ? 403 : expect.any(Number), false]);
});
