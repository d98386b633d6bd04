// `npm run faults -- --minutes M --seed S`: a cluster of three members of etcd, three servers and some agents under seeded faults,
// held to the thirteen invariants. See test/cluster/README.md.
import { parseArgs } from 'node:util';
import { runFaults } from '../test/cluster/faults/fault-run.ts';
import { FAULTS, type FaultKind } from '../test/cluster/faults/plan.ts';
import { reportLines } from '../test/cluster/faults/report.ts';

const USAGE = `usage: npm run faults -- [--minutes M] [--seed S] [--round SECONDS] [--only KIND,KIND]
kinds of faults: ${FAULTS.join(', ')}`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    round: { type: 'string', default: '30' },
    only: { type: 'string' },
  },
});

const only = values.only?.split(',') as FaultKind[] | undefined;
if (only?.some((kind) => !FAULTS.includes(kind)) === true || !(Number(values.minutes) > 0)) {
  console.error(USAGE);
  process.exit(2);
}

const seed = Number(values.seed);
const print = (line: string): void => console.log(line);
const durationMs = Number(values.minutes) * 60_000;
const result = await runFaults({
  seed,
  durationMs,
  roundMs: Number(values.round) * 1_000,
  print,
  ...(only === undefined ? {} : { only }),
});
for (const line of reportLines(result, seed)) print(line);
process.exitCode = result.findings.all.length === 0 ? 0 : 1;
