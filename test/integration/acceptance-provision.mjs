// The provision command of the acceptance tests: writes down when it began and ended and what it saw.
// Takes the region's folder; `provision/<node>.json` there says how long it takes and how it ends.
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [directory] = process.argv.slice(2);
const { DROVER_NODE: node, DROVER_REVISION, DROVER_CAUSES, DROVER_INPUTS } = process.env;
const from = process.env.BY_HAND === '1' ? 'hand' : 'listener';

function write(what) {
  const line = { node: node ?? process.env.NODE, from, pid: process.pid, at: Date.now(), ...what };
  appendFileSync(path.join(directory, 'provisions.log'), `${JSON.stringify(line)}\n`);
}

function databaseOf(inputs) {
  const view = JSON.parse(readFileSync(inputs, 'utf8'));
  const variables = view.environments.flatMap((one) => one.variables);
  return variables.find((variable) => variable.name === 'DATABASE_URL')?.value ?? null;
}

function files() {
  const folder = path.join(directory, 'nodes', node, 'services.d');
  if (!existsSync(folder)) return '';
  return readdirSync(folder)
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('');
}

const told = path.join(directory, 'provision', `${node ?? process.env.NODE}.json`);
const { takesMs = 50, exitCode = 0 } = existsSync(told) ? JSON.parse(readFileSync(told, 'utf8')) : {};
if (DROVER_INPUTS === undefined) write({ event: 'start' });
else
  write({
    event: 'start',
    revision: Number(DROVER_REVISION),
    causes: JSON.parse(DROVER_CAUSES),
    database: databaseOf(DROVER_INPUTS),
    files: files(),
  });
// A test may end it earlier.
await Promise.race([sleep(takesMs), new Promise((resolve) => process.once('SIGUSR1', resolve))]);
write({ event: 'end', exitCode });
process.exit(exitCode);
