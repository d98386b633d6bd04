import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requireComponent } from '../require-component.ts';
import { identifyProcess } from '../../src/lib/index.ts';
import { BalancerBench, freePorts, frontendOf, get, haproxyPids, memberOf, viewOf } from './balancer-fixture.ts';
import { until } from '../until.ts';

/** A process of its own that runs a balancer with one view until it is killed. */
const HOST = `
  import { LocalBalancer } from ${JSON.stringify(path.resolve('src/balancer/index.ts'))};
  import { systemClock, TIMING } from ${JSON.stringify(path.resolve('src/lib/index.ts'))};
  const [stateDirectory, view] = process.argv.slice(1);
  const balancer = await LocalBalancer.start({
    node: 'staging', stateDirectory, clock: systemClock, timing: TIMING.local, onStop: 'keep',
    receipt: (receipt) => console.log(receipt.outcome), log: { info() {}, warn() {} },
  });
  await balancer.offer(JSON.parse(view));
  setInterval(() => {}, 1000);
`;

requireComponent('haproxy')('LocalBalancer: life of HAProxy', () => {
  let bench: BalancerBench;
  let ports: number[];
  beforeEach(async () => {
    bench = await BalancerBench.open();
    ports = await freePorts(3);
  });
  afterEach(() => bench[Symbol.asyncDispose]());
  const port = (): number => ports[0] as number;

  it('start() adopts the HAProxy of an agent that was killed, without touching it', async () => {
    const [one, two] = [await bench.instance('one'), await bench.instance('two')];
    const view = viewOf(1, [frontendOf(port(), [memberOf('a/one', one.port)])]);
    const host = spawn(process.execPath, ['--input-type=module', '-e', HOST, bench.directory, JSON.stringify(view)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(host.stdout, 'data')) as [Buffer];
    expect(String(said).trim()).toBe('applied');
    host.kill('SIGKILL');
    await once(host, 'exit');
    expect((await get(port())).body).toBe('one');

    const before = await haproxyPids(bench.configurationFile);
    const balancer = await bench.balancer();
    await balancer.offer(viewOf(2, [frontendOf(port(), [memberOf('a/one', one.port), memberOf('b/two', two.port)])]));
    expect(bench.receipt(2)?.outcome, bench.receipt(2)?.reason).toBe('applied');
    expect(await haproxyPids(bench.configurationFile)).toEqual(before);
    expect(new Set([(await get(port())).body, (await get(port())).body])).toEqual(new Set(['one', 'two']));
  });

  it('dispose keeps HAProxy when onStop says keep, and stops it when it says stop', async () => {
    const one = await bench.instance('one');
    const view = viewOf(1, [frontendOf(port(), [memberOf('a/one', one.port)])]);
    const keeping = await bench.balancer({ onStop: 'keep' });
    await keeping.offer(view);
    await keeping[Symbol.asyncDispose]();
    expect((await get(port())).body).toBe('one');
    const stopping = await bench.balancer({ onStop: 'stop' });
    await stopping.offer(view);
    expect(bench.receipts).toHaveLength(2);
    await stopping[Symbol.asyncDispose]();
    await expect(get(port())).rejects.toThrow('ECONNREFUSED');
    expect((await haproxyPids(bench.configurationFile)).master).toBe(0);
  });

  for (const whom of ['master', 'worker'] as const) {
    it(`restarts HAProxy with its members when its ${whom} is killed, and leaves no second one`, async () => {
      const one = await bench.instance('one');
      const balancer = await bench.balancer();
      await balancer.offer(viewOf(1, [frontendOf(port(), [])]));
      await balancer.offer(viewOf(2, [frontendOf(port(), [memberOf('a/one', one.port)])]));
      const before = await haproxyPids(bench.configurationFile);
      process.kill(whom === 'master' ? before.master : (before.workers[0] as number), 'SIGKILL');
      await until('a new HAProxy answers', async () => {
        const now = await haproxyPids(bench.configurationFile);
        return (
          now.master !== 0 && now.master !== before.master && (await get(port()).catch(() => null))?.body === 'one'
        );
      });
      const after = await haproxyPids(bench.configurationFile);
      expect(after.workers).toHaveLength(1);
      expect(after.workers).not.toEqual(before.workers);
      await balancer.offer(viewOf(3, [frontendOf(port(), [])]));
      expect(bench.receipt(3)?.outcome).toBe('applied');
    });
  }

  it('offer() is late, not stuck, while the worker is stopped; the receipt follows when it goes on', async () => {
    const [one, two] = [await bench.instance('one'), await bench.instance('two')];
    const balancer = await bench.balancer();
    expect((await balancer.status()).stale).toContain('no view');
    await balancer.offer(viewOf(1, [frontendOf(port(), [memberOf('a/one', one.port)])]));
    const [worker] = (await haproxyPids(bench.configurationFile)).workers as [number];
    process.kill(worker, 'SIGSTOP');
    try {
      const startedAt = performance.now();
      await balancer.offer(viewOf(2, [frontendOf(port(), [memberOf('b/two', two.port)])]));
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      await balancer.offer(viewOf(3, [frontendOf(port(), [memberOf('a/one', one.port), memberOf('b/two', two.port)])]));
      expect(bench.receipts).toHaveLength(1);
      expect((await balancer.status()).stale).toContain('does not answer');
    } finally {
      process.kill(worker, 'SIGCONT');
    }
    await until('the receipt', () => bench.receipt(3));
    expect(bench.receipt(3)?.outcome).toBe('applied');
    expect(bench.receipt(2)).toBeUndefined();
    expect(new Set([(await get(port())).body, (await get(port())).body])).toEqual(new Set(['one', 'two']));
    expect((await balancer.status()).stale).toBeNull();
    expect((await haproxyPids(bench.configurationFile)).workers).toEqual([worker]);
  });

  it('offer() reloads for a new service: members stay, no request is lost, old workers go', async () => {
    const one = await bench.instance('one');
    const balancer = await bench.balancer();
    const api = frontendOf(port(), [memberOf('a/one', one.port)]);
    await balancer.offer(viewOf(1, [api]));
    const before = await haproxyPids(bench.configurationFile);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    let running = true;
    const bodies: string[] = [];
    const load = Promise.all(
      [1, 2, 3, 4].map(async () => {
        while (running) bodies.push((await get(port(), { agent })).body);
      }),
    );
    for (let round = 0; round < 5; round++) {
      const www = frontendOf(ports[1] as number, [memberOf('a/one', one.port)], { service: 'www' });
      await balancer.offer(viewOf(round + 2, round % 2 === 0 ? [api, www] : [api]));
      expect(bench.receipt(round + 2)?.outcome, bench.receipt(round + 2)?.reason).toBe('applied');
    }
    running = false;
    await load;
    agent.destroy();
    expect(new Set(bodies)).toEqual(new Set(['one']));
    expect((await get(ports[1] as number)).body).toBe('one');
    await until('one worker is left', async () => (await haproxyPids(bench.configurationFile)).workers.length === 1);
    const after = await haproxyPids(bench.configurationFile);
    expect(after.master).toBe(before.master);
    expect(after.workers).not.toEqual(before.workers);
    expect((await balancer.status()).oldWorkers).toBe(0);
  });

  it('offer() stops HAProxy when the node has no balancer any more, and starts it again', async () => {
    const one = await bench.instance('one');
    const balancer = await bench.balancer();
    const frontends = [frontendOf(port(), [memberOf('a/one', one.port)])];
    await balancer.offer(viewOf(1, frontends));
    await balancer.offer(viewOf(2, null));
    expect(bench.receipt(2)?.outcome).toBe('applied');
    expect((await balancer.status()).pid).toBeNull();
    await balancer.offer(viewOf(3, frontends));
    expect(bench.receipt(3)?.outcome).toBe('applied');
    expect((await get(port())).body).toBe('one');
  });

  it('start() kills nothing of a stranger that took the pid of a HAProxy that is gone', async () => {
    const one = await bench.instance('one');
    const balancer = await bench.balancer({ onStop: 'keep' });
    await balancer.offer(viewOf(1, [frontendOf(port(), [memberOf('a/one', one.port)])]));
    const { master } = await haproxyPids(bench.configurationFile);
    await balancer[Symbol.asyncDispose]();
    process.kill(master, 'SIGKILL');
    await until('it is gone', async () => (await haproxyPids(bench.configurationFile)).workers.length === 0);
    const file = path.join(bench.directory, 'balancer', 'haproxy.json');
    const record = JSON.parse(await readFile(file, 'utf8')) as { identity: { pid: number } };
    record.identity.pid = process.pid;
    await writeFile(file, JSON.stringify(record));
    const next = await bench.balancer();
    await next.offer(viewOf(2, [frontendOf(port(), [memberOf('a/one', one.port)])]));
    expect(bench.receipt(2)?.outcome).toBe('applied');
    expect(identifyProcess(process.pid)).not.toBeNull();
  });

  it('start() brings back a HAProxy that died while no agent ran, with its last members, before any view', async () => {
    const one = await bench.instance('one');
    const balancer = await bench.balancer({ onStop: 'keep' });
    await balancer.offer(viewOf(1, [frontendOf(port(), [])]));
    await balancer.offer(viewOf(2, [frontendOf(port(), [memberOf('a/one', one.port)])]));
    const { master } = await haproxyPids(bench.configurationFile);
    await balancer[Symbol.asyncDispose]();
    process.kill(master, 'SIGKILL');
    await until('it is gone', async () => (await haproxyPids(bench.configurationFile)).workers.length === 0);
    const next = await bench.balancer();
    await until('it is back', async () => (await get(port()).catch(() => null))?.body === 'one');
    await next.offer(viewOf(3, [frontendOf(port(), [])]));
    expect(bench.receipt(3)?.outcome).toBe('applied');
  });

  it('offer() never says unchanged for what a HAProxy that did not answer may have half taken up', async () => {
    const [one, two] = [await bench.instance('one'), await bench.instance('two')];
    const [first, second] = [memberOf('a/one', one.port), memberOf('b/two', two.port)];
    const balancer = await bench.balancer();
    await balancer.offer(viewOf(1, [frontendOf(port(), [first])]));
    const [worker] = (await haproxyPids(bench.configurationFile)).workers as [number];
    process.kill(worker, 'SIGSTOP');
    await balancer.offer(viewOf(2, [frontendOf(port(), [second])]));
    await balancer.offer(viewOf(3, [frontendOf(port(), [first])]));
    expect(bench.receipts).toHaveLength(1);
    process.kill(worker, 'SIGCONT');
    await until('the receipt', () => bench.receipt(3)?.outcome === 'applied');
    expect((await get(port())).body).toBe('one');
  });

  it('offer() reloads when somebody reloaded another configuration by hand', async () => {
    const one = await bench.instance('one');
    const balancer = await bench.balancer();
    await balancer.offer(viewOf(1, [frontendOf(port(), [])]));
    const text = await bench.configuration();
    await writeFile(bench.configurationFile, text.slice(0, text.indexOf('frontend api')));
    const before = await haproxyPids(bench.configurationFile);
    process.kill(before.master, 'SIGUSR2');
    await until('it was reloaded', async () => {
      const { workers } = await haproxyPids(bench.configurationFile);
      return workers.length === 1 && workers[0] !== before.workers[0];
    });
    await balancer.offer(viewOf(2, [frontendOf(port(), [memberOf('a/one', one.port)])]));
    await until('it is mended', () => bench.receipt(2)?.outcome === 'applied');
    expect((await get(port())).body).toBe('one');
  });

  it('start() finds a HAProxy that nobody had recorded yet, and costs it nothing', async () => {
    const one = await bench.instance('one');
    const view = viewOf(1, [frontendOf(port(), [memberOf('a/one', one.port)])]);
    const balancer = await bench.balancer({ onStop: 'keep' });
    await balancer.offer(view);
    const { master } = await haproxyPids(bench.configurationFile);
    await balancer[Symbol.asyncDispose]();
    await rm(path.join(bench.directory, 'balancer', 'haproxy.json'));
    const next = await bench.balancer();
    await next.offer({ ...view, revision: 2 });
    expect(bench.receipt(2)?.outcome, bench.receipt(2)?.reason).toBe('applied');
    expect((await haproxyPids(bench.configurationFile)).master).toBe(master);
  });
});
