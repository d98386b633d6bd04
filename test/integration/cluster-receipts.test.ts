import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DroverCluster, type DroverClusterOptions } from '../cluster/drover-cluster.ts';
import type { DroverProcess } from '../cluster/drover-process.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';
import { runProgram } from './run-program.ts';
import { perTestStack } from '../per-test-stack.ts';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');

const LONG_MS = 180_000;

const stack = perTestStack(LONG_MS);

interface Trace {
  readonly converged: boolean;
  readonly arrived: number;
  readonly of: number;
  readonly consumers: readonly {
    readonly node: string;
    readonly kind: string;
    readonly state: string;
    readonly via?: string;
  }[];
}

async function start(options: DroverClusterOptions): Promise<DroverCluster> {
  return stack.use(await DroverCluster.start({ members: 1, serverConfiguration: { timing: 'local' }, ...options }));
}

const ask = (server: DroverProcess, path: string, method = 'GET', body?: unknown): Promise<Response> =>
  fetch(`${server.url}${path}`, {
    method,
    signal: AbortSignal.timeout(70_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });

async function json<T>(server: DroverProcess, path: string): Promise<T> {
  return (await ask(server, path)).json() as Promise<T>;
}

/** A definition that requires a datastore, and its first value. */
async function define(server: DroverProcess): Promise<void> {
  const put = await ask(server, '/v2/definitions/app', 'PUT', { id: 'app', environment: {}, requires: { DB: '{DB}' } });
  expect(put.status, await put.clone().text()).toBe(200);
  expect((await ask(server, '/v2/datastores/DB', 'PUT', { value: 'one' })).status).toBe(200);
}

/** Sets the datastore's value; the revision of it. */
async function set(server: DroverProcess, value: string): Promise<number> {
  const put = await ask(server, '/v2/datastores/DB', 'PUT', { value });
  expect(put.status).toBe(200);
  return Number(put.headers.get('x-drover-revision'));
}

const trace = (server: DroverProcess, revision: number): Promise<Trace> => json(server, `/v2/trace/${revision}`);

const linkedTo = async (agent: DroverProcess): Promise<string | null> =>
  (await json<{ link: { server: string | null } | null }>(agent, '/v2/status')).link?.server ?? null;

/** Agents that write environment files, each in a folder of its own. */
async function consuming(): Promise<
  Pick<DroverClusterOptions, 'agents' | 'agentConfiguration'> & { readonly folder: string }
> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'drover-receipts-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return {
    folder,
    agents: 2,
    agentConfiguration: (index) => ({
      timing: 'local',
      runs: ['app'],
      environment: { directory: path.join(folder, String(index)) },
    }),
  };
}

requireComponent('etcd')('receipts over several servers', () => {
  test(
    'every server shows where a change has arrived, by what consumers said to another',
    { timeout: LONG_MS },
    async () => {
      const { servers } = await start({ servers: 2, ...(await consuming()) });
      const [first, second] = servers as [DroverProcess, DroverProcess];
      await define(first);
      const revision = await set(second, 'two');
      for (const server of servers)
        await until(
          async () => (await trace(server, revision)).converged,
          20_000,
          () => server.name,
        );
      const traces = await Promise.all(servers.map((server) => trace(server, revision)));
      for (const one of traces)
        expect(
          one.consumers
            .filter(({ kind }) => kind === 'environment')
            .map(({ node }) => node)
            .toSorted(),
        ).toEqual(['agent-0', 'agent-1']);
      const metrics = await (await ask(first, '/v1/agent/metrics')).text();
      expect(metrics).toContain('"drover.peers.running"');
    },
  );

  test('a wait begun on one server ends rightly when its consumers move to another', { timeout: LONG_MS }, async () => {
    const { servers, agents } = await start({ servers: 3, ...(await consuming()) });
    const [first] = servers as [DroverProcess];
    await define(first);
    const homes = await Promise.all(agents.map(linkedTo));
    const home = servers.find(({ name }) => homes.includes(name)) as DroverProcess;
    const asked = servers.find((one) => one !== home) as DroverProcess;
    // What it hears from now on it tells nobody, until it is gone.
    home.pause();
    const revision = await set(asked, 'two');
    const waiting = ask(asked, `/v2/converged/${revision}?wait=60s`);
    await sleep(500);
    await home.kill();
    const waited = (await (await waiting).json()) as { readonly converged: boolean };
    expect(waited.converged, JSON.stringify(waited)).toBe(true);
    expect(await linkedTo(agents[0] as DroverProcess)).not.toBe(home.name);
  });

  test('--wait on one server exits with 1 and names who failed behind another', { timeout: LONG_MS }, async () => {
    const { folder, ...consumers } = await consuming();
    const { servers, agents } = await start({ servers: 2, ...consumers });
    const [first] = servers as [DroverProcess];
    await define(first);
    const home = await linkedTo(agents[0] as DroverProcess);
    const asked = servers.find(({ name }) => name !== home) as DroverProcess;
    const set = (value: string): ReturnType<typeof runProgram> =>
      runProgram(DROVER, ['datastore:set', 'DB', value, '--wait'], { env: { DROVER_HTTP_ADDR: asked.url } });
    expect(await set('two')).toMatchObject({ code: 0 });
    // Where its environment is to be written there is a file now.
    await rm(path.join(folder, '0'), { recursive: true });
    await writeFile(path.join(folder, '0'), '');
    const { code, stdout, stderr } = await set('three');
    expect(code, stdout + stderr).toBe(1);
    expect(stdout + stderr).toMatch(/agent-0/);
    expect(stdout + stderr).not.toMatch(/agent-1.*(?:late|failed)/);
  });
});
