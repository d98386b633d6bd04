// The quick checks, for every save: format, lint, types, and unit tests with the import ladder and the generated files. All of
// them run, side by side; what fails is printed whole.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** The longest first, so that they end together. */
const CHECKS = [
  ['unit tests', 'vitest', 'run', '--project', 'unit', '--silent=passed-only'],
  ['types', 'tsc', '--noEmit', '--incremental', '--tsBuildInfoFile', 'node_modules/.cache/tsbuildinfo'],
  ['lint', 'oxlint', '--type-aware', '--quiet'],
  ['format', 'oxfmt', '--check'],
];

/** What was stripped and compiled before is not again. */
const env = { ...process.env, NO_COLOR: '1', NODE_COMPILE_CACHE: 'node_modules/.cache/node' };

const begun = performance.now();
const seconds = (since) => ((performance.now() - since) / 1_000).toFixed(1);
const waiting = [...CHECKS];
let failed = false;

function run([name, command, ...args]) {
  const from = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { env });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => (output += `${error.message}\n`));
    child.on('close', (status) => {
      if (status !== 0) console.error(`${output}\nnot ok  ${name} (${command} ${args.join(' ')})`);
      else console.log(`ok  ${name.padEnd(12)} ${seconds(from)} s${name === 'unit tests' ? counted(output) : ''}`);
      failed ||= status !== 0;
      resolve();
    });
  });
}

function counted(output) {
  const [, tests] = /Tests\s+(.*)/.exec(output) ?? [];
  return tests === undefined ? '' : `  ${tests}`;
}

async function work() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next);
}

await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
console.log(`${failed ? 'not ok' : 'ok'} in ${seconds(begun)} s`);
process.exitCode = failed ? 1 : 0;
