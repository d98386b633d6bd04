// All tests: the quick checks, then the integration tests with real components. Arguments go to the integration run.
import { spawnSync } from 'node:child_process';

function run(command, ...args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run(process.execPath, 'scripts/ok.mjs');
run('vitest', 'run', '--project', 'integration', ...process.argv.slice(2));
