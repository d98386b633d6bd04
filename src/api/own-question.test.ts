import { describe, expect, test } from 'vitest';
import { FrontDoor } from './front-door.ts';
import { HTTP_SETTINGS } from './http-settings.ts';
import { startTestApi, type TestApi } from './testing.ts';

const forever = new AbortController().signal;
const askOf = ({ context }: TestApi, path: string, token: string | null = null, signal = forever) =>
  new FrontDoor(context).ask(path, { token, signal });

const nodes = [{ name: 'n2', services: ['web'] }];

describe('FrontDoor.ask()', () => {
  test.each([
    '/v1/catalog/services',
    '/v1/health/service/web?passing=1',
    '/v1/kv/a',
    '/v1/kv/none',
    '/v1/kv/?recurse=',
    '/v1/event/list?name=deploy',
    '/v1/event/list?name=deploy&after=1',
    '/v1/event/list?index=x',
    '/v1/catalog/nodes?wait=nonsense&index=1',
    '/v1/none',
    '/v1/kv/%zz',
    '/v1/status/leader',
  ])('FrontDoor.ask() answers %s as HTTP does', async (path) => {
    await using api = await startTestApi({ nodes });
    await api.ask('PUT', '/v1/kv/a', { body: 'ä' });
    await api.ask('PUT', '/v1/event/fire/deploy', { body: 'x' });
    const { status, text, headers } = await api.ask('GET', path);
    const revision = headers['x-drover-revision'];
    expect(await askOf(api, path)).toEqual({
      status,
      body: text,
      index: headers['x-consul-index'] ?? '',
      revision: revision === undefined ? null : Number(revision),
    });
  });

  test('FrontDoor.ask() waits for a change, and no longer than its signal', async () => {
    await using api = await startTestApi({ nodes });
    const { index } = await askOf(api, '/v1/kv/a');
    const waiting = askOf(api, `/v1/kv/a?index=${index}`);
    await api.ask('PUT', '/v1/kv/a', { body: 'x' });
    expect((await waiting).status).toBe(200);
    const stop = new AbortController();
    const gone = askOf(api, `/v1/event/list?index=1`, null, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(gone).rejects.toThrow('stopped');
    expect(api.context.userEvents.log.waiters).toBe(0);
  });

  test('FrontDoor.ask() may what its token may, also when that changes while it waits', async () => {
    await using api = await startTestApi({ nodes, acl: {} });
    const { writes } = api.context.acl;
    const secret = '5e6b2d4e-8c35-4b0e-9a41-0123456789ab';
    await writes.putPolicy(undefined, {
      name: 'events',
      description: '',
      rules: 'event "deploy" { policy = "read" }',
      datacenters: [],
    });
    const none = { description: '', roles: [], serviceIdentities: [], nodeIdentities: [], local: false };
    const { value } = await writes.createToken({ ...none, secret, policies: [{ name: 'events' }] });
    const fire = (name: string) =>
      api.context.userEvents.fires.fire({
        name,
        payload: Buffer.from(''),
        nodeFilter: '',
        serviceFilter: '',
        tagFilter: '',
      });
    await fire('deploy');
    await fire('other');
    const namesOf = ({ body }: { body: string }): string[] =>
      (JSON.parse(body) as { Name: string }[]).map((e) => e.Name);
    const first = await askOf(api, '/v1/event/list', secret);
    expect(namesOf(first)).toEqual(['deploy']);
    expect(namesOf(await askOf(api, '/v1/event/list'))).toEqual([]);
    expect(await askOf(api, '/v1/event/list', 'unknown')).toMatchObject({ status: 403, body: 'ACL not found' });
    const waiting = askOf(api, `/v1/event/list?index=${first.index}`, secret);
    await writes.deleteToken(value.token.record.accessor);
    await fire('deploy');
    expect((await waiting).status).toBe(403);
  });

  test('FrontDoor.ask() is refused what the operator shut off', async () => {
    await using api = await startTestApi({ http: { ...HTTP_SETTINGS, blockEndpoints: ['/v1/event/'] } });
    expect((await askOf(api, '/v1/event/list')).status).toBe(403);
    expect((await askOf(api, '/v1/catalog/nodes')).status).toBe(200);
  });

  test('FrontDoor.ask() of an agent without servers says so', async () => {
    await using api = await startTestApi({ isServer: false });
    expect(await askOf(api, '/v1/catalog/nodes')).toMatchObject({ status: 500, body: 'No known Consul servers' });
  });
});
