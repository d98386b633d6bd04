// `npm run faults -- --minutes M --seed S`: a cluster of three members of etcd, three servers and some agents under seeded faults,
// held to the thirteen invariants. See test/cluster/README.md.
import { parseArgs } from 'node:util';
import { DroverCluster } from '../test/cluster/drover-cluster.ts';
import { runFaults } from '../test/cluster/faults/fault-run.ts';
import { linearizableRuns } from '../test/cluster/faults/linearizable-runs.ts';
import { FAULTS, type FaultKind } from '../test/cluster/faults/plan.ts';
import { reportLines } from '../test/cluster/faults/report.ts';

const USAGE = `usage: npm run faults -- [--minutes M] [--seed S] [--round SECONDS] [--only KIND,KIND]
       npm run faults -- --linearizability RUNS [--seed S] [--only KIND,KIND]
kinds of faults: ${FAULTS.join(', ')}`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    round: { type: 'string', default: '30' },
    only: { type: 'string' },
    linearizability: { type: 'string' },
  },
});

const only = values.only?.split(',') as FaultKind[] | undefined;
if (only?.some((kind) => !FAULTS.includes(kind)) === true || !(Number(values.minutes) > 0)) {
  console.error(USAGE);
  process.exit(2);
}

const seed = Number(values.seed);
const print = (line: string): void => console.log(line);
const chosen = only === undefined ? {} : { only };
process.exitCode = (await (values.linearizability === undefined ? faults() : histories())) ? 0 : 1;

async function faults(): Promise<boolean> {
  const durationMs = Number(values.minutes) * 60_000;
  const result = await runFaults({ seed, durationMs, roundMs: Number(values.round) * 1_000, print, ...chosen });
  for (const line of reportLines(result, seed)) print(line);
  return result.findings.all.length === 0;
}

async function histories(): Promise<boolean> {
  await using cluster = await DroverCluster.start();
  const runs = await linearizableRuns({ cluster, runs: Number(values.linearizability), seed, print, ...chosen });
  const operations = runs.reduce((sum, { verdict }) => sum + verdict.operations, 0);
  const refused = runs.filter(({ verdict }) => verdict.violations.length > 0);
  const undecided = runs.filter(({ verdict }) => verdict.undecided.length > 0);
  print(
    `seed ${seed}: ${runs.length} runs, ${operations} operations, ${refused.length} refused, ${undecided.length} undecided`,
  );
  return refused.length === 0 && undecided.length === 0;
}
