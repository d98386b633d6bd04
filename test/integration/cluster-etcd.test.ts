import { createConnection } from 'node:net';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { EtcdCluster, type EtcdClusterOptions } from '../cluster/etcd-cluster.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';

const WITHIN_MS = 20_000;

let open: EtcdCluster | undefined;

async function start(options: EtcdClusterOptions): Promise<EtcdCluster> {
  open = await EtcdCluster.start(options);
  return open;
}

afterEach(async () => {
  await open?.[Symbol.asyncDispose]();
  open = undefined;
});

requireComponent('etcd')('EtcdCluster', () => {
  test('start() gives one member that takes writes when nothing is told', async () => {
    const cluster = await start({});
    await cluster.etcdctl('put', 'a', '1');
    expect(await cluster.etcdctl('get', 'a', '--print-value-only')).toBe('1\n');
    expect(cluster.url).toBe(`etcd://${cluster.endpoints[0]}`);
    await cluster[Symbol.asyncDispose]();
    expect(existsSync(cluster.folder)).toBe(false);
    expect(cluster.pids.map(isThere)).toEqual([false]);
  });

  test('start() gives members that ask for certificates and passwords when told', async () => {
    const cluster = await start({ tls: true, auth: true, addresses: ['127.0.0.1', '127.0.0.2'] });
    await cluster.etcdctl('put', 'a', '1');
    expect(await cluster.etcdctl('user', 'list')).toBe('drover\nroot\n');
    const socket = createConnection({ host: '127.0.0.1', port: Number(cluster.endpoints[0]?.split(':')[1]) });
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
  });

  test('kill() loses nothing when the member is started again on its data', async () => {
    const cluster = await start({ members: 3 });
    await cluster.etcdctl('put', 'a', '1');
    const leader = await cluster.leader();
    await cluster.kill(leader);
    await until(async () => [leader, -1].includes(await cluster.leader()) === false, WITHIN_MS);
    await cluster.start(leader);
    await cluster.ready();
    expect(await cluster.etcdctl('get', 'a', '--print-value-only')).toBe('1\n');
    expect((await cluster.status()).every((status) => status !== null)).toBe(true);
  });

  test('cut() takes the leadership from a member, and heal() gives it back to the others', async () => {
    const cluster = await start({ members: 3, lines: true });
    const leader = await cluster.leader();
    await cluster.cut(leader);
    await until(async () => [leader, -1].includes(await cluster.leader()) === false, WITHIN_MS);
    expect((await cluster.status())[leader]).toBe(null);
    await cluster.healAll();
    const next = (leader + 1) % 3;
    await cluster.moveLeader(next);
    expect(await cluster.leader()).toBe(next);
  });

  test('pause() stops a member, and resume() lets it go on', async () => {
    const cluster = await start({ members: 3 });
    cluster.pause(1);
    expect((await cluster.status())[1]).toBe(null);
    cluster.resume(1);
    await until(async () => (await cluster.status())[1] !== null, WITHIN_MS);
  });
});

function isThere(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
