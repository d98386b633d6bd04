import { spawn } from 'node:child_process';
import { chmod, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findComponent, requireComponent } from '../require-component.ts';
import {
  BalancerBench,
  freePorts,
  frontendOf,
  get,
  haproxyPids,
  listen,
  memberOf,
  viewOf,
} from './balancer-fixture.ts';
import { until } from '../until.ts';

requireComponent('haproxy')('LocalBalancer: what is refused', () => {
  let bench: BalancerBench;
  let other: BalancerBench;
  let first: number;
  let second: number;
  beforeEach(async () => {
    bench = await BalancerBench.open();
    other = await BalancerBench.open();
    [first, second] = (await freePorts(2)) as [number, number];
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  it('offer() names the stranger that holds a port, serves the other one, and takes the first when it is free', async () => {
    const one = await bench.instance('one');
    const stranger = await listen(net.createServer(), first);
    const balancer = await bench.balancer();
    const members = [memberOf('a/one', one.port)];
    const frontends = [frontendOf(first, members), frontendOf(second, members, { service: 'www' })];
    await balancer.offer(viewOf(1, frontends));
    const receipt = bench.receipt(1);
    expect(receipt?.outcome).toBe('failed');
    expect(receipt?.reason).toContain(`api: port 127.0.0.1:${first} is taken by`);
    expect(receipt?.reason).toContain(`(pid ${process.pid})`);
    expect(Date.parse(receipt?.retryAt ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect((await get(second)).body).toBe('one');
    expect((await balancer.status()).frontends.map((frontend) => frontend.error === null)).toEqual([false, true]);
    await stranger[Symbol.asyncDispose]();
    await until('the port is taken up', () => bench.receipt(1)?.outcome === 'applied');
    expect((await get(first)).body).toBe('one');
  });

  it('offer() never shares the port of another HAProxy, and names its node', async () => {
    const [one, two] = [await bench.instance('one'), await other.instance('two')];
    const theirs = await other.balancer({ node: 'api-1', onStop: 'keep' });
    await theirs.offer(viewOf(1, [frontendOf(first, [memberOf('b/two', two.port)])]));
    const ours = await bench.balancer();
    await ours.offer(viewOf(1, [frontendOf(first, [memberOf('a/one', one.port)])]));
    expect(bench.receipt(1)?.reason).toContain('another drover, node api-1, pid');
    // Its agent gone, its HAProxy still there.
    await theirs[Symbol.asyncDispose]();
    await ours.offer(viewOf(2, [frontendOf(first, [memberOf('a/one', one.port)], { panicking: true })]));
    expect(bench.receipt(2)?.outcome).toBe('failed');
    expect(bench.receipt(2)?.reason).toMatch(/taken by haproxy \(pid \d+\), the balancer of drover node api-1/);
    for (let i = 0; i < 5; i++) expect((await get(first)).body).toBe('two');
    const { master } = await haproxyPids(other.configurationFile);
    process.kill(master, 'SIGTERM');
    await until('the port is taken up', () => bench.receipt(2)?.outcome === 'applied');
    expect((await get(first)).body).toBe('one');
  });

  it('offer() tells a second service of the same port, and an address that is not of this machine', async () => {
    const one = await bench.instance('one');
    const balancer = await bench.balancer();
    const members = [memberOf('a/one', one.port)];
    await balancer.offer(viewOf(1, [frontendOf(first, members, { service: 'www' }), frontendOf(first, members)]));
    expect(bench.receipt(1)?.reason).toBe(`www: port 127.0.0.1:${first} is already that of service api`);
    expect((await get(first)).body).toBe('one');
    await balancer.offer(viewOf(2, [frontendOf(first, members)], '192.0.2.1'));
    expect(bench.receipt(2)?.reason).toContain('this machine has no address 192.0.2.1');
  });

  it('offer() is refused without HAProxy, says where it was looked for, and goes on when it is there', async () => {
    const one = await bench.instance('one');
    const binary = path.join(bench.directory, 'haproxy');
    const balancer = await bench.balancer({ haproxy: binary });
    await balancer.offer(viewOf(1, [frontendOf(first, [memberOf('a/one', one.port)])]));
    expect(bench.receipt(1)).toMatchObject({
      outcome: 'refused',
      reason: `balancer.haproxy is ${binary}, which is not there or cannot be run`,
    });
    await writeFile(binary, `#!/bin/sh\nexec ${findComponent('haproxy')} "$@"\n`);
    await chmod(binary, 0o755);
    await balancer.offer(viewOf(2, [frontendOf(first, [memberOf('a/one', one.port)])]));
    expect(bench.receipt(2)?.outcome, bench.receipt(2)?.reason).toBe('applied');
  });

  it('offer() tells what HAProxy refuses; the last good configuration keeps running and its members follow', async () => {
    const [one, two] = [await bench.instance('one'), await bench.instance('two')];
    const bad = path.join(bench.directory, 'bad.cfg');
    const binary = path.join(bench.directory, 'haproxy');
    const script = `if [ -e ${bad} ]; then set -- "$@" -f ${bad}; fi\nexec ${findComponent('haproxy')} "$@"`;
    await writeFile(binary, `#!/bin/sh\n${script}\n`);
    await chmod(binary, 0o755);
    const balancer = await bench.balancer({ haproxy: binary });
    await balancer.offer(viewOf(1, [frontendOf(first, [memberOf('a/one', one.port)])]));
    const good = await bench.configuration();

    await writeFile(bad, 'frontend oops\n  bimd 127.0.0.1:1\n');
    const members = [memberOf('b/two', two.port)];
    await balancer.offer(viewOf(2, [frontendOf(first, members), frontendOf(second, members, { service: 'www' })]));
    expect(bench.receipt(2)?.outcome).toBe('refused');
    expect(bench.receipt(2)?.reason).toContain("unknown keyword 'bimd'");
    await until('the members follow', async () => (await get(first)).body === 'two');
    expect(await bench.configuration()).toBe(good);

    await rm(bad);
    await balancer.offer(viewOf(3, [frontendOf(first, members)]));
    expect(bench.receipt(3)?.outcome).toBe('applied');
  });

  it('probes a port in a way that a wildcard listener with SO_REUSEPORT does not escape', async () => {
    const program = `
      import socket, time
      s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
      s.bind(("0.0.0.0", ${first})); s.listen(); print("up", flush=True); time.sleep(60)`;
    const script = program.replaceAll('\n      ', '\n').trim();
    const stranger = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await new Promise((resolve) => stranger.stdout.once('data', resolve));
      const balancer = await bench.balancer();
      await balancer.offer(viewOf(1, [frontendOf(first, [])]));
      expect(bench.receipt(1)?.reason).toContain(`(pid ${stranger.pid})`);
    } finally {
      stranger.kill('SIGKILL');
    }
  });
});
