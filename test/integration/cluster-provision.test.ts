import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { DroverProcess } from '../cluster/drover-process.ts';
import { written } from '../cluster/ground.ts';
import { LoopbackGround } from '../cluster/loopback-ground.ts';
import { until } from '../cluster/until.ts';

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const COUNT = 100;
const DEFINITIONS = [
  { id: 'web', provides: { WWW_URL: 'http://{HOST}:{PORT}' } },
  { id: 'front', requires: { WWW_URL: '{WWW_URL}' } },
];

test(
  '100 nodes that join at once make one that depends on them provision once or twice, and the last one sees all',
  { timeout: 180_000 },
  async () => {
    const ground = stack.use(new LoopbackGround());
    const folder = await mkdtemp(path.join(tmpdir(), 'drover-joins-'));
    stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    // What all of them are reached at: nothing is asked of it but that it is there.
    const listener = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    stack.defer(() => void listener.close());
    const { port } = listener.address() as AddressInfo;
    const front = { runs: ['front'], provision: { command: 'true', membership: true } };
    const server = stack.use(
      await DroverProcess.prepare({
        name: 'front',
        ground,
        folder,
        configuration: () => ({ server: true, store: 'memory:', timing: 'lan', ...front }),
      }),
    );
    await server.start();
    const put = await fetch(`${server.url}/v2/definitions`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(DEFINITIONS),
    });
    expect(put.status).toBe(200);
    const runs = async (): Promise<number> =>
      ((await (await fetch(`${server.url}/v2/listener`)).json()) as { runs: number }).runs;
    await until(async () => (await runs()) >= 1, 30_000);
    // The throttle of the first run is over: what comes now is for the joins alone.
    await sleep(11_000);
    const before = await runs();
    const nodes = Array.from({ length: COUNT }, (_, at) => ({
      name: `n${at}`,
      address: '127.0.0.1',
      services: [{ id: `web-${at}`, name: 'web', port }],
    }));
    const joined = { retry_join: [written(server.http.reached)], timing: 'lan', nodes };
    const agent = stack.use(await DroverProcess.prepare({ name: 'many', ground, folder, configuration: () => joined }));
    await agent.start();
    const instances = async (): Promise<number> =>
      ((await (await fetch(`${server.url}/v1/health/service/web?passing`)).json()) as object[]).length;
    await until(
      async () => (await instances()) === COUNT,
      60_000,
      () => agent.said.slice(-2_000),
    );
    const settled = async (): Promise<boolean> => {
      const { running, queued } = (await (await fetch(`${server.url}/v2/listener`)).json()) as Record<string, boolean>;
      return !running && !queued && (await runs()) > before;
    };
    await until(settled, 60_000);
    await sleep(2_000);
    expect((await runs()) - before).toBeGreaterThanOrEqual(1);
    expect((await runs()) - before).toBeLessThanOrEqual(2);
    // The health of a provider is no input, its being there is.
    const rows = (await (await fetch(`${server.url}/v1/catalog/service/web`)).json()) as { ModifyIndex: number }[];
    const { last } = (await (await fetch(`${server.url}/v2/listener`)).json()) as { last: { revision: number } };
    expect(last.revision).toBeGreaterThanOrEqual(Math.max(...rows.map(({ ModifyIndex }) => ModifyIndex)));
  },
);
