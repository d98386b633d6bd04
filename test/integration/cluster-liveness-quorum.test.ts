import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DroverCluster } from '../cluster/drover-cluster.ts';
import type { DroverProcess } from '../cluster/drover-process.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';
import { perTestStack } from '../per-test-stack.ts';

const LONG_MS = 180_000;
/** With this timing a silence of 0.6 s is a suspicion; the store finds out within seconds that it has lost its quorum. */
const OUT_WITHIN_MS = 15_000;

const stack = perTestStack(LONG_MS);

async function inDns(at: DroverProcess): Promise<number> {
  const resolver = new Resolver({ timeout: 3_000, tries: 3 });
  resolver.setServers([`${at.http.listen.host}:${at.dnsPort}`]);
  const found = await resolver.resolveSrv('web.service.consul').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTFOUND') return [];
    throw error;
  });
  return found.length;
}

/** A program that accepts connections, apart from its node's agent. */
async function program(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const code = `const s = require('node:net').createServer((c) => c.end()).listen(0, '127.0.0.1', () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  stack.defer(() => void child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, port: Number(said.toString()) };
}

requireComponent('etcd')('without a quorum of etcd', () => {
  test(
    'a node that dies is out of its server, and stays out when the quorum is back',
    { timeout: LONG_MS },
    async () => {
      const cluster = stack.use(await DroverCluster.start({ servers: 1, agents: 1 }));
      const [server] = cluster.servers as [DroverProcess];
      const [agent] = cluster.agents as [DroverProcess];
      const { child, port } = await program();
      const registered = await fetch(`${agent.url}/v1/agent/service/register`, {
        method: 'PUT',
        body: JSON.stringify({ Name: 'web', Address: '127.0.0.1', Port: port }),
      });
      expect(registered.status).toBe(200);
      await until(async () => (await inDns(server)) === 1, 20_000);

      for (const member of [1, 2]) cluster.etcd.pause(member);
      child.kill('SIGKILL');
      await agent.kill();
      const diedAtMs = performance.now();
      await until(async () => (await inDns(server)) === 0, 60_000);
      expect(performance.now() - diedAtMs).toBeLessThan(OUT_WITHIN_MS);

      const seen = new Set<number>();
      let isOver = false;
      const watching = (async () => {
        for (; !isOver; await sleep(20)) seen.add(await inDns(server));
      })();
      for (const member of [1, 2]) cluster.etcd.resume(member);
      const node = `${server.url}/v2/nodes/${agent.name}`;
      const status = async (): Promise<unknown> => ((await (await fetch(node)).json()) as { status: unknown }).status;
      await until(async () => (await status()) === 'down', 60_000);
      // Stored, not only shown.
      const stored = await fetch(`${server.url}/v1/health/service/web?consistent`);
      const rows = (await stored.json()) as { Checks: { CheckID: string; Status: string }[] }[];
      expect(rows[0]?.Checks).toContainEqual(expect.objectContaining({ CheckID: 'serfHealth', Status: 'critical' }));
      isOver = true;
      await watching;
      expect([...seen]).toEqual([0]);
    },
  );
});
