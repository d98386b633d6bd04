import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findRun, identifyProcess, lockHolder, systemClock, TIMING } from '../../src/lib/index.ts';
import { Listener, provisionByHand } from '../../src/listener/index.ts';
import type { ListenerOptions } from '../../src/listener/index.ts';
import { viewOf } from '../../src/listener/testing.ts';
import type { InputsSketch } from '../../src/listener/testing.ts';
import type { Receipt } from '../../src/change/index.ts';
import { until } from '../until.ts';

type Said = Omit<Receipt, 'node' | 'kind'>;

let directory: string;
let state: string;
let started: ChildProcess[];
let receipts: Said[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-listener-'));
  state = path.join(directory, 'state');
  started = [];
  receipts = [];
});

afterEach(async () => {
  for (const child of started) child.kill('SIGKILL');
  const run = await findRun(state, 'provision');
  run?.terminate();
  await run?.exited;
  await rm(directory, { recursive: true, force: true });
});

const settings = (command: string): Pick<ListenerOptions, 'stateDirectory' | 'command' | 'timing' | 'timeLimitMs'> => ({
  stateDirectory: state,
  command: `cd '${directory}'; ${command}`,
  timing: TIMING.local,
  timeLimitMs: 20_000,
});

const listen = (command: string, options: Partial<ListenerOptions> = {}): Promise<Listener> =>
  Listener.start({
    ...settings(command),
    node: 'staging',
    kind: 'command',
    env: { PATH: process.env['PATH'] ?? '' },
    killAfterMs: 300,
    clock: systemClock,
    receipt: (receipt) => receipts.push(receipt),
    ...options,
  });

const text = (name: string): Promise<string> => readFile(path.join(directory, name), 'utf8').catch(() => '');
const lines = async (name: string): Promise<string[]> => (await text(name)).split('\n').filter((line) => line !== '');
const idle = (listener: Listener): boolean => !listener.status().running && !listener.status().queued;
const api = (digest: string): InputsSketch => ({ assigned: { api: digest } });

/** Notes start and end of every run in `runs`, in one write each. */
const NOTED = 'echo "start $DROVER_REVISION" >> runs; sleep 0.2; echo "end $DROVER_REVISION" >> runs';

/** True when no run started before the one before it had ended. */
const neverOverlap = (noted: readonly string[]): boolean =>
  noted.every((line, index) => line.startsWith(index % 2 === 0 ? 'start' : 'end'));

test('Listener runs the command with the very view it was started for', async () => {
  await using listener = await listen(
    'cp "$DROVER_INPUTS" seen; stat -c %a "$DROVER_INPUTS" > mode; echo "$DROVER_NODE $DROVER_REVISION $DROVER_CAUSES" > env',
  );
  await listener.offer(viewOf(7, api('a')));
  await until('one run', () => listener.status().runs === 1);
  expect(JSON.parse(await text('seen'))).toEqual(viewOf(7, api('a')));
  expect(await text('mode')).toBe('600\n');
  expect(await text('env')).toBe('staging 7 ["api assigned"]\n');
  expect(listener.status()).toMatchObject({
    enabled: true,
    running: false,
    queued: false,
    runs: 1,
    last: { exitCode: 0, causes: ['api assigned'], revision: 7 },
  });
  expect(receipts).toEqual([{ revision: 7, outcome: 'applied' }]);
  // The view may hold secrets.
  const [run] = listener.provisions();
  expect(await stat(path.join(path.dirname(run?.logFile ?? ''), 'inputs.json')).catch(() => 'gone')).toBe('gone');
});

test('Listener makes one or two runs of a thousand changes in a second, the last of which sees the last change', async () => {
  await using listener = await listen(NOTED);
  await listener.offer(viewOf(1, api('first')));
  await until('the first run', () => listener.status().runs === 1);
  const begun = Date.now();
  for (let change = 2; change <= 1_001; change++) await listener.offer(viewOf(change, api(`value ${change}`)));
  const lastChange = Date.now();
  await until('idle', () => idle(listener));
  const runs = listener.status().runs - 1;
  // A machine too busy to take them within some seconds gets a run every `listenerMostMs` or so.
  const allowed = Math.max(2, 1 + Math.ceil((lastChange - begun) / TIMING.local.listenerMostMs));
  expect(runs).toBeGreaterThanOrEqual(1);
  expect(runs).toBeLessThanOrEqual(allowed);
  const [last] = listener.provisions();
  expect(last?.revision).toBe(1_001);
  expect(Date.parse(last?.startedAt ?? '')).toBeGreaterThanOrEqual(lastChange - 1);
  const noted = await lines('runs');
  expect(neverOverlap(noted)).toBe(true);
  expect(noted.at(-1)).toBe('end 1001');
  expect(receipts.at(-1)).toEqual({ revision: 1_001, outcome: 'applied' });
});

test('Listener makes one run of off, change, on; and one of off, on', async () => {
  await using listener = await listen(NOTED);
  await listener.offer(viewOf(1, api('a')));
  await until('the first run', () => listener.status().runs === 1);
  await listener.off();
  await listener.offer(viewOf(2, api('b')));
  await listener.offer(viewOf(3, api('c')));
  expect(receipts.at(-1)).toEqual({ revision: 3, outcome: 'held', reason: 'listener is off' });
  await new Promise((resolve) => setTimeout(resolve, 800));
  expect(listener.status()).toMatchObject({ enabled: false, queued: true, runs: 1, held: 'off' });
  await listener.on();
  await until('the run after on', () => listener.status().runs === 2 && idle(listener));
  expect(receipts.at(-1)).toEqual({ revision: 3, outcome: 'applied' });
  await listener.off();
  await listener.on();
  await until('the run that nothing asked for', () => listener.status().runs === 3 && idle(listener));
  await listener.on();
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(listener.status()).toMatchObject({ runs: 3, queued: false, last: { causes: ['listener:on'] } });
});

test('Listener tries a failed run again with back-off, at once when what it needs changed', async () => {
  await using listener = await listen('test -e ok || exit 3', {
    timing: { ...TIMING.local, listenerBackoffMs: 60_000, listenerBackoffMaxMs: 600_000 },
  });
  await listener.offer(viewOf(1, api('a')));
  await until('the failure', () => listener.status().runs === 1);
  expect(receipts.at(-1)).toMatchObject({ revision: 1, outcome: 'failed', reason: 'exit 3' });
  expect(Date.parse(receipts.at(-1)?.retryAt ?? '') - Date.now()).toBeGreaterThan(50_000);
  expect(listener.status()).toMatchObject({ queued: true, held: 'backoff', last: { exitCode: 3 } });
  await listener.offer(viewOf(2, api('a')));
  expect(receipts.at(-1)).toMatchObject({ revision: 2, outcome: 'held', reason: 'back-off after exit 3' });
  await writeFile(path.join(directory, 'ok'), '');
  await listener.offer(viewOf(3, api('b')));
  await until('the run that works', () => listener.status().runs === 2);
  expect(receipts.at(-1)).toEqual({ revision: 3, outcome: 'applied' });
});

test('Listener waits for a provision that was started by hand, and never overlaps it', async () => {
  await using listener = await listen(NOTED);
  await listener.offer(viewOf(1, api('a')));
  await until('the first run', () => listener.status().runs === 1);
  const lock = path.join(state, 'provision.lock');
  const script = 'echo "start by hand" >> runs; while [ ! -e go ]; do sleep 0.02; done; echo "end by hand" >> runs';
  started.push(spawn('flock', [lock, 'sh', '-c', script], { cwd: directory, stdio: 'ignore' }));
  await until('the lock', () => lockHolder(lock));
  await listener.offer(viewOf(2, api('b')));
  await listener.provision({ skipSettle: true });
  await until('held', () => listener.status().held?.startsWith('locked by'));
  expect(receipts.at(-1)).toMatchObject({ revision: 2, outcome: 'held' });
  expect(receipts.at(-1)?.reason).toMatch(/^another provision runs: pid \d+ holds /);
  await new Promise((resolve) => setTimeout(resolve, 700));
  await writeFile(path.join(directory, 'go'), '');
  await until('the run after it', () => listener.status().runs === 2 && idle(listener));
  const noted = await lines('runs');
  expect(noted.slice(2)).toEqual(['start by hand', 'end by hand', 'start 2', 'end 2']);
});

test('Listener leaves daemons of its command alone and does not wait for them', async () => {
  await using listener = await listen(
    'setsid sh -c "echo \\$\\$ > daemon; exec sleep 60" & while [ ! -s daemon ]; do sleep 0.02; done',
  );
  await listener.offer(viewOf(1, api('a')));
  await until('one run', () => listener.status().runs === 1);
  const pid = Number(await text('daemon'));
  expect(await lockHolder(path.join(state, 'provision.lock'))).toBeNull();
  expect(() => process.kill(pid, 'SIGKILL')).not.toThrow();
});

test('Listener ends a run with all its processes at the time limit', async () => {
  await using listener = await listen('sh -c "trap : TERM; echo \\$\\$ > child; while :; do sleep 0.1; done"; true', {
    timeLimitMs: 500,
  });
  await listener.offer(viewOf(1, api('a')));
  await until('the end', () => listener.status().runs === 1);
  expect(receipts.at(-1)).toMatchObject({ outcome: 'failed', reason: 'time limit' });
  const child = Number(await text('child'));
  await until('the child gone', () => identifyProcess(child) === null, 5_000);
});

interface Host {
  send(command: object): void;
  readonly said: Record<string, unknown>[];
  kill(): Promise<void>;
}

/** A process of its own that hosts a listener on the test's state directory. */
async function host(command: string): Promise<Host> {
  const program = path.join(import.meta.dirname, 'listener-host.ts');
  const given = JSON.stringify(settings(command));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, given], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  started.push(child);
  const said: Record<string, unknown>[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    said.push(...parts.map((part) => JSON.parse(part) as Record<string, unknown>));
  });
  await until('the host', () => said.some((one) => one['ready']));
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    said,
    send: (what) => void child.stdin.write(`${JSON.stringify(what)}\n`),
    kill: () => {
      child.kill('SIGKILL');
      return gone;
    },
  };
}

test('Listener adopts a run whose agent was killed, and learns its exit code', async () => {
  const command = `${NOTED}; while [ ! -e go ]; do sleep 0.02; done; exit 4`;
  const first = await host(command);
  first.send({ do: 'offer', revision: 5, inputs: api('a') });
  await until('the run', async () => (await lines('runs')).length === 2);
  await first.kill();
  await using listener = await listen(command, {
    timing: { ...TIMING.local, listenerBackoffMs: 60_000, listenerBackoffMaxMs: 60_000 },
  });
  expect(listener.status()).toMatchObject({ running: true, runs: 0 });
  await listener.offer(viewOf(6, api('a')));
  expect(receipts).toEqual([]);
  await writeFile(path.join(directory, 'go'), '');
  await until('its end', () => listener.status().runs === 1);
  expect(listener.provisions()[0]).toMatchObject({ exitCode: 4, revision: 5, result: 'exit 4' });
  expect(receipts.at(-1)).toMatchObject({ revision: 6, outcome: 'failed', reason: 'exit 4' });
  expect(await lines('runs')).toEqual(['start 5', 'end 5']);
});

test('Listener accounts for a run that ended while no agent was there', async () => {
  const first = await host(NOTED);
  first.send({ do: 'offer', revision: 5, inputs: api('a') });
  await until('the run', async () => (await lines('runs')).length === 1);
  await first.kill();
  await until('its end', async () => (await lines('runs')).length === 2);
  await until('its lock', async () => (await lockHolder(path.join(state, 'provision.lock'))) === null);
  await using listener = await listen(NOTED);
  await until('the account', () => listener.status().runs === 1);
  await listener.offer(viewOf(6, api('a')));
  expect(listener.status()).toMatchObject({ queued: false, runs: 1, last: { exitCode: 0, revision: 5 } });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await lines('runs')).toEqual(['start 5', 'end 5']);
  expect(receipts.at(-1)).toEqual({ revision: 6, outcome: 'unchanged' });
});

test('Listener runs what changed when its agent was killed between the change and the run', async () => {
  const first = await host(NOTED);
  first.send({ do: 'offer', revision: 5, inputs: api('a') });
  await until('the first run', async () => (await lines('runs')).length === 2);
  await until('its account', () => {
    first.send({ do: 'status' });
    return first.said.some((one) => (one['status'] as { runs?: number } | undefined)?.runs === 1);
  });
  first.send({ do: 'offer', revision: 6, inputs: api('b') });
  await until('wanted', () => first.said.some((one) => (one['status'] as { queued?: boolean } | undefined)?.queued));
  await first.kill();
  await using listener = await listen(NOTED);
  await listener.offer(viewOf(7, api('b')));
  await until('the run', () => idle(listener) && listener.status().runs === 2);
  expect(await lines('runs')).toHaveLength(4);
  expect(receipts.at(-1)).toEqual({ revision: 7, outcome: 'applied' });
});

test('Listener loses no run and overlaps none when its agents are killed at random times', async () => {
  const noted = 'echo "start $DROVER_REVISION" >> runs; sleep 0.1; echo "end $DROVER_REVISION" >> runs';
  let revision = 0;
  for (let round = 0; round < 8; round++) {
    const one = await host(noted);
    one.send({ do: 'offer', revision: ++revision, inputs: api(`round ${round}`) });
    await new Promise((resolve) => setTimeout(resolve, (round * 53) % 400));
    await one.kill();
  }
  await using listener = await listen(noted);
  await listener.offer(viewOf(++revision, api('round 7')));
  await until('idle', () => idle(listener));
  expect(neverOverlap(await lines('runs'))).toBe(true);
  // The last round's inputs were provisioned, whoever started it.
  const [last] = listener.provisions();
  expect(last).toMatchObject({ succeeded: true, hash: viewOf(0, api('round 7')).listener.hash });
  expect(listener.provisions().filter(({ result }) => result !== 'exit 0')).toEqual([]);
  const sawThem = listener.provisions().filter((run) => run.hash === last?.hash);
  expect(sawThem).toHaveLength(1);
});

test('Listener runs again what was lost with its shim', async () => {
  const command = 'echo x >> runs; if [ ! -e second ]; then touch second; sleep 60; fi';
  await using listener = await listen(command);
  await listener.offer(viewOf(1, api('a')));
  await until('the run', async () => (await lines('runs')).length === 1);
  const record = await until('its record', async () => {
    const read = JSON.parse(await text('state/provision.run.json')) as {
      shim: { pid: number };
      command: { pid: number } | null;
    };
    return read.command ? { shim: read.shim, command: read.command } : null;
  });
  process.kill(record.shim.pid, 'SIGKILL');
  process.kill(-record.command.pid, 'SIGKILL');
  await until('the second run', () => listener.status().runs === 2 && idle(listener));
  expect(listener.provisions().map(({ result }) => result)).toEqual(['exit 0', 'lost: nobody saw its end']);
});

test('Listener keeps its throttle across a restart of its agent', async () => {
  const timing = { ...TIMING.local, listenerMinIntervalMs: 2_500 };
  {
    await using listener = await listen(NOTED, { timing });
    await listener.offer(viewOf(1, api('a')));
    await until('the first run', () => listener.status().runs === 1);
  }
  await using listener = await listen(NOTED, { timing });
  await listener.offer(viewOf(2, api('b')));
  expect(listener.status()).toMatchObject({ queued: true, held: 'interval' });
  await until('the second run', () => listener.status().runs === 2);
  const [second, first] = listener.provisions();
  // The command itself writes down when it starts, which a busy machine puts off; without the throttle it is half a second.
  expect(Date.parse(second?.startedAt ?? '') - Date.parse(first?.startedAt ?? '')).toBeGreaterThan(1_500);
});

test('Listener starts over when its state is damaged, and says so', async () => {
  await mkdir(state);
  await writeFile(path.join(state, 'listener.json'), '{"version": 1, "enab');
  const said: string[] = [];
  await using listener = await listen('true', { log: (message) => said.push(message) });
  await listener.offer(viewOf(1, api('a')));
  await until('a run', () => listener.status().runs === 1);
  expect(said[0]).toMatch(/state is damaged .* kept as .*listener\.json\.damaged/);
});

test('Listener acts on nothing while its state cannot be written, and goes on when it can', async () => {
  await using listener = await listen(NOTED);
  // A rename cannot replace a directory: the write fails as on a disk that is full.
  await mkdir(path.join(state, 'listener.json'));
  await listener.offer(viewOf(1, api('a')));
  expect(receipts.at(-1)).toMatchObject({ revision: 1, outcome: 'failed' });
  await expect(listener.off()).rejects.toMatchObject({ code: 'LISTENER_NOT_SAVED' });
  expect(listener.status()).toMatchObject({ enabled: true, running: false });
  await rm(path.join(state, 'listener.json'), { recursive: true });
  await until('the run', () => listener.status().runs === 1);
  expect(await lines('runs')).toEqual(['start 1', 'end 1']);
});

test('Listener without a command takes every view as it is and refuses to be turned on', async () => {
  await using listener = await listen('', { command: null });
  await listener.offer(viewOf(1, api('a')));
  expect(receipts).toEqual([{ revision: 1, outcome: 'unchanged' }]);
  expect(listener.status()).toMatchObject({ configured: false, queued: false });
  await expect(listener.on()).rejects.toMatchObject({ code: 'LISTENER_NOT_CONFIGURED' });
});

test('provisionByHand() never overlaps the listener', async () => {
  await using listener = await listen('touch begun; while [ ! -e go ]; do sleep 0.02; done; echo listener >> runs');
  const byHand = {
    stateDirectory: state,
    command: ['sh', '-c', 'echo hand >> runs; exit 5'],
    env: process.env,
    cwd: directory,
  };
  expect(await provisionByHand({ ...byHand, wait: false })).toBe(5);
  await listener.offer(viewOf(1, api('a')));
  await until('the run', () => stat(path.join(directory, 'begun')).catch(() => null));
  await expect(provisionByHand({ ...byHand, wait: false })).rejects.toMatchObject({ code: 'LISTENER_LOCKED' });
  const waiting = provisionByHand({ ...byHand, wait: true });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await writeFile(path.join(directory, 'go'), '');
  expect(await waiting).toBe(5);
  expect(await lines('runs')).toEqual(['hand', 'listener', 'hand']);
});

test('Listener.start() removes the views, which may hold secrets, and the folders of runs that an agent was killed over', async () => {
  {
    await using listener = await listen('echo done');
    await listener.offer(viewOf(1, api('a')));
    await until('one run', () => listener.status().runs === 1);
  }
  const runs = path.join(state, 'provisions');
  const [known = ''] = await readdir(runs);
  await writeFile(path.join(runs, known, 'inputs.json'), 'secret');
  await mkdir(path.join(runs, '2-never'));
  await writeFile(path.join(runs, '2-never', 'inputs.json'), 'secret');
  await using listener = await listen('echo done');
  expect(await readdir(runs)).toEqual([known]);
  expect(await readdir(path.join(runs, known))).toEqual(['output.log']);
  expect(listener.provisions()).toHaveLength(1);
});
