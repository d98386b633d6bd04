import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DroverCluster } from '../cluster/drover-cluster.ts';
import { DroverProcess } from '../cluster/drover-process.ts';
import { written } from '../cluster/ground.ts';
import { LoopbackGround } from '../cluster/loopback-ground.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';
import { ask, put } from './cluster-rig.ts';
import { perTestStack } from '../per-test-stack.ts';

const stack = perTestStack();

const COUNT = 100;
const PROCESSES = 2;
const DEFINITIONS = [
  { id: 'web', provides: { WWW_URL: 'http://{HOST}:{PORT}' } },
  { id: 'front', requires: { WWW_URL: '{WWW_URL}' } },
];

interface WireListener {
  readonly runs: number;
  readonly running: boolean;
  readonly queued: boolean;
  readonly last: { readonly revision: number };
}

/** A port that all of them are reached at: nothing is asked of it but that it is there. */
async function anyPort(): Promise<number> {
  const listener = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  stack.defer(() => void listener.close());
  return (listener.address() as AddressInfo).port;
}

/** Two servers, and a node whose provisions see who provides. */
async function start(): Promise<DroverCluster> {
  const front = { runs: ['front'], provision: { command: 'true', membership: true } };
  return stack.use(
    await DroverCluster.start({
      members: 1,
      servers: 2,
      agents: 1,
      ground: new LoopbackGround(),
      timing: 'lan',
      agentConfiguration: () => front,
    }),
  );
}

/** Half of the nodes in each process, all at once. */
async function join({ ground, servers, agents }: DroverCluster, port: number): Promise<void> {
  const folder = path.dirname((agents[0] as DroverProcess).folder);
  const joining = Array.from({ length: PROCESSES }, async (_, part) => {
    const nodes = Array.from({ length: COUNT / PROCESSES }, (_none, at) => ({
      name: `n${part}-${at}`,
      address: '127.0.0.1',
      services: [{ id: `web-${part}-${at}`, name: 'web', port }],
    }));
    const retryJoin = servers.map(({ http }) => written(http.reached));
    const configuration = (): object => ({ retry_join: retryJoin, timing: 'lan', nodes });
    const agent = stack.use(await DroverProcess.prepare({ name: `many-${part}`, ground, folder, configuration }));
    await agent.start();
  });
  await Promise.all(joining);
}

requireComponent('etcd')('nodes that join a cluster', () => {
  test(
    '100 at once make one that depends on them provision once or twice, and the last time it sees all',
    { timeout: 180_000 },
    async () => {
      const port = await anyPort();
      const cluster = await start();
      const [server] = cluster.servers as [DroverProcess];
      const [front] = cluster.agents as [DroverProcess];
      await put(server, '/v2/definitions', DEFINITIONS);
      const listener = (): Promise<WireListener> => ask(front, '/v2/listener');
      await until(async () => (await listener()).runs >= 1, 30_000);
      // The throttle of the first run is over: what comes now is for the joins alone.
      await sleep(11_000);
      const { runs: before } = await listener();
      await join(cluster, port);
      const instances = async (): Promise<number> =>
        (await ask<object[]>(server, '/v1/health/service/web?passing')).length;
      await until(async () => (await instances()) === COUNT, 60_000);
      await until(async () => {
        const { running, queued, runs } = await listener();
        return !running && !queued && runs > before;
      }, 60_000);
      await sleep(2_000);
      const { runs, last } = await listener();
      expect(runs - before).toBeGreaterThanOrEqual(1);
      expect(runs - before).toBeLessThanOrEqual(2);
      // The health of a provider is no input, its being there is.
      const rows = await ask<{ ModifyIndex: number }[]>(server, '/v1/catalog/service/web');
      expect(last.revision).toBeGreaterThanOrEqual(Math.max(...rows.map(({ ModifyIndex }) => ModifyIndex)));
    },
  );
});
