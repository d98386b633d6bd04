import { setTimeout as sleep } from 'node:timers/promises';
import { EtcdCluster } from '../test/cluster/etcd-cluster.ts';
import { AgentProcess } from './agent-process.ts';
import { rounded, type BenchOptions, type BenchResult } from './result.ts';
import { cpuMsOf, rssMbOf, simulate } from './simulate.ts';

const SIZE = { nodes: 10_000, processes: 2, instances: 20, services: 2_000, steadyMs: 60_000 };
const SMALL = { nodes: 100, processes: 1, instances: 20, services: 20, steadyMs: 2_000 };
const BOUND = { writes: 100, rssMb: 600 };

/** 10,000 simulated nodes with 200,000 instances, all linked to one server: what it writes while nothing changes, and what it holds. */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const size = quick ? SMALL : SIZE;
  await using etcd = await EtcdCluster.start({ flags: ['--quota-backend-bytes=8589934592'] });
  await using server = await AgentProcess.start({ store: etcd.url, config: { node_name: 'bench' } });
  const { httpPort, pid } = server.started;
  await using stack = new AsyncDisposableStack();
  const begun = performance.now();
  const each = size.nodes / size.processes;
  for (let at = 0; at < size.processes; at++) {
    const of = { servers: [`http://127.0.0.1:${httpPort}`], from: at * each, count: each, atOnce: 32 };
    const what = { instances: size.instances, services: size.services, runs: [], rare: 0, rareRuns: [] };
    stack.use(await simulate({ ...of, ...what }));
  }
  const joinedMs = performance.now() - begun;
  // What came with the greetings is over by then.
  await sleep(quick ? 2_000 : 20_000);
  const before = { revision: await revisionOf(httpPort), cpuMs: await cpuMsOf(pid), at: performance.now() };
  await sleep(size.steadyMs);
  const seconds = (performance.now() - before.at) / 1_000;
  const writes = ((await revisionOf(httpPort)) - before.revision) / seconds;
  const rssMb = await rssMbOf(pid);
  const row = {
    nodes: size.nodes,
    instances: size.nodes * size.instances,
    'all joined s': rounded(joinedMs / 1_000, 1),
    'writes a second': rounded(writes),
    'CPU % of a core': rounded(((await cpuMsOf(pid)) - before.cpuMs) / seconds / 10, 1),
    'server RSS MB': rssMb,
  };
  return {
    name: '10,000 simulated nodes with 200,000 instances',
    bound: `< ${BOUND.writes} store writes a second in steady state; ≤ ${BOUND.rssMb} MB resident in a server`,
    rows: [row],
    ok: writes < BOUND.writes && rssMb <= BOUND.rssMb,
  };
}

/** Revisions count transactions: each is a write of the store. */
async function revisionOf(port: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/v2/status`);
  return ((await answer.json()) as { revision: number }).revision;
}
