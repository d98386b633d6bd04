import { describe, expect, test } from 'vitest';
import { JoinedRegion, until, type JoinedRegionOptions, type Party } from './joined-region.ts';
import { perTestStack } from '../per-test-stack.ts';

const WEB = 'web.service.consul';
const TTL = { name: 'web', port: 80, check: { ttl: '10m', status: 'passing' } };

const left = perTestStack();

async function start(options: JoinedRegionOptions): Promise<{ server: Party; agents: readonly Party[] }> {
  return left.use(await JoinedRegion.start(options));
}

const setCheck = (agent: Party, status: 'pass' | 'fail'): Promise<unknown> =>
  agent.ask('PUT', `/v1/agent/check/${status}/service:web`);

describe('an agent that joins', () => {
  test('registers on its server what everybody’s DNS answers at once, and stops answering at once', async () => {
    const { server, agents } = await start({ agents: ['a', 'b'] });
    const [a, b] = agents as [Party, Party];
    const everywhere = (): Promise<string[][]> => Promise.all([server, a, b].map((one) => one.dig(WEB, 'SRV')));
    expect(await everywhere()).toEqual([[], [], []]);
    await a.register({ name: 'web', port: 80 });
    const one = ['1 1 80 a.node.dc1.consul.'];
    expect(await everywhere()).toEqual([one, one, one]);
    await b.register({ name: 'web', id: 'web-2', port: 81 });
    const two = [...one, '1 1 81 b.node.dc1.consul.'];
    expect(await everywhere()).toEqual([two, two, two]);
    // A receipt of DNS means that agents have dropped what they kept.
    for (const status of ['fail', 'pass', 'fail'] as const) {
      await b.register({ ...TTL, id: 'web', name: 'web', port: 82 });
      const changed = await b.ask('PUT', `/v1/agent/check/${status}/service:web`);
      expect(changed.status).toBe(200);
      const revision = changed.headers.get('X-Drover-Revision');
      const { converged } = (await server.get(`/v2/converged/${revision}?wait=5s`)) as { converged: boolean };
      expect(converged).toBe(true);
      const ports = (await a.dig(WEB, 'SRV')).map((line) => line.split(' ')[2]);
      expect(ports.includes('82')).toBe(status === 'pass');
    }
    await a.ask('PUT', '/v1/agent/service/deregister/web');
    await b.ask('PUT', '/v1/agent/service/deregister/web-2');
    await b.ask('PUT', '/v1/agent/service/deregister/web');
    expect(await everywhere()).toEqual([[], [], []]);
  });

  test('starts without a server, speaks for itself, and tells everything once there is one', async () => {
    const { server, agents } = await start({ agents: ['a'] });
    const [a] = agents as [Party];
    await a.process.end('SIGKILL');
    await server.process.end('SIGKILL');
    await a.process.begin();
    await a.register(TTL);
    expect(Object.keys((await a.get('/v1/agent/services')) as object)).toEqual(['web']);
    expect(await a.isLinked()).toBe(false);
    expect(await a.ask('GET', '/v1/catalog/services')).toMatchObject({ status: 500, text: 'No known Consul servers' });
    expect(await a.digs(WEB)).toContain('status: SERVFAIL');
    await server.process.begin();
    await until(async () => (await server.dig(WEB, 'SRV')).length === 1, 'the registration');
    expect(await a.dig(WEB, 'SRV')).toEqual(['1 1 80 a.node.dc1.consul.']);
  });

  test('goes on while its server is gone: what was asked is answered and marked, nobody is woken, and what changed is told after', async () => {
    const { server, agents } = await start({ agents: ['a'] });
    const [a] = agents as [Party];
    await a.register(TTL);
    await a.ask('PUT', '/v1/kv/k', 'v');
    const known = await a.ask('GET', '/v1/health/service/web');
    await a.ask('GET', '/v1/kv/k?raw');
    expect(await a.dig(WEB, 'SRV')).toHaveLength(1);
    const index = known.headers.get('X-Consul-Index') ?? '';
    const blocked = { since: Date.now(), endedAt: 0, reply: null as null | Awaited<ReturnType<Party['ask']>> };
    const waits = a.ask('GET', `/v1/health/service/web?index=${index}&wait=60s`).then((reply) => {
      blocked.reply = reply;
      blocked.endedAt = Date.now();
    });
    await server.process.end('SIGKILL');
    await until(async () => !(await a.isLinked()), 'the cut');
    const stale = await a.ask('GET', '/v1/health/service/web');
    expect(JSON.parse(stale.text)).toEqual(JSON.parse(known.text));
    expect(stale.headers.get('X-Consul-KnownLeader')).toBe('false');
    expect(stale.headers.get('X-Drover-Stale')).toBe('true');
    expect(Number(stale.headers.get('X-Consul-LastContact'))).toBeGreaterThanOrEqual(0);
    expect((await a.ask('GET', '/v1/kv/k?raw')).text).toBe('v');
    expect((await a.ask('GET', '/v1/kv/k?consistent')).status).toBe(500);
    expect(await a.ask('PUT', '/v1/kv/k', 'w')).toMatchObject({ status: 500, text: 'No known Consul servers' });
    expect((await a.ask('DELETE', '/v2/datastores/X')).status).toBe(503);
    expect(await a.get('/v1/agent/members')).toMatchObject([{ Name: 'a' }]);
    expect(await a.dig(WEB, 'SRV')).toEqual(['1 1 80 a.node.dc1.consul.']);
    expect(await a.digs('never.service.consul')).toContain('status: SERVFAIL');
    // A check that changes meanwhile is told later; one that changes back is no flap.
    await setCheck(a, 'fail');
    await setCheck(a, 'pass');
    expect(blocked.reply).toBeNull();
    await server.process.begin();
    await until(() => a.isLinked(), 'the link');
    expect(blocked.reply).toBeNull();
    await setCheck(a, 'fail');
    await waits;
    expect(blocked.reply?.status).toBe(200);
    expect(Number(blocked.reply?.headers.get('X-Consul-Index'))).toBeGreaterThan(Number(index));
    expect(blocked.reply?.text).toContain('"critical"');
    // One transition in all: what was back by the time of the link never was.
    const history = (await server.get('/v2/nodes/a/checks/service:web/history')) as readonly {
      readonly status: string;
    }[];
    expect(history.map(({ status }) => status)).toEqual(['critical']);
  });
});
