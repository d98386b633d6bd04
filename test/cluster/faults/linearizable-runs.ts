import type { DroverCluster } from '../drover-cluster.ts';
import { checkLinearizable, type Verdict } from '../linearizable.ts';
import { Injector } from './injector.ts';
import { KvClients } from './kv-clients.ts';
import { faultText, type Fault, type FaultKind } from './plan.ts';
import { Seeded } from './seeded.ts';
import { sleep } from './sleep.ts';

export interface LinearizableRunsOptions {
  readonly cluster: DroverCluster;
  readonly runs: number;
  readonly seed: number;
  readonly print: (line: string) => void;
  /** `stale` plants the bug that is to be found: reads from a server's memory, without asking how far the store is. */
  readonly reads?: 'consistent' | 'stale';
  /** What may be done in a run; everything that concerns servers and members unless told. */
  readonly only?: readonly FaultKind[];
}

export interface LinearizableRun {
  readonly run: number;
  readonly faults: readonly string[];
  readonly verdict: Verdict;
}

const KINDS: readonly FaultKind[] = [
  'kill-server',
  'pause-server',
  'cut-server',
  'cut-server-from-store',
  'kill-member',
  'pause-member',
  'cut-member',
  'move-leader',
  'kill-leader',
  'compact',
  'lose-quorum',
];
const BEFORE_MS = 400;
const AFTER_MS = 800;
const SHORTEST_MS = 700;
const LONGEST_MS = 1_800;
const CLIENTS = 6;
const KEYS = 2;

/** Records histories of keys under a fault each, on one cluster, and checks them. Each run has keys of its own; so does each seed. */
export async function linearizableRuns(options: LinearizableRunsOptions): Promise<LinearizableRun[]> {
  const results: LinearizableRun[] = [];
  for (let run = 1; run <= options.runs; run++) results.push(await oneRun(run, options));
  return results;
}

async function oneRun(
  run: number,
  { cluster, seed, print, reads = 'consistent', only = KINDS }: LinearizableRunsOptions,
): Promise<LinearizableRun> {
  const random = new Seeded(seed + run);
  const { servers } = cluster;
  const injector = new Injector(cluster);
  const kv = new KvClients({
    servers,
    random,
    prefix: `run/${seed}/${run}`,
    clients: CLIENTS,
    keys: KEYS,
    pauseMs: 30,
    reads,
  });
  const stop = new AbortController();
  const working = kv.run(stop.signal);
  const fault = faultOf(random, only);
  await sleep(BEFORE_MS);
  await injector.run(fault);
  await sleep(AFTER_MS);
  stop.abort();
  await working;
  await cluster.healAll();
  const silent = reads === 'consistent' ? await kv.readAll() : [];
  if (silent.length > 0) throw new Error(silent.join('; '));
  const verdict = checkLinearizable(kv.history);
  const [found] = verdict.violations;
  const word = found === undefined ? 'in order' : `REFUSED: ${JSON.stringify(found)}`;
  print(`run ${run}, seed ${seed}: ${faultText(fault)}, ${kv.history.length} operations: ${word}`);
  return { run, faults: [faultText(fault)], verdict };
}

function faultOf(random: Seeded, only: readonly FaultKind[]): Fault {
  return { kind: random.pick(only), target: random.below(3), atMs: 0, forMs: random.between(SHORTEST_MS, LONGEST_MS) };
}
