import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { DroverCluster } from '../cluster/drover-cluster.ts';
import { DroverProcess } from '../cluster/drover-process.ts';
import { written } from '../cluster/ground.ts';
import { LoopbackGround } from '../cluster/loopback-ground.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';
import { ask, Follower, passingOf, Program, put } from './cluster-rig.ts';
import { perTestStack } from '../per-test-stack.ts';

const stack = perTestStack();

const HOUR_MS = 3_600_000;
const SHIFT = pathToFileURL(path.resolve(import.meta.dirname, '../cluster/shifted-clock.mjs')).href;

interface Clocks {
  readonly cluster: DroverCluster;
  /** Sets the wall clock of a process off by so many hours, from now on. */
  readonly set: (name: string, hours: number) => void;
}

/** One etcd, two servers and an agent; `hours`: by how much the clock of each is off from the start. */
async function start(hours: Readonly<Record<string, number>>): Promise<Clocks> {
  const folder = await mkdtemp(path.join(tmpdir(), 'drover-clocks-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const set = (name: string, off: number): void => writeFileSync(path.join(folder, name), String(off * HOUR_MS));
  for (const [name, off] of Object.entries(hours)) set(name, off);
  const cluster = stack.use(
    await DroverCluster.start({
      members: 1,
      servers: 2,
      agents: 1,
      ground: new LoopbackGround(),
      serverConfiguration: { timing: 'lan' },
      agentConfiguration: () => ({ timing: 'lan' }),
      env: (name) => ({ NODE_OPTIONS: `--import ${SHIFT}`, SHIFTED_CLOCK: path.join(folder, name) }),
    }),
  );
  return { cluster, set };
}

const statusOf = async (server: DroverProcess, node: string): Promise<string> =>
  (await ask<{ status: string }>(server, `/v2/nodes/${node}`)).status;

requireComponent('etcd')('clocks of a cluster that differ by hours', () => {
  test(
    'change nothing for liveness, sessions, locks, history and snapshots; an agent whose clock was ahead is taken up when it is put right',
    { timeout: 180_000 },
    async () => {
      const { cluster, set } = await start({ 'server-1': 7, 'agent-0': 5 });
      const [right, ahead] = cluster.servers as [DroverProcess, DroverProcess];
      const [agent] = cluster.agents as [DroverProcess];
      const program = stack.use(await Program.start('web', cluster.ground, agent.site));
      const { host: Address, port: Port } = program.listen;
      await put(agent, '/v1/agent/service/register', {
        Name: 'web',
        Address,
        Port,
        Check: { TCP: written(program.listen), Interval: '1s' },
      });
      await until(async () => (await passingOf(ahead, 'web')) === 'web', 20_000);
      const seen = new Follower(async () =>
        (await Promise.all([right, ahead].map((one) => passingOf(one, 'web')))).join(' '),
      );

      // A lock over a server whose clock is ahead stands, and jumps of either clock do not end it.
      const { ID } = await put<{ ID: string }>(ahead, '/v1/session/create', {
        TTL: '20s',
        Node: 'server-0',
        Checks: [],
      });
      expect(await put(ahead, `/v1/kv/lock?acquire=${ID}`, {})).toBe(true);
      set('server-1', -7);
      set('server-0', 3);
      await sleep(8_000);
      expect(await ask<object[]>(right, `/v1/session/info/${ID}`)).toHaveLength(1);
      expect((await ask<{ Session: string }[]>(right, '/v1/kv/lock'))[0]?.Session).toBe(ID);
      expect(
        await Promise.all([statusOf(right, 'agent-0'), statusOf(ahead, 'agent-0'), statusOf(right, 'server-1')]),
      ).toEqual(['up', 'up', 'up']);

      // History is in the order of revisions, whatever the clocks said.
      for (const [at, server] of [right, ahead, right, ahead].entries()) await put(server, '/v1/kv/told', { at });
      const told = await ask<{ revision: number }[]>(ahead, '/v2/history?kind=kv&subject=told');
      const revisions = told.map(({ revision }) => revision);
      expect(revisions).toHaveLength(4);
      expect(revisions).toEqual(revisions.toSorted((a, b) => b - a));

      const archive = await fetch(`${ahead.url}/v1/snapshot`);
      expect([archive.status, (await archive.arrayBuffer()).byteLength > 0]).toEqual([200, true]);

      // Its epochs are hours ahead of what its clock says now.
      await agent.kill();
      set('agent-0', 0);
      await agent.start();
      await until(async () => (await statusOf(right, 'agent-0')) === 'up', 20_000);
      await until(async () => (await ask<{ link: object | null }>(agent, '/v2/status')).link !== null, 20_000);
      expect(await put(agent, '/v1/agent/check/register', { Name: 'own', TTL: '1m', Status: 'passing' })).toBeNull();
      await until(
        async () =>
          (await ask<{ CheckID: string }[]>(right, '/v1/health/node/agent-0')).some(({ CheckID }) => CheckID === 'own'),
        20_000,
      );
      expect(await seen.stop()).toEqual(['web web']);
    },
  );

  test(
    'an agent whose clock was hours ahead greets on a new disk, too, when it is put right',
    { timeout: 120_000 },
    async () => {
      const { cluster, set } = await start({ 'agent-0': 5 });
      const [server] = cluster.servers as [DroverProcess];
      const [agent] = cluster.agents as [DroverProcess];
      await until(async () => (await statusOf(server, 'agent-0')) === 'up', 20_000);
      await agent.kill();
      set('agent-0', 0);
      await rm(path.join(agent.folder, 'data'), { recursive: true });
      await until(async () => (await statusOf(server, 'agent-0')) === 'suspected', 20_000);
      await agent.start();
      await until(
        async () => (await statusOf(server, 'agent-0')) === 'up',
        30_000,
        () => agent.said,
      );
    },
  );
});

interface Refused {
  readonly type: string;
  readonly code?: string;
  readonly message?: string;
}

requireComponent('etcd')('who speaks for a node', () => {
  test(
    'is the first of two agents of a name; the second is told, and so is one of another protocol',
    { timeout: 120_000 },
    async () => {
      const { cluster } = await start({});
      const [server, other] = cluster.servers as [DroverProcess, DroverProcess];
      const [agent] = cluster.agents as [DroverProcess];
      const second = stack.use(
        await DroverProcess.prepare({
          name: 'second',
          ground: cluster.ground,
          folder: path.dirname(agent.folder),
          configuration: () => ({
            node_name: 'agent-0',
            timing: 'lan',
            retry_join: [written(other.http.reached)],
            services: [{ name: 'usurper', port: 1 }],
          }),
        }),
      );
      await second.start();
      await until(
        () =>
          second.said.includes('REGISTRY_NODE_NAME_HELD') &&
          /greets for node .{2}agent-0.{2} is refused/.test(other.said),
        20_000,
        () => second.said,
      );
      await sleep(3_000);
      expect(await ask<object[]>(server, '/v1/catalog/service/usurper')).toEqual([]);
      expect(await ask<{ address: string }>(server, '/v2/nodes/agent-0')).toMatchObject({
        address: agent.site.outerAddress,
        status: 'up',
      });

      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v2/link`);
      const answer = new Promise<Refused>((resolve, reject) => {
        socket.once('error', reject);
        socket.on('message', (data: Buffer) => resolve(JSON.parse(data.toString()) as Refused));
      });
      await new Promise((resolve) => socket.once('open', resolve));
      socket.send(
        JSON.stringify({
          type: 'hello',
          protocol: 99,
          node: 'future',
          epoch: 1,
          agent: 'x',
          record: { name: 'future' },
          digests: {},
          choices: {},
        }),
      );
      const refused = await answer;
      socket.close();
      expect(refused).toMatchObject({ type: 'refused', code: 'LINK_PROTOCOL' });
      expect(refused.message).toMatch(/^the node speaks link protocol 99, this server speaks \d+$/);
      await until(
        () => /future.* is refused: the node speaks link protocol 99/.test(server.said),
        5_000,
        () => server.said,
      );
    },
  );
});
