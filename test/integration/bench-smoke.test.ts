import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BENCHES } from '../../bench/benches.ts';
import type { RecordedResult } from '../../bench/report.ts';

const BENCH = path.join(import.meta.dirname, '../../bench');
const run = promisify(execFile);

let results = '';
beforeAll(async () => {
  results = await mkdtemp(path.join(os.tmpdir(), 'drover-bench-results-'));
});
afterAll(() => rm(results, { recursive: true, force: true }));

/** Runs the command as `npm run bench` does. */
function bench(...words: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, ['--disable-warning=ExperimentalWarning', path.join(BENCH, 'run.ts'), ...words]);
}

// What is measured in a quick run, beside other tests, says nothing: only that it runs, and that it gives numbers.
test.each(BENCHES)('npm run bench -- %s gives rows when it is quick', { timeout: 120_000 }, async (name) => {
  await bench(name, '--quick', '--results', results);
  const result = JSON.parse(await readFile(path.join(results, `${name}.json`), 'utf8')) as RecordedResult;
  expect(result.rows.length).toBeGreaterThan(0);
  expect(result.bound).not.toBe('');
  expect(await readFile(path.join(results, 'README.md'), 'utf8')).toContain(`## ${name}\n`);
});

test('npm run bench ends with 2 and names the benchmarks when there is none of that name', async () => {
  await expect(bench('dnss')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('benchmarks: startup'),
  });
});

test('BENCHES has every benchmark of the folder', async () => {
  const files = (await readdir(BENCH)).filter((name) => name.endsWith('.ts'));
  const sources = await Promise.all(files.map((name) => readFile(path.join(BENCH, name), 'utf8')));
  const found = files
    .filter((_, at) => sources[at]?.includes('export async function run('))
    .map((name) => name.slice(0, -3));
  expect(found.toSorted()).toEqual(BENCHES.toSorted());
});
