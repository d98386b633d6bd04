// All benchmarks, or those named: npm run bench -- [NAME…] [--quick] [--results DIRECTORY]
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BENCHES } from './benches.ts';
import { describeMachine } from './machine.ts';
import { markdownPage, textReport, type RecordedResult } from './report.ts';
import { runBench } from './run-bench.ts';

const ROOT = path.join(import.meta.dirname, '..');
const USAGE = `usage: npm run bench -- [NAME…] [--quick] [--results DIRECTORY]\nbenchmarks: ${BENCHES.join(' ')}`;

process.exitCode = await main().catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}\n${USAGE}`);
  return 2;
});

/** 0: all ran and every bound holds (quick: all ran), 1: not so, 2: asked for something that is not there. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, results: { type: 'string' } },
  });
  const unknown = positionals.find((name) => !BENCHES.some((one) => one === name));
  if (unknown !== undefined) throw new Error(`there is no benchmark "${unknown}"`);
  const names = positionals.length === 0 ? BENCHES : BENCHES.filter((name) => positionals.includes(name));
  // Numbers of a quick run mean nothing and replace none.
  const directory = values.results ?? (values.quick ? null : path.join(import.meta.dirname, 'results'));
  const signal = stopSignal();
  const misses: string[] = [];
  for (const name of names) {
    if (!(await runAndRecord(name, values.quick, directory, signal))) misses.push(name);
    if (signal.aborted) return 1;
  }
  console.log(misses.length === 0 ? 'all ok' : `not ok: ${misses.join(', ')}`);
  return misses.length === 0 ? 0 : 1;
}

/** Whether it ran and, unless quick, its bound holds. */
async function runAndRecord(
  name: string,
  quick: boolean,
  directory: string | null,
  signal: AbortSignal,
): Promise<boolean> {
  const machine = describeMachine(ROOT);
  const at = new Date().toISOString();
  const begun = performance.now();
  try {
    const result = await runBench(name, { quick, signal });
    console.log(textReport(result, quick));
    const command = `npm run bench -- ${name}${quick ? ' --quick' : ''}`;
    const seconds = Math.round((performance.now() - begun) / 1_000);
    if (directory !== null) await record(directory, name, { ...result, at, command, seconds, machine });
    return quick || result.ok;
  } catch (error) {
    console.error(`FAIL  ${(error as Error).message}\n`);
    return false;
  }
}

/** Writes the result, and the page anew from all that are there: benchmarks may be run one at a time. */
async function record(directory: string, name: string, result: RecordedResult): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  const kept = await Promise.all(BENCHES.map((bench) => readResult(directory, bench)));
  const results = new Map(kept.filter((one) => one !== null));
  await writeFile(path.join(directory, 'README.md'), markdownPage(results));
}

async function readResult(directory: string, bench: string): Promise<[string, RecordedResult] | null> {
  const text = await readFile(path.join(directory, `${bench}.json`), 'utf8').catch(() => null);
  return text === null ? null : [bench, JSON.parse(text) as RecordedResult];
}

function stopSignal(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => abort.abort());
  return abort.signal;
}
