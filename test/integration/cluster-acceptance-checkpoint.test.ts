import { expect, test } from 'vitest';
import { DroverCluster } from '../cluster/drover-cluster.ts';
import type { DroverProcess } from '../cluster/drover-process.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';
import { ask, drover, LONG_MS, put, sleep } from './cluster-acceptance.ts';
import { perTestStack } from '../per-test-stack.ts';

const stack = perTestStack(LONG_MS);

const valueAt = async (at: DroverProcess): Promise<string> => (await ask(at, '/v1/kv/k?raw&stale')).text();

requireComponent('etcd')('a checkpoint', () => {
  test(
    'of what a store held before it was restored is served while that is away, and never goes on with what it holds now',
    { timeout: LONG_MS },
    async () => {
      const cluster = stack.use(await DroverCluster.start({ members: 1, servers: 2 }));
      const [a, b] = cluster.servers as [DroverProcess, DroverProcess];
      const file = `${a.folder}/region.snap`;
      await put(a, '/v1/kv/k', 'old');
      expect(await drover(a, 'snapshot:save', file)).toMatchObject({ code: 0 });
      await put(a, '/v1/kv/k', 'newer');
      await until(async () => (await valueAt(b)) === 'newer', 20_000);
      // The mirror is written once a second.
      await sleep(3_000);
      await b.kill();
      const restored = await drover(a, 'snapshot:restore', file, '--yes');
      expect(restored, restored.stderr).toMatchObject({ code: 0 });
      await cluster.etcd.kill(0);
      await b.start();
      expect([await valueAt(b), b.falls]).toEqual(['newer', []]);

      await cluster.etcd.start(0);
      await until(
        () => b.falls.length > 0 || !b.running,
        40_000,
        () => b.said,
      );
      expect(b.said).toContain('AGENT_STORE_REPLACED');
      // As a supervisor would.
      await b.start();
      expect(await valueAt(b)).toBe('old');
      await until(async () => (await ask(b, '/v1/kv/k', 'PUT', 'written')).status === 200, 20_000);
      expect(await (await ask(a, '/v1/kv/k?raw&consistent')).text()).toBe('written');
    },
  );
});
