import { describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing.ts';

const put = async (api: TestApi, path: string): Promise<[number, string]> => {
  const { status, text } = await api.ask('PUT', `/v1/agent/${path}`);
  return [status, text];
};

async function statuses(api: TestApi): Promise<Record<string, number>> {
  const members = (await api.ask('GET', '/v1/agent/members')).json as { Name: string; Status: number }[];
  return Object.fromEntries(members.map(({ Name, Status }) => [Name, Status]));
}

describe('PUT agent/join', () => {
  test.each(['127.0.0.1', '127.0.0.1:8301', 'localhost', '[::1]:8301', '::1', 'n1', 'N1:8301'])(
    '%s is the agent itself',
    async (address) => {
      await using api = await startTestApi();
      expect(await put(api, `join/${encodeURIComponent(address)}`)).toEqual([200, '']);
    },
  );

  test.each(['10.0.0.1', '10.0.0.1:8301', 'elsewhere', '[2001:db8::1]:8301'])(
    '%s is refused with why',
    async (address) => {
      await using api = await startTestApi();
      const [status, text] = await put(api, `join/${encodeURIComponent(address)}?wan=1`);
      expect(status).toBe(500);
      expect(text).toMatch(/^Failed to join .*--join or retry_join/);
      expect(text).toContain(address);
    },
  );

  test('no address is 400', async () => {
    await using api = await startTestApi();
    expect(await put(api, 'join/')).toEqual([400, 'Missing address to join']);
  });
});

describe('PUT agent/force-leave', () => {
  const nodes = [
    { name: 'lost', alive: 'down' },
    { name: 'quiet', alive: 'suspected' },
    { name: 'gone', alive: 'left' },
    { name: 'ext', external: true },
  ] as const;

  test('a failed node becomes one that left; with prune it is gone', async () => {
    await using api = await startTestApi({ nodes });
    expect(await put(api, 'force-leave/lost')).toEqual([200, '']);
    expect(await put(api, 'force-leave/quiet.aws?wan')).toEqual([200, '']);
    expect(await put(api, 'force-leave/gone')).toEqual([200, '']);
    expect(await statuses(api)).toEqual({ lost: 3, quiet: 3, gone: 3, n1: 1 });
    expect(await put(api, 'force-leave/gone?prune')).toEqual([200, '']);
    expect(await put(api, 'force-leave/lost?prune=1')).toEqual([200, '']);
    expect(await statuses(api)).toEqual({ quiet: 3, n1: 1 });
  });

  test('a node that lives shows as leaving for a while, with self and members agreeing', async () => {
    await using api = await startTestApi({ nodes });
    expect(await put(api, 'force-leave/n1')).toEqual([200, '']);
    expect(await statuses(api)).toMatchObject({ n1: 2 });
    expect((await api.ask('GET', '/v1/agent/self')).json).toMatchObject({ Member: { Status: 2 } });
    await api.clock.advance(30_000);
    expect(await statuses(api)).toMatchObject({ n1: 1 });
  });

  test.each(['nobody', 'ext'])('%s is no member: 500, and 200 in legacy mode', async (name) => {
    await using api = await startTestApi({ nodes });
    expect(await put(api, `force-leave/${name}`)).toEqual([500, `agent: No node found with name '${name}'`]);
    await using legacy = await startTestApi({ nodes, legacy: true });
    expect(await put(legacy, `force-leave/${name}`)).toEqual([200, '']);
    expect((await legacy.ask('GET', `/v1/agent/force-leave/${name}`)).status).toBe(200);
  });

  test('no node is 400', async () => {
    await using api = await startTestApi();
    expect(await put(api, 'force-leave/')).toEqual([400, 'Missing node name']);
  });
});
