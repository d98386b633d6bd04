import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { DroverCluster } from '../cluster/drover-cluster.ts';
import type { DroverProcess } from '../cluster/drover-process.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';
import { freePorts } from './balancer-fixture.ts';
import { ask, drover, everything, inDns, json, linkedTo, LONG_MS, passing, put, sleep } from './cluster-acceptance.ts';
import { perTestStack } from '../per-test-stack.ts';

/** What the issue allows. */
const EQUAL_WITHIN_MS = 5_000;
/** What a busy machine needs for what takes a moment. */
const WITHIN_MS = 30_000;

const stack = perTestStack(LONG_MS);

/** An instance that answers its id. */
async function instance(id: string): Promise<number> {
  const server = http.createServer((_request, response) => response.end(id)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => void server.close(() => server.closeAllConnections()));
  return (server.address() as AddressInfo).port;
}

/** What clients of the balancer get. */
async function through(port: number): Promise<string[]> {
  const seen = new Set<string>();
  for (let left = 9; left > 0; left--) {
    const signal = AbortSignal.timeout(5_000);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' }, signal });
    seen.add(answer.ok ? await answer.text() : String(answer.status));
  }
  return [...seen].toSorted();
}

const say = async (at: DroverProcess, word: 'pass' | 'fail', check: string): Promise<void> =>
  expect((await ask(at, `/v1/agent/check/${word}/${check}`, 'PUT')).status).toBe(200);

/** A read, with what says how current it is. */
async function read(
  at: DroverProcess,
  path: string,
): Promise<{ said: readonly [number, string | null]; contactMs: number }> {
  const answer = await ask(at, path);
  await answer.body?.cancel();
  const { headers, status } = answer;
  return {
    said: [status, headers.get('x-consul-knownleader')],
    contactMs: Number(headers.get('x-consul-lastcontact')),
  };
}

async function refused(
  at: DroverProcess,
  path: string,
  method: string,
  body?: unknown,
): Promise<readonly [number, string]> {
  const answer = await ask(at, path, method, body);
  return [answer.status, await answer.text()];
}

const knowsNone = async (at: DroverProcess): Promise<boolean> =>
  (await read(at, '/v1/catalog/nodes?stale')).said[1] === 'false';

/** What DNS gave, one after the other, without repetitions. */
class DnsLog {
  readonly answers: string[] = [];
  readonly #watching: Promise<void>;
  #isOver = false;

  constructor(at: DroverProcess, service: string) {
    this.#watching = this.#watch(at, service);
  }

  async stop(): Promise<readonly string[]> {
    this.#isOver = true;
    await this.#watching;
    return this.answers;
  }

  async #watch(at: DroverProcess, service: string): Promise<void> {
    while (!this.#isOver) {
      const ports = await inDns(at, service).then(String, String);
      if (this.answers.at(-1) !== ports) this.answers.push(ports);
      await sleep(20);
    }
  }
}

/** DNS comes to give exactly these ports. */
async function gives(at: DroverProcess, ports: string): Promise<void> {
  let found = '';
  await until(
    // An agent that lost its link for a moment before it was ever asked has no answer.
    async () => (found = await inDns(at, 'api').then(String, String)) === ports,
    WITHIN_MS,
    () => `${at.name} gives ${found}, not ${ports}: ${at.said.slice(-3_000)}`,
  );
}

/** The balancer comes to reach exactly these instances. */
async function reaches(port: number, ids: readonly string[]): Promise<void> {
  let seen: readonly string[] = [];
  await until(
    async () => (seen = await through(port).catch((error: unknown) => [String(error)])).join() === ids.join(),
    WITHIN_MS,
    () => `${ids.join()} are not reached, but ${seen.join()}`,
  );
}

interface Scene {
  readonly cluster: DroverCluster;
  readonly agent: DroverProcess;
  /** The server that the agent is linked to, and the others. */
  readonly home: DroverProcess;
  readonly others: readonly DroverProcess[];
  readonly balanced: number;
  /** Ports of the instances `api-1`…`api-3` on the agent. */
  readonly ports: readonly [number, number, number];
}

/** Three members, three servers, an agent with three instances, a balancer and an environment. */
async function scene(): Promise<Scene> {
  const [balanced] = (await freePorts(1)) as [number];
  const cluster = stack.use(
    await DroverCluster.start({
      agents: 1,
      // On a busy machine an agent of `local` timing goes from server to server meanwhile.
      serverConfiguration: { timing: 'lan' },
      agentConfiguration: (_index, { folder }) => ({
        timing: 'lan',
        runs: ['app'],
        balancer: { on_stop: 'stop' },
        environment: { directory: `${folder}/environment` },
      }),
    }),
  );
  const [agent] = cluster.agents as [DroverProcess];
  stack.defer(() => agent.end());
  const ports = [await instance('api-1'), await instance('api-2'), await instance('api-3')] as const;
  const provides = { API_URL: 'http://{HOST}:{PORT}' };
  await put(agent, '/v2/definitions', [
    { id: 'api', provides, local_port: balanced },
    { id: 'app', requires: { API_URL: '{API_URL}', DB: '{DB}' } },
  ]);
  await put(agent, '/v2/datastores/DB', { value: 'db-value' });
  for (const [index, Port] of ports.entries())
    await put(agent, '/v1/agent/service/register', {
      Name: 'api',
      ID: `api-${index + 1}`,
      Address: '127.0.0.1',
      Port,
      Check: { TTL: '1h', Status: 'passing' },
    });
  await put(agent, '/v1/kv/k', 'v');
  const linked = await linkedTo(agent);
  const home = cluster.servers.find(({ name }) => name === linked) as DroverProcess;
  const others = cluster.servers.filter((one) => one !== home);
  return { cluster, agent, home, others, balanced, ports };
}

const listed = (...ports: readonly number[]): string => ports.toSorted((a, b) => a - b).join();

async function loseQuorum({ cluster, agent }: Scene): Promise<void> {
  await cluster.etcd.kill(1);
  await cluster.etcd.kill(2);
  for (const one of [...cluster.servers, agent])
    await until(
      () => knowsNone(one),
      30_000,
      () => one.name,
    );
}

async function expectRefusals(at: DroverProcess): Promise<void> {
  for (const [path, method, body] of [
    ['/v1/kv/k', 'PUT', 'other'],
    ['/v1/kv/k', 'DELETE', undefined],
    ['/v1/kv/k?consistent', 'GET', undefined],
    ['/v1/catalog/service/api?consistent', 'GET', undefined],
    ['/v1/session/create', 'PUT', {}],
    ['/v1/txn', 'PUT', [{ KV: { Verb: 'delete', Key: 'k' } }]],
    ['/v1/catalog/register', 'PUT', { Node: 'n', Address: '127.0.0.9' }],
  ] as const)
    expect([path, ...(await refused(at, path, method, body))]).toEqual([path, 500, 'No cluster leader']);
  const [status, text] = await refused(at, '/v2/datastores/DB', 'PUT', { value: 'other' });
  expect([status, JSON.parse(text)]).toMatchObject([
    500,
    { error: { code: 'STORE_NO_LEADER', message: expect.stringMatching(/^No cluster leader/) } },
  ]);
  for (const words of [
    ['datastore:set', 'DB', 'other'],
    ['kv:put', 'k', 'other'],
  ]) {
    const { code, stderr } = await drover(at, ...words);
    expect([words[0], code]).toEqual([words[0], 1]);
    expect(stderr).toMatch(/^error (STORE_NO_LEADER|HTTP_500): No cluster leader/m);
  }
}

async function expectReads({ agent, cluster, ports, balanced }: Scene): Promise<void> {
  for (const one of [...cluster.servers, agent]) {
    for (const path of [
      '/v1/kv/k',
      '/v1/kv/k?stale',
      '/v1/health/service/api',
      '/v1/catalog/nodes',
      '/v1/catalog/services',
    ])
      expect([one.name, path, ...(await read(one, path)).said]).toEqual([one.name, path, 200, 'false']);
    expect((await inDns(one, 'api')).join()).toBe(listed(...ports));
    const { contactMs } = await read(one, '/v1/catalog/nodes?stale');
    await sleep(300);
    expect((await read(one, '/v1/catalog/nodes?stale')).contactMs).toBeGreaterThanOrEqual(contactMs + 250);
  }
  expect(await through(balanced)).toEqual(['api-1', 'api-2', 'api-3']);
  expect(await readFile(`${agent.folder}/environment/app.conf`, 'utf8')).toContain('db-value');
  const env = await drover(agent, 'env', 'app', '--reveal');
  expect([env.code, env.stdout]).toEqual([0, expect.stringContaining('db-value')]);
  const exec = await drover(agent, 'exec', 'app', '--', 'sh', '-c', 'echo "$DB $API_URL"');
  expect([exec.code, exec.stdout]).toEqual([0, `db-value http://127.0.0.1:${balanced}\n`]);
}

requireComponent('etcd')('without a quorum of etcd', () => {
  test(
    'all goes on, what fails leaves its server, and afterwards all are equal and nothing flapped',
    { timeout: LONG_MS },
    async () => {
      const all = await scene();
      const { cluster, agent, home, others, balanced, ports } = all;
      const [first, second, third] = ports;
      const whole = listed(...ports);
      for (const one of [...cluster.servers, agent]) await gives(one, whole);
      await reaches(balanced, ['api-1', 'api-2', 'api-3']);
      await loseQuorum(all);
      await expectReads(all);
      await expectRefusals(home);
      await expectRefusals(agent);

      const logs = [home, agent, ...others].map((one) => new DnsLog(one, 'api'));
      // One that was known, and one whose check is new: nobody could write it.
      await say(agent, 'fail', 'service:api-1');
      const late = { Name: 'late', CheckID: 'late', ServiceID: 'api-2', TTL: '1h', Status: 'passing' };
      expect((await ask(agent, '/v1/agent/check/register', 'PUT', late)).status).toBe(200);
      await say(agent, 'fail', 'late');
      for (const one of [home, agent]) await gives(one, listed(third));
      await reaches(balanced, ['api-3']);
      expect(await passing(home, 'api')).toEqual(['api-3']);
      for (const one of others) expect((await inDns(one, 'api')).join()).toBe(whole);

      for (const member of [1, 2]) cluster.etcd.begin(member);
      await cluster.etcd.ready();
      const returnedMs = performance.now();
      const parts = async (): Promise<string[]> => Promise.all(cluster.servers.map((one) => everything(one, ['api'])));
      await until(
        async () => (await passing(home, 'api')).join() === 'api-3' && new Set(await parts()).size === 1,
        20_000,
      );
      expect(performance.now() - returnedMs).toBeLessThan(EQUAL_WITHIN_MS);
      for (const one of [agent, ...others]) await gives(one, listed(third));
      // Written, not only shown.
      const rows = await json<{ CheckID: string; Status: string }[]>(
        others[0] as DroverProcess,
        '/v1/health/node/agent-0?consistent',
      );
      expect(rows.map(({ CheckID, Status }) => `${CheckID} ${Status}`)).toEqual(
        expect.arrayContaining(['late critical', 'service:api-1 critical', 'service:api-3 passing']),
      );
      await sleep(1_500);
      const seen = await Promise.all(logs.map((log) => log.stop()));
      for (const answers of seen) {
        expect(answers[0]).toBe(whole);
        expect(answers.at(-1)).toBe(listed(third));
        // Who left did not come back for a moment.
        for (const port of [first, second]) {
          const left = answers.findIndex((answer) => !answer.split(',').includes(String(port)));
          expect(answers.slice(left).filter((answer) => answer.split(',').includes(String(port)))).toEqual([]);
        }
      }
      expect((await ask(agent, '/v1/kv/k', 'PUT', 'again')).status).toBe(200);
      await say(agent, 'pass', 'late');
      for (const one of cluster.servers) await gives(one, listed(second, third));
    },
  );
});
