import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requireComponent } from '../require-component.ts';
import type { LocalBalancer } from '../../src/balancer/index.ts';
import {
  BalancerBench,
  freePorts,
  frontendOf,
  get,
  haproxyPids,
  listen,
  memberOf,
  portOf,
  viewOf,
} from './balancer-fixture.ts';
import { until } from '../until.ts';

/** An instance that answers each line with its name and keeps the connection. */
function tcpInstance(name: string): Promise<net.Server> {
  return listen(
    net.createServer((socket) => socket.on('error', () => undefined).on('data', () => socket.write(`${name}\n`))),
  );
}

async function talk(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write('hello\n');
  await once(socket, 'data');
  return socket;
}

async function membersOf(balancer: LocalBalancer): Promise<Record<string, string>> {
  const [frontend] = (await balancer.status()).frontends;
  return Object.fromEntries(
    (frontend?.members ?? []).map((member) => [member.key, `${member.state} ${member.weight}`]),
  );
}

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
    await until('the object is deleted', async () => Object.keys(await membersOf(balancer)).length === 1);
  });

  it('offer() says unchanged when the view is the same, and applied again when it is not', async () => {
    const one = await bench.instance('one');
    const balancer = await bench.balancer();
    const frontends = [frontendOf(port, [memberOf('a/one', one.port)])];
    await balancer.offer(viewOf(1, frontends));
    await balancer.offer(viewOf(2, frontends));
    await balancer.offer(viewOf(3, [frontendOf(port, [])]));
    expect(bench.receipts.map((receipt) => `${receipt.revision} ${receipt.outcome}`)).toEqual([
      '1 applied',
      '2 unchanged',
      '3 applied',
    ]);
  });

  it('answers 503 with Retry-After when a service has no member', async () => {
    const balancer = await bench.balancer();
    await balancer.offer(viewOf(1, [frontendOf(port, [])]));
    expect(bench.receipt(1)?.outcome).toBe('applied');
    const answer = await get(port);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
  });

  it('offer() shares by weight, and takes traffic away with weight 0', async () => {
    const [one, two] = [await bench.instance('one'), await bench.instance('two')];
    const balancer = await bench.balancer();
    const view = (revision: number, first: number, second: number) =>
      viewOf(revision, [
        frontendOf(port, [
          memberOf('a/one', one.port, { weight: first }),
          memberOf('b/two', two.port, { weight: second }),
        ]),
      ]);
    await balancer.offer(view(1, 1, 1));
    await balancer.offer(view(2, 3, 1));
    expect(await membersOf(balancer)).toEqual({ 'a/one': 'up 256', 'b/two': 'up 85' });
    const count = { one: 0, two: 0 };
    for (let i = 0; i < 40; i++) count[(await get(port)).body as 'one' | 'two']++;
    expect(count.one).toBeGreaterThan(count.two * 2);
    await balancer.offer(view(3, 0, 1));
    for (let i = 0; i < 4; i++) expect((await get(port)).body).toBe('two');
  });

  it('offer() makes a new object of a member that moved to another port: nothing goes to the old one', async () => {
    const [old, fresh] = [await bench.instance('old'), await bench.instance('fresh')];
    const balancer = await bench.balancer();
    await balancer.offer(viewOf(1, [frontendOf(port, [memberOf('a/x', old.port)])]));
    expect((await get(port)).body).toBe('old');
    await balancer.offer(viewOf(2, [frontendOf(port, [memberOf('a/x', fresh.port)])]));
    expect(bench.receipt(2)?.outcome).toBe('applied');
    for (let i = 0; i < 10; i++) expect((await get(port)).body).toBe('fresh');
    await until('one object is left', async () => Object.keys(await membersOf(balancer)).length === 1);
    await balancer.offer(viewOf(3, [frontendOf(port, [memberOf('a/x', old.port)])]));
    expect((await get(port)).body).toBe('old');
  });

  const hasIpv6 = Object.values(os.networkInterfaces()).some((all) => all?.some((one) => one.address === '::1'));
  it.skipIf(!hasIpv6)('offer() reaches members on IPv6 and names that HAProxy would not take', async () => {
    const six = net.createServer((socket) => {
      // HAProxy may be done with it before it has ended.
      socket.on('error', () => undefined).resume();
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nsix');
    });
    bench.use(six.listen(0, '::1'));
    await once(six, 'listening');
    const balancer = await bench.balancer();
    const member = memberOf('nöde;x/a b', portOf(six), { address: '0:0:0:0:0:0:0:1' });
    await balancer.offer(viewOf(1, [frontendOf(port, [], { service: 'a/b;c' })]));
    await balancer.offer(viewOf(2, [frontendOf(port, [member], { service: 'a/b;c' })]));
    expect(bench.receipt(2)?.outcome, bench.receipt(2)?.reason).toBe('applied');
    expect((await get(port)).body).toBe('six');
    expect(await membersOf(balancer)).toEqual({ 'nöde;x/a b': 'up 100' });
  });

  it('offer() says which member has no address, and uses the others', async () => {
    const one = await bench.instance('one');
    const balancer = await bench.balancer();
    const named = memberOf('b/two', 80, { address: 'db.example.com' });
    await balancer.offer(viewOf(1, [frontendOf(port, [memberOf('a/one', one.port), named])]));
    expect(bench.receipt(1)).toMatchObject({ outcome: 'failed' });
    expect(bench.receipt(1)?.reason).toContain('b/two has no usable address: db.example.com:80');
    expect((await get(port)).body).toBe('one');
  });

  it('offer() lets a draining member finish and gives it nothing new', async () => {
    let finish: (() => void) | null = null;
    const [slow, other] = [await bench.instance('slow'), await bench.instance('other')];
    slow.server.removeAllListeners('request');
    slow.server.on('request', (_request, response) => (finish = () => response.end('slow')));
    const balancer = await bench.balancer();
    await balancer.offer(viewOf(1, [frontendOf(port, [memberOf('a/slow', slow.port)])]));
    const answer = get(port);
    await until('the request arrived', () => finish);
    const members = [memberOf('a/slow', slow.port, { draining: true }), memberOf('b/other', other.port)];
    await balancer.offer(viewOf(2, [frontendOf(port, members)]));
    expect(bench.receipt(2)?.outcome).toBe('applied');
    const [frontend] = (await balancer.status()).frontends;
    expect(frontend?.members.find((member) => member.key === 'a/slow')).toMatchObject({
      state: 'draining',
      sessions: 1,
    });
    for (let i = 0; i < 4; i++) expect((await get(port)).body).toBe('other');
    (finish as unknown as () => void)();
    expect((await answer).body).toBe('slow');
  });

  it('offer() closes the sessions of a critical tcp member at once and those of a draining one at the cap', async () => {
    const [one, two] = [bench.use(await tcpInstance('one')), bench.use(await tcpInstance('two'))];
    const tcp = { protocol: 'tcp' } as const;
    const [first, second] = [memberOf('a/one', portOf(one)), memberOf('b/two', portOf(two))];
    const timing = { ...bench.timing, drainCapMs: 700 };
    const balancer = await bench.balancer({ timing });
    await balancer.offer(viewOf(1, [frontendOf(port, [first], tcp)]));
    const critical = await talk(port);
    const closed = once(critical, 'close');
    await balancer.offer(viewOf(2, [frontendOf(port, [second], tcp)]));
    await closed;

    const draining = await talk(port);
    const startedAt = performance.now();
    const capped = once(draining, 'close');
    await balancer.offer(viewOf(3, [frontendOf(port, [{ ...second, draining: true }], tcp)]));
    draining.write('still here\n');
    await once(draining, 'data');
    await capped;
    expect(performance.now() - startedAt).toBeGreaterThan(650);
  });

  it('a request that may be said twice survives a member that crashes; the agent’s check removes it later', async () => {
    const [one, two] = [await bench.instance('one'), await bench.instance('two')];
    const balancer = await bench.balancer();
    await balancer.offer(viewOf(1, [frontendOf(port, [memberOf('a/one', one.port), memberOf('b/two', two.port)])]));
    one.server.close();
    one.server.closeAllConnections();
    for (let i = 0; i < 20; i++) expect((await get(port)).body).toBe('two');
  });

  it('an answer that was cut off is asked for again, unless it is a POST', async () => {
    const one = await bench.instance('one');
    const cutting = bench.use(
      await listen(
        net.createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.destroy())),
      ),
    );
    const balancer = await bench.balancer();
    await balancer.offer(
      viewOf(1, [frontendOf(port, [memberOf('a/one', one.port), memberOf('b/cut', portOf(cutting))])]),
    );
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD']) expect((await get(port, { method })).status).toBe(200);
    const posts = [(await get(port, { method: 'POST' })).status, (await get(port, { method: 'POST' })).status];
    expect(new Set(posts)).toEqual(new Set([200, 502]));
  });

  it('a member that only fails rests and gets traffic again when it is well; one alone is never left out', async () => {
    const [one, two] = [await bench.instance('one'), await bench.instance('two')];
    const { port: twosPort } = two;
    const balancer = await bench.balancer();
    const members = [memberOf('a/one', one.port), memberOf('b/two', twosPort)];
    await balancer.offer(viewOf(1, [frontendOf(port, members)]));
    two.server.close();
    two.server.closeAllConnections();
    await until('it rests', async () => {
      for (let i = 0; i < 8; i++) expect((await get(port)).body).toBe('one');
      return (await membersOf(balancer))['b/two'] === 'up 0';
    });
    expect(bench.receipts).toHaveLength(1);
    two.server.listen(twosPort, '127.0.0.1');
    await until('it is back', async () => (await get(port)).body === 'two', 15_000);
    await balancer.offer(viewOf(2, [frontendOf(port, [memberOf('b/two', twosPort)])]));
    two.server.close();
    two.server.closeAllConnections();
    for (let i = 0; i < 4; i++) void get(port).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await membersOf(balancer)).toEqual({ 'b/two': 'up 100' });
  });
});
