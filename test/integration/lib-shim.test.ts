import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  findRun,
  identifyProcess,
  isAlive,
  lockFileOf,
  lockHolder,
  startUnderShim,
  systemClock,
} from '../../src/lib/index.ts';
import type { ShimOptions, ShimRun } from '../../src/lib/index.ts';

let directory: string;
let runs: ShimRun[];
let strays: number[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-shim-'));
  runs = [];
  strays = [];
});

afterEach(async () => {
  for (const run of runs) run.terminate();
  await Promise.all(runs.map((run) => run.exited));
  for (const pid of strays) kill(pid, 'SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone
  }
}

async function start(script: string, options: Partial<ShimOptions> = {}): Promise<ShimRun> {
  const run = await startUnderShim({
    stateDirectory: path.join(directory, 'state'),
    name: 'provision',
    command: ['/bin/sh', '-c', script],
    env: { PATH: process.env['PATH'] ?? '' },
    cwd: directory,
    timeLimitMs: null,
    killAfterMs: 500,
    logFile: path.join(directory, 'log', 'run.log'),
    ...options,
  });
  runs.push(run);
  return run;
}

const log = (): Promise<string> => readFile(path.join(directory, 'log', 'run.log'), 'utf8');

/** Waits for a line of digits in a file of the test's folder. */
async function pidIn(file: string): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const text = await readFile(path.join(directory, file), 'utf8').catch(() => '');
    if (/^\d+\n/.test(text)) return Number.parseInt(text, 10);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no pid in ${file}`);
}

test('startUnderShim() records start, exit code and output', async () => {
  const run = await start('echo out; echo err >&2; echo again > /dev/stdout; exit 3', {
    labels: { revision: 41, hash: 'abc' },
  });
  const exit = await run.exited;
  expect(exit).toMatchObject({ code: 3, signal: null, timedOut: false, lost: false });
  expect(exit.endedAt).toBeGreaterThanOrEqual(exit.startedAt);
  expect(run.labels).toEqual({ revision: 41, hash: 'abc' });
  expect(await log()).toBe('out\nerr\nagain\n');
  const found = await findRun(path.join(directory, 'state'), 'provision');
  expect(found?.id).toBe(run.id);
  expect(await found?.exited).toEqual(exit);
});

test('startUnderShim() gives the command its environment and keeps it out of every argument', async () => {
  const run = await start('echo "$SECRET"; echo $$ > pid; sleep 30', {
    env: { PATH: process.env['PATH'] ?? '', SECRET: 'hunter2-of-the-test' },
  });
  await pidIn('pid');
  const listing = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout;
  expect(listing).not.toContain('hunter2-of-the-test');
  expect(await log()).toBe('hunter2-of-the-test\n');
  expect((await stat(path.join(directory, 'log', 'run.log'))).mode & 0o777).toBe(0o600);
  run.terminate();
});

test('startUnderShim() reports 127 when the program does not exist', async () => {
  const run = await start('', { command: ['/no/such/program'] });
  expect(await run.exited).toMatchObject({ code: 127, signal: null });
  expect(await log()).toContain('cannot start: ');
});

test('startUnderShim() ends the whole process group at the time limit', async () => {
  const run = await start('trap "" TERM; sh -c \'trap "" TERM; echo $$ > grandchild; while :; do sleep 1; done\'', {
    timeLimitMs: 400,
    killAfterMs: 300,
  });
  const grandchild = identifyProcess(await pidIn('grandchild'));
  const exit = await run.exited;
  expect(exit).toMatchObject({ code: null, signal: 'SIGKILL', timedOut: true });
  expect(grandchild !== null && isAlive(grandchild)).toBe(false);
});

test('startUnderShim() refuses a second run of a name, and one while the lock is held by hand', async () => {
  const run = await start('sleep 30');
  await expect(start('true')).rejects.toThrow(/another run holds/);
  run.terminate();
  expect(await run.exited).toMatchObject({ signal: 'SIGTERM', timedOut: false });
  const lock = lockFileOf(path.join(directory, 'state'), 'provision');
  expect(await lockHolder(lock)).toBeNull();
  const byHand = spawn('flock', [lock, 'sh', '-c', 'echo $$ > byhand; exec sleep 30'], { cwd: directory });
  strays.push(byHand.pid ?? 0, await pidIn('byhand'));
  expect(await lockHolder(lock)).toEqual({ pid: byHand.pid });
  await expect(start('true')).rejects.toMatchObject({ code: 'SHIM_LOCKED' });
});

test('startUnderShim() leaves daemons alone: no lock, no broken pipe', async () => {
  const daemon = `setsid sh -c 'echo $$ > daemon; i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo done > survived; sleep 30' &`;
  const run = await start(daemon);
  expect(await run.exited).toMatchObject({ code: 0 });
  strays.push(await pidIn('daemon'));
  expect(await lockHolder(lockFileOf(path.join(directory, 'state'), 'provision'))).toBeNull();
  for (let tries = 0; tries < 100; tries++) {
    if (await stat(path.join(directory, 'survived')).catch(() => null)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the daemon did not survive the end of the run');
});

test('startUnderShim() bounds the log when the command floods it', async () => {
  const run = await start('yes "a line of some length that is repeated" | head -c 5000000; echo end', {
    maxLogBytes: 100_000,
  });
  expect(await run.exited).toMatchObject({ code: 0 });
  expect((await log()).endsWith('end\n')).toBe(true);
  expect((await stat(path.join(directory, 'log', 'run.log'))).size).toBeLessThanOrEqual(100_000);
  expect((await stat(path.join(directory, 'log', 'run.log.1'))).size).toBeLessThanOrEqual(100_000);
});

const STARTER = `
import { startUnderShim } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../src/lib/index.ts'))};
const directory = process.argv[2];
await startUnderShim({ stateDirectory: directory + '/state', name: 'provision', command: ['/bin/sh', '-c', process.argv[3]],
  env: { PATH: process.env.PATH }, cwd: directory, timeLimitMs: 20_000, logFile: directory + '/log/run.log' });
console.log('started');
setInterval(() => undefined, 1_000);
`;

/** Starts a run from a process of its own and kills that process as soon as the run has started. */
async function startAndDie(script: string): Promise<void> {
  await writeFile(path.join(directory, 'starter.ts'), STARTER);
  const starter = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', path.join(directory, 'starter.ts'), directory, script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  strays.push(starter.pid ?? 0);
  await new Promise((resolve) => starter.stdout.once('data', resolve));
  starter.kill('SIGKILL');
  await new Promise((resolve) => starter.once('exit', resolve));
}

test('findRun() adopts a run whose starter was killed and learns its exit code', async () => {
  await startAndDie('sleep 1; exit 7');
  const run = await findRun(path.join(directory, 'state'), 'provision');
  if (run) runs.push(run);
  expect(run?.pid).toBeGreaterThan(1);
  expect(await run?.exited).toMatchObject({ code: 7, lost: false });
});

test('findRun() learns the exit code of a run that ended while nobody was there', async () => {
  await startAndDie('sleep 0.3; exit 9');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const run = await findRun(path.join(directory, 'state'), 'provision');
  expect(await run?.exited).toMatchObject({ code: 9, lost: false });
});

test('findRun() waits for a command that lost its shim and says that its exit is not known', async () => {
  const run = await start('echo $$ > pid; sleep 1; echo end > end', { labels: { hash: 'x' } });
  await pidIn('pid');
  const record = JSON.parse(await readFile(path.join(directory, 'state', 'provision.run.json'), 'utf8')) as {
    shim: { pid: number };
  };
  kill(record.shim.pid, 'SIGKILL');
  expect(await run.exited).toMatchObject({ code: null, lost: true });
  expect(await readFile(path.join(directory, 'end'), 'utf8')).toBe('end\n');
});

test.each([
  ['forward', 3_600_000],
  ['back', -3_600_000],
])('findRun() ends a command that lost its shim at its limit, though the clock was set %s', async (_how, jumpMs) => {
  const run = await start('echo $$ > pid; sleep 2; echo end > end; sleep 30', { timeLimitMs: 5_000 });
  await pidIn('pid');
  const record = JSON.parse(await readFile(path.join(directory, 'state', 'provision.run.json'), 'utf8')) as {
    shim: { pid: number };
  };
  kill(record.shim.pid, 'SIGKILL');
  const jumped = { ...systemClock, wall: () => systemClock.wall() + jumpMs };
  const found = await findRun(path.join(directory, 'state'), 'provision', jumped);
  const begun = performance.now();
  expect(await found?.exited).toMatchObject({ code: null, lost: true });
  expect(await readFile(path.join(directory, 'end'), 'utf8')).toBe('end\n');
  expect(performance.now() - begun).toBeLessThan(15_000);
  await run.exited;
});

test('findRun() finds nothing when nothing ever ran, and nothing of use in a damaged record', async () => {
  expect(await findRun(directory, 'provision')).toBeNull();
  await writeFile(path.join(directory, 'provision.run.json'), '{"version": 1, "id"');
  expect(await findRun(directory, 'provision')).toBeNull();
});

test('startUnderShim() leaves a command alone whose time limit is longer than a timer can wait', async () => {
  const run = await start('sleep 0.3; echo done', { timeLimitMs: 30 * 24 * 3_600_000 });
  expect(await run.exited).toMatchObject({ code: 0, timedOut: false });
  expect(await log()).toBe('done\n');
});
