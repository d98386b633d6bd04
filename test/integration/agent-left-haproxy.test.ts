import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Agent, loadConfig } from '../../src/agent/index.ts';
import { stopLeftHaproxy } from '../../src/balancer/index.ts';
import { systemClock } from '../../src/lib/index.ts';
import { requireComponent } from '../require-component.ts';
import { BalancerBench, freePorts, frontendOf, haproxyPids, viewOf } from './balancer-fixture.ts';

const stopLeft = async (directory: string): Promise<void> => void (await stopLeftHaproxy(directory, systemClock));

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

requireComponent('haproxy')('Agent.start() and HAProxy that an earlier agent left', () => {
  it('Agent.start() ends those of nodes that are gone or have no balancer any more, and no other', async () => {
    await using bench = await BalancerBench.open();
    const data = path.join(bench.directory, 'data');
    const [kept, dropped, gone] = ['kept', 'dropped', 'gone'].map((name) => path.join(data, 'nodes', name));
    const ports = await freePorts(3);
    for (const [index, stateDirectory] of [kept, dropped, gone].entries()) {
      await mkdir(stateDirectory as string, { recursive: true });
      const balancer = await bench.balancer({ stateDirectory: stateDirectory as string, onStop: 'keep' });
      await balancer.offer(viewOf(index, [frontendOf(ports[index] as number, [])]));
      await balancer[Symbol.asyncDispose]();
      bench.use({ [Symbol.asyncDispose]: () => stopLeft(stateDirectory as string) });
    }
    const file = path.join(bench.directory, 'agent.json');
    const nodes = [{ name: 'kept', balancer: { on_stop: 'stop' } }, { name: 'dropped' }];
    await writeFile(file, JSON.stringify({ nodes }));
    const flags = { configFile: [file], dataDir: data, store: 'memory:', httpPort: -1, dnsPort: -1 };
    const config = await loadConfig({ server: true, timing: 'local', ...flags });
    const masters = async (): Promise<boolean[]> =>
      Promise.all(
        [kept, dropped, gone].map(
          async (one) => (await haproxyPids(path.join(one as string, 'balancer', 'haproxy.cfg'))).master > 0,
        ),
      );
    expect(await masters()).toEqual([true, true, true]);
    await using _agent = await Agent.start({ config, version: '0.0.0', log });
    expect((await masters()).slice(1)).toEqual([false, false]);
    expect(await stopLeftHaproxy(dropped as string, systemClock)).toBe(false);
  });
});
