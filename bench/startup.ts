import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { AgentProcess } from './agent-process.ts';
import { median, rounded } from './result.ts';
import type { BenchOptions, BenchResult } from './result.ts';

const ROOT = path.join(import.meta.dirname, '..');
const BOUNDS_S = { version: 0.25, agent: 0.6 } as const;
const ROUNDS = 15;
const QUICK_ROUNDS = 2;

/**
 * How long an operator waits for `bin/drover version` and for an agent that answers, from the spawn on, beside the same Node
 * that runs an empty file. The first round, which fills the compile cache, does not count.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const rounds = quick ? QUICK_ROUNDS : ROUNDS;
  const node = await timesOf(rounds, () => timeToEnd(process.execPath, ['-e', '']));
  const version = await timesOf(rounds, () => timeToEnd(path.join(ROOT, 'bin/drover'), ['version']));
  const agent = await timesOf(rounds, timeToReady);
  const ok = median(version) <= BOUNDS_S.version * 1_000 && median(agent) <= BOUNDS_S.agent * 1_000;
  const rows = [rowOf('node -e ""', node), rowOf('drover version', version), rowOf('drover agent, ready', agent)];
  return {
    name: 'startup',
    bound: `medians: version ≤ ${BOUNDS_S.version} s, agent ready ≤ ${BOUNDS_S.agent} s`,
    rows,
    ok,
  };
}

async function timesOf(rounds: number, once: () => Promise<number>): Promise<number[]> {
  await once();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await once());
  return times;
}

async function timeToEnd(program: string, args: readonly string[]): Promise<number> {
  const begun = performance.now();
  const child = spawn(program, args, { stdio: 'ignore' });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`);
  return performance.now() - begun;
}

/** On a store of its own that does not exist yet: sqlite, durable. */
async function timeToReady(): Promise<number> {
  await using agent = await AgentProcess.start({ config: { node_name: 'n1', services: [{ name: 'web', port: 80 }] } });
  return performance.now() - agent.started.spawnedAt;
}

function rowOf(what: string, times: readonly number[]): Record<string, string | number> {
  return {
    what,
    'median ms': rounded(median(times), 0),
    'best ms': rounded(Math.min(...times), 0),
    rounds: times.length,
  };
}
