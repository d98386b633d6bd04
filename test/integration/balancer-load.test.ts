import http from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requireComponent } from '../require-component.ts';
import type { Member } from '../../src/registry/index.ts';
import { BalancerBench, freePorts, frontendOf, get, haproxyPids, memberOf, viewOf } from './balancer-fixture.ts';

const REQUESTS = 10_000;
const COMINGS_AND_GOINGS = 100;
const CLIENTS = 8;

requireComponent('haproxy')('LocalBalancer: under load', () => {
  let bench: BalancerBench;
  beforeEach(async () => {
    bench = await BalancerBench.open();
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  it('10,000 requests while instances come and go gracefully 100 times: 0 errors', async () => {
    const [port] = (await freePorts(1)) as [number];
    const base = await bench.instance('base');
    const balancer = await bench.balancer();
    const always = memberOf('a/base', base.port);
    let revision = 0;
    const offer = async (members: readonly Member[]): Promise<void> => {
      await balancer.offer(viewOf(++revision, [frontendOf(port, members)]));
      expect(bench.receipt(revision)?.outcome, bench.receipt(revision)?.reason).toBe('applied');
    };
    await offer([always]);
    const before = await haproxyPids(bench.configurationFile);

    const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
    const errors: string[] = [];
    let sent = 0;
    let done = false;
    const client = async (): Promise<void> => {
      while (!done || sent < REQUESTS) {
        sent++;
        // Every tenth is a POST, which nobody may repeat.
        const method = sent % 10 === 0 ? 'POST' : 'GET';
        const status = await get(port, { agent, method }).then(
          (answer) => String(answer.status),
          (error: Error) => error.message,
        );
        if (status !== '200') errors.push(`${method} ${status}`);
      }
    };
    const load = Promise.all(Array.from({ length: CLIENTS }, client));
    for (let round = 0; round < COMINGS_AND_GOINGS; round++) {
      const guest = await bench.instance(`guest-${round}`);
      const member = memberOf(`b/guest-${round}`, guest.port);
      await offer([always, member]);
      await offer([always, { ...member, draining: true }]);
      // Drain: mark, receipt, no session left, stop, deregister (semantics 7).
      await drained(member.key);
      guest.server.close();
      guest.server.closeIdleConnections();
      await offer([always]);
    }
    done = true;
    await load;
    agent.destroy();
    expect(sent).toBeGreaterThanOrEqual(REQUESTS);
    expect(errors).toEqual([]);
    expect(await haproxyPids(bench.configurationFile)).toEqual(before);

    async function drained(key: string): Promise<void> {
      for (;;) {
        const [frontend] = (await balancer.status()).frontends;
        const member = frontend?.members.find((one) => one.key === key);
        if (member === undefined || member.sessions === 0) return;
      }
    }
  }, 120_000);
});
