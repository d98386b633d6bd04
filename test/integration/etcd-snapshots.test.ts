import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DroverCluster } from '../cluster/drover-cluster.ts';
import { written } from '../cluster/ground.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');
/** A busy machine with two cores keeps it. */
const WITHIN_MS = 30_000;
const run = promisify(execFile);

let folder = '';
let stack = new AsyncDisposableStack();
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'drover-snapshots-'));
});
afterEach(async () => {
  const used = stack;
  stack = new AsyncDisposableStack();
  await used.disposeAsync();
  await rm(folder, { recursive: true, force: true });
});

function originOf(cluster: DroverCluster, server: number): string {
  return `http://${written(cluster.servers[server]?.http.reached ?? { host: '', port: 0 })}`;
}

async function drover(cluster: DroverCluster, server: number, ...words: string[]): Promise<string> {
  const env = { ...process.env, DROVER_HTTP_ADDR: originOf(cluster, server) };
  return (await run(DROVER, words, { env })).stdout;
}

async function keyOf(cluster: DroverCluster, server: number, key: string): Promise<string | null> {
  const answer = await fetch(`${originOf(cluster, server)}/v1/kv/${key}?raw`);
  return answer.ok ? await answer.text() : null;
}

requireComponent('etcd')('snapshots of servers over etcd', () => {
  test('are saved, inspected and restored on any of them, and all go on from there', async () => {
    const cluster = stack.use(await DroverCluster.start({ members: 1, servers: 2 }));
    const file = path.join(folder, 'a.tgz');
    await fetch(`${originOf(cluster, 0)}/v1/kv/a`, { method: 'PUT', body: 'saved' });
    await drover(cluster, 1, 'snapshot:save', file);
    expect(await drover(cluster, 1, 'snapshot:inspect', file)).toMatch(/kv 1, .*node \d/);
    await fetch(`${originOf(cluster, 0)}/v1/kv/a`, { method: 'PUT', body: 'changed' });
    await fetch(`${originOf(cluster, 0)}/v1/kv/b`, { method: 'PUT', body: 'new' });
    const before = Number((await fetch(`${originOf(cluster, 1)}/v1/kv/a`)).headers.get('x-consul-index'));
    const waiting = fetch(`${originOf(cluster, 1)}/v1/kv/a?index=${before}&wait=60s`);
    await drover(cluster, 0, 'snapshot:restore', file, '--yes');
    for (const server of [0, 1]) {
      await until(async () => (await keyOf(cluster, server, 'a')) === 'saved', WITHIN_MS);
      expect(await keyOf(cluster, server, 'b')).toBeNull();
    }
    const woken = await waiting;
    expect(Number(woken.headers.get('x-consul-index'))).toBeGreaterThan(before);
    for (const family of ['srv/', 'lead/', 'node/server-0', 'node/server-1', 'own/'])
      await until(
        async () => (await cluster.etcd.etcdctl('get', '/drover/1', '--prefix', '--keys-only')).includes(`/${family}`),
        WITHIN_MS,
        () => `no ${family}`,
      );
    for (const server of [0, 1]) {
      const put = async (): Promise<boolean> =>
        (await fetch(`${originOf(cluster, server)}/v1/kv/after`, { method: 'PUT', body: 'x' })).ok;
      await until(put, WITHIN_MS);
    }
  });

  test('are saved by one of them when the configuration says so', async () => {
    const snapshots = { every: '10s', keep: 2, directory: path.join(folder, 'saved') };
    const cluster = stack.use(
      await DroverCluster.start({ members: 1, servers: 2, serverConfiguration: { snapshots } }),
    );
    const saved = (): Promise<string[]> => readdir(snapshots.directory).catch(() => []);
    await until(async () => (await saved()).some((name) => /^drover-.*\.snap$/.test(name)), WITHIN_MS);
    const [name = ''] = (await saved()).filter((one) => one.endsWith('.snap'));
    expect(await drover(cluster, 0, 'snapshot:inspect', path.join(snapshots.directory, name))).toMatch(/region dc1/);
    expect(await saved()).toHaveLength(1);
    const newestOf = async (server: number): Promise<unknown> => {
      const status = (await (await fetch(`${originOf(cluster, server)}/v2/status`)).json()) as {
        readonly snapshots: { readonly newest: object | null; readonly failure: string | null };
      };
      expect(status.snapshots.failure).toBeNull();
      return status.snapshots.newest;
    };
    expect([await newestOf(0), await newestOf(1)]).toContainEqual(
      expect.objectContaining({ file: path.join(snapshots.directory, name) }),
    );
  });
});
