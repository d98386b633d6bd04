import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AgentProcess } from './agent-process.ts';
import { writeFleet, type FleetSize } from './fleet.ts';
import { median, type BenchOptions, type BenchResult } from './result.ts';

const FULL: FleetSize = { nodes: 1_000, services: 2_000, instancesPerNode: 100 };
const SMALL: FleetSize = { nodes: 20, services: 40, instancesPerNode: 100 };
const BOUND = { heapBytes: 1_536, readyMs: 5_000 };
const STARTS = 3;

/** A store with 100,000 instances: what each takes of a server's heap, and how soon an agent on it answers. */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const size = quick ? SMALL : FULL;
  const root = await mkdtemp(path.join(os.tmpdir(), 'capacity-'));
  try {
    const [full, empty] = [path.join(root, 'full'), path.join(root, 'empty')];
    await writeFleet(full, size);
    const bytes = await heapPerInstance(full, empty, size);
    const starts: Started[] = [];
    for (let start = 0; start < (quick ? 1 : STARTS); start++) starts.push(await startOn(full, size));
    return resultOf(size, bytes, starts);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function resultOf(size: FleetSize, heapBytes: number, starts: readonly Started[]): BenchResult {
  const readyMs = median(starts.map((one) => one.readyMs));
  const row = {
    instances: size.nodes * size.instancesPerNode,
    nodes: size.nodes,
    services: size.services,
    'heap B an instance': Math.round(heapBytes),
    'spawn → HTTP ms': Math.round(readyMs),
    'CPU ms': median(starts.map((one) => one.cpuMs)),
    'agent RSS MB': median(starts.map((one) => one.rssMb)),
  };
  const bound = `≤ ${BOUND.heapBytes} B of heap an instance; an agent answers within ${BOUND.readyMs} ms of its start`;
  const ok = heapBytes <= BOUND.heapBytes && readyMs <= BOUND.readyMs;
  return { name: 'a store with 100,000 instances', bound, rows: [row], ok };
}

/** The difference between two processes that hold nothing else than a server's catalog. */
async function heapPerInstance(full: string, empty: string, size: FleetSize): Promise<number> {
  const wanted = size.nodes * size.instancesPerNode;
  const { heapBytes, instances } = await heapOf(full);
  if (instances !== wanted) throw new Error(`${instances} of ${wanted} instances are in the catalog`);
  return (heapBytes - (await heapOf(empty)).heapBytes) / wanted;
}

interface Heap {
  readonly heapBytes: number;
  readonly instances: number;
}

async function heapOf(directory: string): Promise<Heap> {
  const file = path.join(import.meta.dirname, 'capacity-heap.ts');
  const child = fork(file, [directory], { execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc'] });
  const ended = once(child, 'exit');
  const [heap] = (await Promise.race([once(child, 'message'), ended.then(() => [null])])) as [Heap | null];
  await ended;
  if (heap === null) throw new Error('the process that loads the store ended');
  return heap;
}

interface Started {
  readonly readyMs: number;
  /** Of all its threads until then; what a neighbour takes is not in it. */
  readonly cpuMs: number;
  readonly rssMb: number;
}

/** From the spawn of an agent's process until it has answered a request whose answer needs the whole catalog. */
async function startOn(full: string, size: FleetSize): Promise<Started> {
  await using agent = await AgentProcess.start({ fillStore: (directory) => cp(full, directory, { recursive: true }) });
  const { httpPort, spawnedAt, pid } = agent.started;
  const answer = await fetch(`http://127.0.0.1:${httpPort}/v1/catalog/services`);
  const services = Object.keys((await answer.json()) as object).length;
  const readyMs = performance.now() - spawnedAt;
  // And `consul`, the server's own.
  if (services !== size.services + 1) throw new Error(`the agent answered with ${services} services`);
  return { readyMs, cpuMs: await cpuMsOf(pid), rssMb: await rssMbOf(pid) };
}

/** proc(5): user and system time are the fields 14 and 15, in ticks of 10 ms; the second field may hold spaces. */
async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function rssMbOf(pid: number): Promise<number> {
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(rss) / 1_024);
}
