import { readFile, writeFile } from 'node:fs/promises';
import { Resolver } from 'node:dns/promises';
import { expect, test } from 'vitest';
import { DroverCluster, type DroverClusterOptions } from '../cluster/drover-cluster.ts';
import type { DroverProcess } from '../cluster/drover-process.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';
import { perTestStack } from '../per-test-stack.ts';

const LONG_MS = 180_000;

const stack = perTestStack(LONG_MS);

async function start(options: DroverClusterOptions): Promise<DroverCluster> {
  const serverConfiguration = { timing: 'local', ...options.serverConfiguration };
  return stack.use(await DroverCluster.start({ ...options, serverConfiguration }));
}

const ask = (server: DroverProcess, path: string, method = 'GET', body?: unknown): Promise<Response> =>
  fetch(`${server.url}${path}`, {
    method,
    signal: AbortSignal.timeout(20_000),
    headers: typeof body === 'object' ? { 'content-type': 'application/json' } : {},
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

const json = async <T>(server: DroverProcess, path: string): Promise<T> =>
  (await ask(server, path)).json() as Promise<T>;

/** Ids of the instances of `web` that get traffic, as HTTP and as DNS have them. */
async function passing(server: DroverProcess): Promise<string[]> {
  const rows = await json<{ Service: { ID: string } }[]>(server, '/v1/health/service/web?passing&stale');
  return rows.map(({ Service }) => Service.ID).toSorted();
}

async function inDns(server: DroverProcess): Promise<number> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([`${server.http.listen.host}:${server.dnsPort}`]);
  const found = await resolver.resolveSrv('web.service.consul').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTFOUND') return [];
    throw error;
  });
  return found.length;
}

/** A service with a check that the test speaks for. */
async function register(server: DroverProcess, id: string, port: number): Promise<void> {
  const service = { Name: 'web', ID: id, Port: port, Check: { TTL: '1h', Status: 'passing' } };
  expect((await ask(server, '/v1/agent/service/register', 'PUT', service)).status).toBe(200);
}

const say = (server: DroverProcess, id: string, word: 'pass' | 'fail'): Promise<Response> =>
  ask(server, `/v1/agent/check/${word}/service:${id}`, 'PUT');

/** All that a server has of the catalog and of keys. */
async function everything(server: DroverProcess): Promise<string> {
  const parts = ['/v1/health/state/any', '/v1/catalog/nodes', '/v1/health/service/web', '/v1/kv/?recurse'];
  return JSON.stringify(
    await Promise.all(
      parts.map(async (path) => (await ask(server, `${path}${path.includes('?') ? '&' : '?'}stale`)).text()),
    ),
  );
}

async function loseQuorum({ etcd }: DroverCluster): Promise<void> {
  await etcd.kill(1);
  await etcd.kill(2);
}

async function getQuorum({ etcd }: DroverCluster): Promise<void> {
  for (const member of [1, 2]) etcd.begin(member);
  await etcd.ready();
}

const knowsLeader = async (server: DroverProcess): Promise<string | null> =>
  (await ask(server, '/v1/catalog/nodes?stale')).headers.get('x-consul-knownleader');

requireComponent('etcd')('servers over one etcd', () => {
  test(
    'what is written on one is read on all, and everybody says the same of who is there',
    { timeout: LONG_MS },
    async () => {
      const cluster = await start({ members: 1, servers: 3 });
      const [a, b, c] = cluster.servers as [DroverProcess, DroverProcess, DroverProcess];
      for (let round = 0; round < 20; round++) {
        const value = `v${round}`;
        expect((await ask(a, '/v1/kv/k', 'PUT', value)).status).toBe(200);
        // Read-your-writes on the same server; the newest on any, where that is asked for.
        expect(await (await ask(a, '/v1/kv/k?raw')).text()).toBe(value);
        for (const other of [b, c]) expect(await (await ask(other, '/v1/kv/k?raw&consistent')).text()).toBe(value);
      }
      // A client that comes from a fresher server waits, and never sees what is older.
      const index = (await ask(a, '/v1/kv/k')).headers.get('x-consul-index');
      const written = await ask(b, '/v1/kv/k', 'PUT', 'last');
      const revision = written.headers.get('x-drover-revision');
      const late = await ask(c, `/v1/kv/k?index=${index}&wait=5s`);
      expect(JSON.stringify(await late.json())).toContain(Buffer.from('last').toString('base64'));
      expect(Number(late.headers.get('x-consul-index'))).toBeGreaterThanOrEqual(Number(revision));
      await until(
        async () =>
          (await Promise.all(cluster.servers.map((one) => json<string[]>(one, '/v1/status/peers')))).every(
            (peers) => peers.length === 3,
          ),
        10_000,
      );
      const leaders = await Promise.all(cluster.servers.map((one) => json<string>(one, '/v1/status/leader')));
      expect(new Set(leaders).size).toBe(1);
      expect(leaders[0]).toMatch(/:8300$/);
      const members = await json<{ Name: string; Tags: { role: string } }[]>(b, '/v1/agent/members');
      expect(
        members
          .filter(({ Tags }) => Tags.role === 'consul')
          .map(({ Name }) => Name)
          .toSorted(),
      ).toEqual(['server-0', 'server-1', 'server-2']);
      const raft = await json<{ Servers: { Node: string; Leader: boolean }[] }>(c, '/v1/operator/raft/configuration');
      expect(raft.Servers.map(({ Node }) => Node).toSorted()).toEqual(['server-0', 'server-1', 'server-2']);
      expect(raft.Servers.filter(({ Leader }) => Leader)).toHaveLength(1);
      await register(a, 'web-1', 1_000);
      await until(async () => (await passing(c)).length === 1 && (await inDns(b)) === 1, 5_000);
      await until(async () => (await everything(a)) === (await everything(c)), 5_000);
    },
  );

  test(
    'without a quorum reads and DNS go on, what fails leaves its server, and all are equal within 5 s of its return',
    { timeout: LONG_MS },
    async () => {
      const cluster = await start({ members: 3, servers: 2 });
      const [a, b] = cluster.servers as [DroverProcess, DroverProcess];
      await register(a, 'web-1', 1_001);
      await register(a, 'web-2', 1_002);
      await ask(a, '/v1/kv/k', 'PUT', 'v');
      await until(async () => (await passing(b)).length === 2 && (await inDns(b)) === 2, 10_000);
      await loseQuorum(cluster);
      await until(async () => (await knowsLeader(a)) === 'false' && (await knowsLeader(b)) === 'false', 30_000);
      const refused = await ask(a, '/v1/kv/k', 'PUT', 'other');
      expect([refused.status, await refused.text()]).toEqual([500, 'No cluster leader']);
      const ours = await ask(a, '/v2/datastores/D', 'PUT', { value: 'v' });
      expect([ours.status, (await ours.json()) as unknown]).toMatchObject([
        500,
        { error: { code: 'STORE_NO_LEADER' } },
      ]);
      const consistent = await ask(b, '/v1/kv/k?consistent');
      expect([consistent.status, await consistent.text()]).toEqual([500, 'No cluster leader']);
      const stale = await ask(b, '/v1/kv/k?raw&stale');
      expect([stale.status, await stale.text()]).toEqual([200, 'v']);
      expect(Number(stale.headers.get('x-consul-lastcontact'))).toBeGreaterThan(0);
      expect(await inDns(a)).toBe(2);
      await say(a, 'web-1', 'fail');
      await until(async () => (await inDns(a)) === 1 && (await passing(a)).join() === 'web-2', 10_000);
      const seen = new Set<string>();
      let isOver = false;
      const watching = (async () => {
        while (!isOver) seen.add((await passing(a)).join());
      })();
      await getQuorum(cluster);
      const returnedMs = performance.now();
      await until(
        async () => (await passing(b)).join() === 'web-2' && (await everything(a)) === (await everything(b)),
        15_000,
      );
      const tookMs = performance.now() - returnedMs;
      isOver = true;
      await watching;
      // It did not come back for a moment on the server that knew.
      expect([...seen]).toEqual(['web-2']);
      expect(tookMs).toBeLessThan(5_000);
      expect((await ask(b, '/v1/kv/k', 'PUT', 'again')).status).toBe(200);
    },
  );

  test(
    'a server that is started while etcd is away serves what it held last, and catches up',
    { timeout: LONG_MS },
    async () => {
      const cluster = await start({ members: 1, servers: 2 });
      const [a, b] = cluster.servers as [DroverProcess, DroverProcess];
      await register(a, 'web-1', 1_001);
      await ask(a, '/v1/kv/k', 'PUT', 'v');
      await until(async () => (await passing(b)).length === 1, 10_000);
      // The mirror is written once a second.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      await cluster.etcd.kill(0);
      await b.kill();
      await b.start();
      expect(b.falls).toEqual([]);
      const stale = await ask(b, '/v1/kv/k?raw&stale');
      expect([stale.status, await stale.text()]).toEqual([200, 'v']);
      expect(stale.headers.get('x-consul-knownleader')).toBe('false');
      expect(Number(stale.headers.get('x-consul-lastcontact'))).toBeGreaterThan(1_000);
      expect([await passing(b), await inDns(b)]).toEqual([['web-1'], 1]);
      const refused = await ask(b, '/v1/kv/k', 'PUT', 'other');
      expect([refused.status, await refused.text()]).toEqual([500, 'No cluster leader']);
      await cluster.etcd.start(0);
      await until(async () => (await ask(b, '/v1/kv/k', 'PUT', 'new')).status === 200, 20_000);
      expect(await (await ask(a, '/v1/kv/k?raw&consistent')).text()).toBe('new');
      await until(async () => (await everything(a)) === (await everything(b)), 10_000);
    },
  );

  test(
    'duties move when their holder is killed or stands still, which writes nothing after',
    { timeout: LONG_MS },
    async () => {
      const cluster = await start({ members: 1, servers: 2 });
      const { etcd } = cluster;
      const [a, b] = cluster.servers as [DroverProcess, DroverProcess];
      const duties = async (): Promise<Map<string, string>> => {
        const rows = JSON.parse(await etcd.etcdctl('get', '--prefix', '/drover/1/lead/', '-w', 'json')) as {
          kvs?: { key: string; value: string }[];
        };
        return new Map(
          (rows.kvs ?? []).map(({ key, value }) => [
            Buffer.from(key, 'base64').toString().replace('/drover/1/lead/', ''),
            (JSON.parse(Buffer.from(value, 'base64').toString()) as { holder: string }).holder,
          ]),
        );
      };
      await until(async () => (await duties()).size >= 4, 10_000);
      const first = await duties();
      expect([...new Set(first.values())].every((holder) => holder === 'server-0' || holder === 'server-1')).toBe(true);
      a.pause();
      await until(
        async () =>
          new Set((await duties()).values()).has('server-0') === false && (await duties()).size === first.size,
        20_000,
      );
      const held = await duties();
      a.resume();
      await until(async () => (await knowsLeader(a)) === 'true', 20_000);
      // It does not take back what it lost while it stood still.
      expect(await duties()).toEqual(held);
      await b.kill();
      await until(
        async () =>
          [...(await duties()).values()].every((holder) => holder === 'server-0') &&
          (await duties()).size === first.size,
        20_000,
      );
    },
  );

  test('a second server of one name is refused, and says by whom', { timeout: LONG_MS }, async () => {
    const cluster = await start({ members: 1, servers: 2, serverConfiguration: {} });
    const [a, b] = cluster.servers as [DroverProcess, DroverProcess];
    await b.kill();
    const file = `${b.folder}/agent.json`;
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('"server-1"', '"server-0"'));
    b.begin();
    await until(() => Promise.resolve(!b.running), 40_000);
    expect(b.said).toContain('AGENT_SERVER_NAME_TAKEN');
    expect((await ask(a, '/v1/kv/k', 'PUT', 'v')).status).toBe(200);
  });
});
