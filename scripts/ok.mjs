// The quick checks, for every save: format, lint, types, unit tests with the import ladder and generated files. Stops at the first that fails.
import { spawnSync } from 'node:child_process';

const STEPS = [
  ['format', 'oxfmt', '--check'],
  ['lint', 'oxlint', '--type-aware', '--quiet'],
  ['types', 'tsc', '--noEmit'],
  ['unit tests', 'vitest', 'run', '--project', 'unit', '--reporter=dot'],
];

const begun = performance.now();
for (const [name, command, ...args] of STEPS) {
  const from = performance.now();
  const step = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '0' } });
  if (step.status !== 0) {
    console.error(`${step.stdout}${step.stderr}`);
    console.error(`not ok: ${name} (${command} ${args.join(' ')})`);
    process.exit(1);
  }
  console.log(`ok  ${name.padEnd(12)} ${((performance.now() - from) / 1_000).toFixed(1)} s`);
}
console.log(`ok in ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
