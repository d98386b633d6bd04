// `npm run faults -- --minutes M --seed S`: a cluster of three members of etcd, three servers and some agents under seeded faults,
// held to the thirteen invariants. What it came to stands in bench/results. See test/cluster/README.md.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../bench/machine.ts';
import { DroverCluster } from '../test/cluster/drover-cluster.ts';
import { runFaults } from '../test/cluster/faults/fault-run.ts';
import { linearizableRuns } from '../test/cluster/faults/linearizable-runs.ts';
import { FAULTS, type FaultKind } from '../test/cluster/faults/plan.ts';
import { reportLines, resultPage } from '../test/cluster/faults/report.ts';

const USAGE = `usage: npm run faults -- [--minutes M] [--seed S] [--round SECONDS] [--only KIND,KIND]
       npm run faults -- --linearizability RUNS [--seed S] [--only KIND,KIND]
what it came to is written to bench/results/faults.md or bench/results/linearizability.md, or to --report FILE
kinds of faults: ${FAULTS.join(', ')}`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    round: { type: 'string', default: '30' },
    only: { type: 'string' },
    linearizability: { type: 'string' },
    report: { type: 'string' },
  },
});

const only = values.only?.split(',') as FaultKind[] | undefined;
if (only?.some((kind) => !FAULTS.includes(kind)) === true || !(Number(values.minutes) > 0)) {
  console.error(USAGE);
  process.exit(2);
}

const seed = Number(values.seed);
const said: string[] = [];
const print = (line: string): void => {
  said.push(line);
  console.log(line);
};
const chosen = only === undefined ? {} : { only };
const root = path.resolve(import.meta.dirname, '..');
const machine = describeMachine(root);
const begunAtMs = Date.now();
process.exitCode = (await run()) ? 0 : 1;

/** Also a run that could not be finished says so in its page. */
async function run(): Promise<boolean> {
  try {
    const isGood = await (values.linearizability === undefined ? faults() : histories());
    await write(isGood ? 'nothing was found' : '**violations were found**');
    return isGood;
  } catch (error) {
    console.error(error);
    print(String(error));
    await write('**it could not be finished**');
    return false;
  }
}

async function write(verdict: string): Promise<void> {
  const isHistories = values.linearizability !== undefined;
  const name = isHistories ? 'linearizability' : 'faults';
  const file = values.report ?? path.join(root, `bench/results/${name}.md`);
  const command = `npm run faults -- ${process.argv.slice(2).join(' ')}`;
  const title = isHistories ? 'Histories of keys under faults' : 'A cluster under faults';
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, resultPage({ title, command, seed, verdict, machine, begunAtMs, endedAtMs: Date.now(), said }));
  console.log(`written to ${file}: ${verdict}`);
}

async function faults(): Promise<boolean> {
  const durationMs = Number(values.minutes) * 60_000;
  const result = await runFaults({ seed, durationMs, roundMs: Number(values.round) * 1_000, print, ...chosen });
  for (const line of reportLines(result, seed)) print(line);
  return result.findings.all.length === 0;
}

async function histories(): Promise<boolean> {
  await using cluster = await DroverCluster.start({ timing: 'lan' });
  const runs = await linearizableRuns({ cluster, runs: Number(values.linearizability), seed, print, ...chosen });
  const operations = runs.reduce((sum, { verdict }) => sum + verdict.operations, 0);
  const refused = runs.filter(({ verdict }) => verdict.violations.length > 0);
  const undecided = runs.filter(({ verdict }) => verdict.undecided.length > 0);
  print(
    `seed ${seed}: ${runs.length} runs, ${operations} operations, ${refused.length} refused, ${undecided.length} undecided`,
  );
  return refused.length === 0 && undecided.length === 0;
}
