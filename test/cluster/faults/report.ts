import { INVARIANTS, type Invariant } from './invariants.ts';
import type { FaultRunResult } from './fault-run.ts';
import type { Machine } from '../../../bench/machine.ts';
import { faultText } from './plan.ts';

/** What a run came to, for people: each invariant by name, how often it was looked at, and what was found. */
export function reportLines({ findings, faults, history, counts }: FaultRunResult, seed: number): string[] {
  const kinds = Map.groupBy(faults, ({ fault }) => fault.kind);
  const done = [...kinds].map(([kind, all]) => `${kind} ${all.length}`).toSorted();
  const failed = faults.filter((one) => one.failed !== null);
  return [
    `seed ${seed}: ${faults.length} faults (${done.join(', ')})`,
    ...failed.map(({ fault, failed: why }) => `  not done: ${faultText(fault)}: ${why}`),
    `history: ${history.operations} operations on ${history.keys} keys, ${history.violations.length} violations, ${history.undecided.length} undecided`,
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
    ...numbers().map((number) => invariantLine(number, findings.count(number), found(number).length)),
    ...findings.all.map(({ invariant, atMs, text, during }) => {
      return `FOUND ${invariant} at ${(atMs / 1_000).toFixed(1)} s, seed ${seed}${during.length > 0 ? `, during ${during.join(' and ')}` : ''}: ${text}`;
    }),
  ];

  function found(number: Invariant): readonly unknown[] {
    return findings.all.filter(({ invariant }) => invariant === number);
  }
}

function invariantLine(number: Invariant, looked: number, found: number): string {
  const word = looked === 0 ? 'NOT LOOKED AT' : found === 0 ? 'holds' : 'BROKEN';
  return `${String(number).padStart(3)} ${word.padEnd(14)} ${String(looked).padStart(7)} looks  ${INVARIANTS[number]}`;
}

function numbers(): Invariant[] {
  return Object.keys(INVARIANTS).map((number) => Number(number) as Invariant);
}

/** A run as a page to be kept. */
export interface ResultPage {
  readonly title: string;
  readonly command: string;
  readonly seed: number;
  readonly verdict: string;
  readonly machine: Machine;
  readonly begunAtMs: number;
  readonly endedAtMs: number;
  readonly said: readonly string[];
}

/** In Markdown: what was run, where, what it came to, and all that was said meanwhile. */
export function resultPage({ title, command, seed, verdict, machine, begunAtMs, endedAtMs, said }: ResultPage): string {
  const { cpu, cores, memoryGiB, kernel, node, disk, commit, loadBefore } = machine;
  const lasted = `${((endedAtMs - begunAtMs) / 60_000).toFixed(1)} min`;
  return [
    `# ${title}`,
    '',
    `Written by \`${command}\`; do not edit. What is looked at: [test/cluster](../../test/cluster/README.md).`,
    '',
    `Seed ${seed}: ${verdict}.`,
    '',
    `${new Date(begunAtMs).toISOString()}, ${lasted}, commit ${commit}, load before ${loadBefore}, ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}, Node ${node}, ${disk}`,
    '',
    '```',
    ...said,
    '```',
    '',
  ].join('\n');
}
