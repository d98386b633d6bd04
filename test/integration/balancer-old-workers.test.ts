import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requireComponent } from '../require-component.ts';
import { BalancerBench, freePorts, frontendOf, get, listen, memberOf, portOf, viewOf } from './balancer-fixture.ts';
import { until } from '../until.ts';

async function talk(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write('hello\n');
  await once(socket, 'data');
  return socket;
}

requireComponent('haproxy')('LocalBalancer: workers that a reload left', () => {
  let bench: BalancerBench;
  let agent: http.Agent;
  beforeEach(async () => {
    bench = await BalancerBench.open();
    agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  });
  afterEach(async () => {
    agent.destroy();
    await bench[Symbol.asyncDispose]();
  });

  it.for([
    ['removed', false],
    ['draining', true],
  ] as const)(
    'offer() keeps a kept-alive connection of an old worker off a member that is %s',
    async ([, draining]) => {
      const [port, other] = (await freePorts(2)) as [number, number];
      const instances = await Promise.all(['one', 'two', 'three', 'four'].map((name) => bench.instance(name)));
      const members = instances.map((one, index) => memberOf(`a/${index}`, one.port));
      const second = { ...frontendOf(other, members.slice(3)), service: 'search' };
      const balancer = await bench.balancer();
      await balancer.offer(viewOf(1, [frontendOf(port, members)]));
      const first = await get(port, { agent });
      // Another frontend needs a reload: the idle connection stays with the worker that is now old.
      await balancer.offer(viewOf(2, [frontendOf(port, members), second]));
      expect(bench.receipt(2)?.outcome, bench.receipt(2)?.reason).toBe('applied');
      const names = ['one', 'two', 'three', 'four'];
      // Round robin gives the old connection the member after its first: only one of the others stays.
      const at = names.indexOf(first.body);
      const left = members.map((member, index) => ({ ...member, draining: draining && index !== at }));
      const kept = draining ? left : left.filter((_one, index) => index === at);
      await balancer.offer(viewOf(3, [frontendOf(port, kept), second]));
      expect(bench.receipt(3)?.outcome, bench.receipt(3)?.reason).toBe('applied');
      expect((await get(port, { agent })).body).toBe(first.body);
    },
  );

  it.for([
    ['with the reload', true],
    ['after it', false],
  ] as const)('offer() closes tcp sessions of a member that is gone %s', async ([, atOnce]) => {
    const [port, other] = (await freePorts(2)) as [number, number];
    const server = await listen(
      net.createServer((socket) => socket.on('error', () => undefined).on('data', () => socket.write('one\n'))),
    );
    bench.use(server);
    const api = frontendOf(port, [memberOf('a/one', portOf(server))], { protocol: 'tcp' });
    const search = frontendOf(other, [], { service: 'search' });
    const balancer = await bench.balancer({ timing: { ...bench.timing, drainCapMs: 60_000 } });
    await balancer.offer(viewOf(1, [api]));
    using socket = Object.assign(await talk(port), {
      [Symbol.dispose]: () => void socket.destroy(),
    });
    if (!atOnce) await balancer.offer(viewOf(2, [api, search]));
    expect(socket.closed).toBe(false);
    await balancer.offer(viewOf(3, [{ ...api, members: [] }, search]));
    expect(bench.receipt(3)?.outcome, bench.receipt(3)?.reason).toBe('applied');
    await until('the session is closed', () => socket.closed, 3_000);
  });
});
