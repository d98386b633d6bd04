import { setTimeout as sleep } from 'node:timers/promises';
import { TIMING } from '../src/lib/index.ts';
import { EtcdCluster } from '../test/cluster/etcd-cluster.ts';
import { AgentProcess } from './agent-process.ts';
import { percentile, rounded, type BenchOptions, type BenchResult } from './result.ts';
import { bareLinks, cpuMsOf, simulate, type Simulated } from './simulate.ts';

const SIZE = { agents: 1_000, rare: 10, changes: 100, idleMs: 20_000 };
const SMALL = { agents: 40, rare: 4, changes: 3, idleMs: 1_000 };
const BOUND = { p99Ms: 1_000, idlePercent: 2 };

/**
 * Simulated agents on two servers over one etcd: how long until the last of a thousand consumers has acknowledged a change, who is
 * woken by one that concerns ten, and what a server costs while nothing happens.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const size = quick ? SMALL : SIZE;
  await using etcd = await EtcdCluster.start();
  await using first = await AgentProcess.start({ store: etcd.url, config: { node_name: 'bench-1' } });
  await using second = await AgentProcess.start({ store: etcd.url, config: { node_name: 'bench-2' } });
  const servers = [first, second].map((one) => `http://127.0.0.1:${one.started.httpPort}`);
  await define(servers[0] as string);
  await using agents = await simulate({
    servers,
    from: 0,
    count: size.agents,
    instances: 2,
    services: 100,
    runs: ['app'],
    rare: size.rare,
    rareRuns: ['rare'],
    atOnce: 16,
  });
  await sleep(quick ? 1_000 : 5_000);
  const all = await changes(servers, 'COMMON', agents, size.changes);
  const some = await changes(servers, 'RARE', agents, size.changes);
  const idle = await idleOf([first, second], size.idleMs, size.agents);
  const ok =
    all.p99 <= BOUND.p99Ms &&
    some.mostAgents <= size.rare &&
    some.leastAgents === size.rare &&
    idle.percent < BOUND.idlePercent;
  return {
    name: 'a thousand simulated agents on two servers',
    bound: `the last of ${size.agents} has acknowledged within ${BOUND.p99Ms} ms at p99; a change for ${size.rare} wakes ${size.rare}; idle < ${BOUND.idlePercent} % of a core per 1,000 agents`,
    rows: [all.row, some.row, idle.row],
    ok,
  };
}

async function define(server: string): Promise<void> {
  for (const [name, value] of [
    ['COMMON', 'mysql://db0/app'],
    ['RARE', 'mysql://rare0/app'],
  ])
    await put(server, `/v2/datastores/${name}`, { value });
  await put(server, '/v2/definitions/app', { id: 'app', requires: { COMMON_URL: '{COMMON}' } });
  await put(server, '/v2/definitions/rare', { id: 'rare', requires: { RARE_URL: '{RARE}' } });
}

interface Changed {
  readonly p99: number;
  readonly mostAgents: number;
  readonly leastAgents: number;
  readonly row: Record<string, string | number>;
}

/** Changes a datastore again and again: request → the last of its consumers has said that it is there, asked of either server. */
async function changes(servers: readonly string[], name: string, agents: Simulated, count: number): Promise<Changed> {
  await agents.sent();
  const times: number[] = [];
  const sent: { agents: number; bytes: number }[] = [];
  for (let turn = 1; turn <= count; turn++) {
    const server = servers[turn % servers.length] as string;
    const begun = performance.now();
    const revision = await put(server, `/v2/datastores/${name}`, { value: `mysql://db${turn}/app` });
    const answer = await fetch(`${server}/v2/converged/${revision}?wait=30s`);
    const { converged } = (await answer.json()) as { converged: boolean };
    if (!converged) throw new Error(`r${revision} did not arrive everywhere`);
    times.push(performance.now() - begun);
    sent.push(await agents.sent());
  }
  const of = sent.map((one) => one.agents);
  const row = {
    what: `a change of ${name}`,
    changes: count,
    'p50 ms': rounded(percentile(times, 0.5), 1),
    'p99 ms': rounded(percentile(times, 0.99), 1),
    'agents woken': `${Math.min(...of)}-${Math.max(...of)}`,
    'KB sent': rounded(
      percentile(
        sent.map((one) => one.bytes),
        0.5,
      ) / 1_024,
      1,
    ),
  };
  return { p99: percentile(times, 0.99), mostAgents: Math.max(...of), leastAgents: Math.min(...of), row };
}

/** What the servers use while nothing happens, and beside them, at the same time, links with nothing behind them. */
async function idleOf(
  servers: readonly AgentProcess[],
  forMs: number,
  agents: number,
): Promise<{ percent: number; row: Record<string, string | number> }> {
  await using bare = await bareLinks(agents, TIMING.lan.suspectedAfterMs / 2);
  const pids = [...servers.map((one) => one.started.pid), bare.pid];
  const before = await Promise.all(pids.map((pid) => cpuMsOf(pid)));
  const begun = performance.now();
  await sleep(forMs);
  const after = await Promise.all(pids.map((pid) => cpuMsOf(pid)));
  const percents = after.map(
    (one, at) => (((one - (before[at] as number)) / (performance.now() - begun)) * 100 * 1_000) / agents,
  );
  const bareOnes = percents.pop() as number;
  const percent = percents.reduce((sum, one) => sum + one, 0);
  const row = {
    what: 'idle, both servers',
    agents,
    seconds: forMs / 1_000,
    '% of a core per 1,000': rounded(percent),
    'bare links': rounded(bareOnes),
    ratio: rounded(percent / bareOnes),
  };
  return { percent, row };
}

async function put(server: string, path: string, body: object): Promise<number> {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(`${server}${path}`, { method: 'PUT', body: JSON.stringify(body), headers });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return Number(answer.headers.get('X-Drover-Revision'));
}
