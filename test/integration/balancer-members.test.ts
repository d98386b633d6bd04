import { afterEach, beforeEach, expect, it } from 'vitest';
import { requireComponent } from '../require-component.ts';
import { BalancerBench, freePorts, frontendOf, get, haproxyPids, memberOf, until, viewOf } from './balancer-fixture.ts';

requireComponent('haproxy')('LocalBalancer: members', () => {
  let bench: BalancerBench;
  let port: number;
  beforeEach(async () => {
    bench = await BalancerBench.open();
    [port] = (await freePorts(1)) as [number];
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  it('offer() routes to the members, adds one without a reload and removes one', async () => {
    const [one, two] = [await bench.instance('one'), await bench.instance('two')];
    const balancer = await bench.balancer();
    await balancer.offer(viewOf(1, [frontendOf(port, [memberOf('a/one', one.port)])]));
    expect(bench.receipt(1)?.outcome, bench.receipt(1)?.reason).toBe('applied');
    expect((await get(port)).body).toBe('one');

    const before = await haproxyPids(bench.configurationFile);
    await balancer.offer(viewOf(2, [frontendOf(port, [memberOf('a/one', one.port), memberOf('b/two', two.port)])]));
    expect(bench.receipt(2)?.outcome).toBe('applied');
    expect(new Set([(await get(port)).body, (await get(port)).body])).toEqual(new Set(['one', 'two']));

    await balancer.offer(viewOf(3, [frontendOf(port, [memberOf('b/two', two.port)])]));
    expect(bench.receipt(3)?.outcome).toBe('applied');
    for (let i = 0; i < 4; i++) expect((await get(port)).body).toBe('two');
    expect(await haproxyPids(bench.configurationFile)).toEqual(before);
    await until('the file holds the members', async () => /server b:2Ftwo/.test(await bench.configuration()));
    await until('the object is deleted', async () => (await balancer.status()).frontends[0]?.members.length === 1);
  });
});
