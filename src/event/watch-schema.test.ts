import { describe, expect, test } from 'vitest';
import { toReaction, reactionSchema } from './reaction-schema.ts';
import { showHandler } from './handler.ts';
import { toWatch, watchSchema } from './watch-schema.ts';
import { watchIdentity } from './watch.ts';

const OWNER = { cwd: '/etc/drover', node: 'n1' };
const watch = (input: object) => toWatch(watchSchema.parse({ args: ['x'], ...input }), OWNER);

describe('a watch', () => {
  test.each([
    [{ type: 'key', key: 'a b/ç' }, '/v1/kv/a%20b/%C3%A7'],
    [{ type: 'keyprefix', prefix: '' }, '/v1/kv/?recurse='],
    [{ type: 'services', datacenter: 'dc2', stale: true }, '/v1/catalog/services?dc=dc2&stale='],
    [{ type: 'nodes', filter: 'Meta.a == "b"' }, '/v1/catalog/nodes?filter=Meta.a+%3D%3D+%22b%22'],
    [
      { type: 'service', service: 'a/b', tag: ['x', 'y'], passingonly: true },
      '/v1/health/service/a%2Fb?tag=x&tag=y&passing=1',
    ],
    [{ type: 'service', service: 'a', tag: 'x', passingonly: false }, '/v1/health/service/a?tag=x'],
    [{ type: 'checks' }, '/v1/health/state/any'],
    [{ type: 'event', name: 'deploy' }, '/v1/event/list?name=deploy&node=n1'],
  ])('%j asks %s', (input, path) => {
    expect(watch(input).query.path).toBe(path);
  });

  test.each([
    [{ type: 'key' }, 'needs "key"'],
    [{ type: 'keyprefix' }, 'needs "prefix"'],
    [{ type: 'service' }, 'needs "service"'],
    [{ type: 'connect_leaf' }, 'leaves out'],
    [{ type: 'event', service: 'x' }, 'means nothing'],
    [{ type: 'nodes', args: undefined }, 'it needs "args", "handler" or "http_handler_config"'],
    [{ type: 'nodes', handler: 'x' }, 'args and handler; give one'],
    [{ type: 'nodes', handler_type: 'http' }, 'does not go with "args"'],
    [{ type: 'nodes', args: [] }, ''],
    [{ type: 'nodes', timeout: '0s' }, 'above 0'],
    [{ type: 'nodes', args: undefined, http_handler_config: { path: 'ftp://x' } }, 'http'],
    [{ type: 'nodes', args: undefined, http_handler_config: { path: 'http://x', header: { a: ['x\r\nb: c'] } } }, ''],
    [{ type: 'nodes', args: undefined, http_handler_config: { path: 'http://x' }, timeout: '1s' }, 'belongs into'],
  ])('%j is refused: %s', (input, text) => {
    const { error } = watchSchema.safeParse({ args: ['x'], ...input });
    expect(error?.issues.map(({ message }) => message).join('; ')).toContain(text);
  });

  test('a handler has its defaults, and shows no secret', () => {
    const http = { path: 'https://user:secret@example.com/hook', header: { Authorization: ['Bearer secret'] } };
    const { handler } = watch({ type: 'nodes', args: undefined, http_handler_config: http });
    expect(handler).toMatchObject({ type: 'http', method: 'POST', timeoutMs: 10_000, tlsSkipVerify: false });
    expect(showHandler(handler)).toBe('POST https://user:xxxxx@example.com/hook');
    expect(watch({ type: 'nodes' }).handler).toMatchObject({ type: 'script', cwd: '/etc/drover', timeoutMs: 300_000 });
  });

  test('a watch is who it is by what it looks at and what it runs', () => {
    const one = watchIdentity(watch({ type: 'nodes' }));
    expect(watchIdentity(watch({ type: 'nodes', token: 't', timeout: '9s' }))).toBe(one);
    expect(watchIdentity(watch({ type: 'nodes', args: ['y'] }))).not.toBe(one);
    expect(watchIdentity(watch({ type: 'services' }))).not.toBe(one);
  });
});

describe('a reaction', () => {
  const whole = {
    name: 'm',
    service: 'monitoring',
    tag: 'x',
    on_down: { args: ['down'], after: '5s', expect: { service: 'standby', within: '5m', else: { handler: 'page' } } },
    on_up: { args: ['up'], watch_for: '2m', else: { args: ['again'] }, well: { args: ['well'] } },
  };

  test('a reaction is what its keys say', () => {
    const reaction = toReaction(reactionSchema.parse(whole), '/etc/drover');
    expect(reaction).toMatchObject({
      tags: ['x'],
      downAfterMs: 5_000,
      expect: { service: 'standby', withinMs: 300_000 },
      watchForMs: 120_000,
    });
    expect(Object.keys(reaction.handlers)).toEqual(['down', 'missing', 'up', 'relapse', 'well']);
  });

  test.each([
    [{ on_down: undefined, on_up: undefined }, 'it has no handler'],
    [{ on_up: { args: ['x'], else: { args: ['y'] } } }, 'need "watch_for"'],
    [{ on_up: { args: ['x'], handler: 'y' } }, 'give one'],
    [{ on_down: { expect: { within: '5m', else: {} } } }, 'it needs'],
    [{ on_down: { expect: { else: { args: ['x'] } } } }, ''],
    [{ expects: 1 }, 'Unrecognized key'],
  ])('%j is refused: %s', (change, text) => {
    const { error } = reactionSchema.safeParse({ ...whole, ...change });
    expect(error?.issues.map(({ message }) => message).join('; ')).toContain(text);
  });

  test('a reaction may have a deadline without a handler of its own', () => {
    const input = { name: 'm', service: 's', on_down: { expect: { within: '1m', else: { args: ['x'] } } } };
    expect(Object.keys(toReaction(reactionSchema.parse(input), '/').handlers)).toEqual(['missing']);
  });
});
