import http from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findComponent, requireComponent } from '../require-component.ts';
import { connects, isAlive, processesNaming, runProgram } from './acceptance-processes.ts';
import { until } from '../until.ts';
import { startRegion } from './acceptance-region.ts';
import type { NodeName, TestRegion } from './acceptance-region.ts';
import type { TrafficResult } from './acceptance-traffic.ts';
import {
  haproxyOf,
  haproxyPids,
  membersOf,
  nodesAnswering,
  pictureOf,
  send,
  Traffic,
  watchOf,
} from './acceptance-traffic.ts';

const PORT = 1100;
const COMINGS_AND_GOINGS = 100;
const REQUESTS = 10_000;
const MINUTES = 60_000;

requireComponent('haproxy')('the local balancer', () => {
  let region: TestRegion;
  beforeAll(async () => {
    region = await startRegion();
  });
  afterAll(() => region?.[Symbol.asyncDispose]());

  const staging = (): string => region.address('staging');
  const wwwFile = (): string => region.environmentFile('staging', 'app-www');
  const registration = (node: NodeName, port = PORT): object => ({
    Name: 'api',
    Address: region.address(node),
    Port: port,
    Check: { HTTP: `http://${region.address(node)}:${port}/status`, Interval: '1s' },
  });

  test('curl to the balancer reaches api on both other nodes', async () => {
    const said = new Set<string>();
    for (let count = 0; count < 6; count++) {
      const { stdout } = await runProgram(findComponent('curl') as string, ['-sS', `http://${staging()}:${PORT}/`]);
      said.add((JSON.parse(stdout) as { node: string }).node);
    }
    expect([...said].toSorted()).toEqual(['api-1', 'api-2']);
    const www = await send({ host: staging(), port: 8080 });
    expect(JSON.parse(www.body)).toMatchObject({ service: 'app-www', api: { service: 'api' } });
  });

  test('a third api instance is routed to without a reload and without a change of www’s environment', async () => {
    const haproxy = await haproxyOf(region, 'staging');
    const file = await pictureOf(wwwFile());
    const ways: readonly { register: () => Promise<number>; node: NodeName; port: number; key: string }[] = [
      {
        register: () => region.put('/v1/agent/service/register?node=spare', registration('spare')),
        node: 'spare',
        port: PORT,
        key: 'spare/api',
      },
      {
        register: () => region.put('/v1/agent/service/register', registration('staging', 1101)),
        node: 'staging',
        port: 1101,
        key: 'staging/api',
      },
      {
        register: () =>
          region.put('/v1/catalog/register', {
            Node: 'outside',
            Address: region.address('external'),
            Service: { Service: 'api', Port: PORT },
          }),
        node: 'external',
        port: PORT,
        key: 'outside/api',
      },
    ];
    for (const { register, node, port, key } of ways) {
      await region.start('api', node, port);
      await region.arrived(await register());
      await until(`${key} is a member`, async () => (await membersOf(region, 'staging', 'api')).includes(key));
      expect(await nodesAnswering(staging(), PORT, 30)).toEqual(new Set(['api-1', 'api-2', node]));
      await leave(key);
      await region.end('api', node);
    }
    expect(await haproxyOf(region, 'staging')).toEqual(haproxy);
    expect(await pictureOf(wwwFile())).toEqual(file);
  });

  async function leave(key: string): Promise<void> {
    const [node, id] = key.split('/');
    const revision =
      node === 'outside'
        ? await region.put('/v1/catalog/deregister', { Node: node })
        : await region.put(`/v1/agent/service/deregister/${id}?node=${node}`);
    await region.arrived(revision);
    expect(await membersOf(region, 'staging', 'api')).toEqual(['api-1/api', 'api-2/api']);
  }

  test('a crashed instance gets no request after its check failed', async () => {
    await region.end('api', 'api-2', 'SIGKILL');
    const asked = await nodesAnswering(staging(), PORT, 20);
    expect([...asked], 'until then the balancer tries another').toEqual(['api-1']);
    await until('its check failed', async () => (await region.client.service('api')).instancesOf.some(isCritical));
    // Somebody who answers at its address tells who still comes.
    const strays: string[] = [];
    const canary = http.createServer((request, response) => {
      if (request.url !== '/status') strays.push(request.url ?? '');
      response.writeHead(500).end();
    });
    canary.listen(PORT, region.address('api-2'));
    await once(canary, 'listening');
    try {
      expect(await nodesAnswering(staging(), PORT, 300)).toEqual(new Set(['api-1']));
      expect(strays).toEqual([]);
      expect(await membersOf(region, 'staging', 'api')).toEqual(['api-1/api']);
    } finally {
      canary.closeAllConnections();
      canary.close();
    }
    await region.start('api', 'api-2');
    await region.untilHealthy();
    await until('it is routed to again', async () => (await nodesAnswering(staging(), PORT, 4)).has('api-2'));
  });

  test(
    `${REQUESTS} requests while instances come and go gracefully ${COMINGS_AND_GOINGS} times: 0 errors`,
    async () => {
      await region.start('api', 'spare');
      await region.put('/v1/agent/service/register?node=spare', registration('spare'));
      await region.untilHealthy();
      const haproxy = await haproxyOf(region, 'staging');
      const traffic = new Traffic({ host: staging(), port: PORT }, { connections: 4 });
      let result: TrafficResult;
      try {
        for (let count = 0; count < COMINGS_AND_GOINGS; count++)
          await comeAndGo((['api-1', 'api-2', 'spare'] as const)[count % 3] as NodeName);
        await until('enough was asked', () => traffic.sent >= REQUESTS, MINUTES);
      } finally {
        result = await traffic.stop();
        await region.untilHealthy();
        await leave('spare/api');
        await region.end('api', 'spare');
      }
      const { sent, errors, answeredBy } = result;
      console.log(`${sent} requests, answered by ${JSON.stringify(Object.fromEntries(answeredBy))}`);
      expect(errors).toEqual([]);
      expect(sent).toBeGreaterThanOrEqual(REQUESTS);
      expect([...answeredBy.keys()].toSorted()).toEqual(['api-1', 'api-2', 'spare']);
      expect(await haproxyOf(region, 'staging')).toEqual(haproxy);
    },
    3 * MINUTES,
  );

  /** As an operator does it: announced, waited for, drained, stopped, started, back in. */
  async function comeAndGo(node: NodeName): Promise<void> {
    await until('another one is well', async () => {
      const { instancesOf } = await region.client.service('api');
      return instancesOf.some((one) => one.node !== node && one.health === 'passing');
    });
    const { revision } = await region.client.maintenance(true, { node, service: 'api' });
    const { converged, pending } = await region.client.converged(revision, { wait: '10s' });
    expect(pending).toEqual([]);
    expect(converged).toBe(true);
    await until('nothing is in flight to it', async () => {
      const { frontends } = await balancerStatus();
      const members = frontends.flatMap((one) => one.members);
      return members.every(({ key, sessions }) => key !== `${node}/api` || sessions === 0);
    });
    await region.end('api', node);
    await region.start('api', node);
    await region.client.maintenance(false, { node, service: 'api' });
  }

  test('HAProxy survives kill -9 of the agent and is adopted by the next one, and no request is lost', async () => {
    await region.untilHealthy();
    const haproxy = await haproxyOf(region, 'staging');
    const file = await pictureOf(wwwFile());
    const traffic = new Traffic({ host: staging(), port: PORT }, { connections: 2 });
    const members = watchOf(() => membersOf(region, 'staging', 'api').then((all) => all.join(' ')));
    try {
      await region.killAgent();
      expect(isAlive(haproxy.worker)).toBe(true);
      expect(await nodesAnswering(staging(), PORT, 10)).toEqual(new Set(['api-1', 'api-2']));
      await region.startAgent();
      await until('it is adopted with its members', async () => {
        const { frontends, stale } = await balancerStatus();
        const keys = frontends.flatMap((one) => one.members.map(({ key }) => key));
        return stale === null && keys.toSorted().join(' ') === 'api-1/api api-2/api';
      });
      expect((await region.drover('env', 'app-www', '--reveal', '--ready')).code).toBe(0);
      await sleep(1_500);
    } finally {
      const seen = await members.stop();
      const { errors, sent } = await traffic.stop();
      expect(errors).toEqual([]);
      expect(sent).toBeGreaterThan(100);
      expect(seen).toEqual(['api-1/api api-2/api']);
    }
    expect(await haproxyOf(region, 'staging')).toEqual(haproxy);
    expect(await pictureOf(wwwFile())).toEqual(file);
    expect(await balancerStatus()).toMatchObject({ pid: haproxy.master, stale: null });
  });

  test('an orderly stop of the agent takes its HAProxy along and leaves nothing running', async () => {
    await region.untilAtRest();
    expect(haproxyPids(region)).not.toEqual([]);
    await region.stopAgent();
    expect(haproxyPids(region)).toEqual([]);
    expect(await connects(staging(), PORT)).toBe(false);
    await region.endAll();
    expect(processesNaming(region.directory)).toEqual([]);
  });

  async function balancerStatus(): Promise<{
    readonly pid: number;
    readonly stale: string | null;
    readonly frontends: readonly { readonly members: readonly { readonly key: string; readonly sessions: number }[] }[];
  }> {
    return (await region.client.request('/v2/balancer', { query: { node: 'staging' } })).body as never;
  }
});

const isCritical = (one: { readonly node: string; readonly health: string }): boolean =>
  one.node === 'api-2' && one.health === 'critical';
