import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { writeAtomically } from '../atomic-file.ts';
import { systemClock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { terminateGroup } from '../kill-group.ts';
import { identifyProcess } from '../process-identity.ts';
import type { ProcessIdentity } from '../process-identity.ts';
import { BoundedLog } from './bounded-log.ts';
import { OutputPipe } from './output-pipe.ts';
import type { ShimExit, ShimRecord, ShimSpec } from './record.ts';

// The shim: a program of its own, started by start.ts under flock(1). It outlives whoever started it.

const DRAIN_MS = 250;

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

async function main(): Promise<void> {
  const spec = JSON.parse(readFileSync(0, 'utf8')) as ShimSpec;
  const startedAt = Date.now();
  const record = recordOf(spec, startedAt);
  await saveRecord(spec, record, false);
  const log = new BoundedLog(spec.logFile, spec.maxLogBytes);
  const output = new OutputPipe(`${spec.recordFile}.${process.pid}.pipe`, spec.owner, (chunk) => log.write(chunk));
  const child = startCommand(spec, output);
  const ended = endOf(child, log);
  output.closeWriteEnd();
  const limit = limitTime(spec, child);
  const running = { ...record, command: child.pid === undefined ? null : identifyProcess(child.pid) };
  // On a disk that is full by now the run goes on under its first record.
  await saveRecord(spec, running, false).catch(() => undefined);
  announce();
  const { code, signal } = await ended;
  await limit.stop();
  await output.finish(DRAIN_MS);
  const exit: ShimExit = { code, signal, startedAt, endedAt: Date.now(), timedOut: limit.reached(), lost: false };
  await saveRecord(spec, { ...running, exit }, true);
}

function recordOf(spec: ShimSpec, startedAt: number): ShimRecord {
  const { id, name, labels, logFile, timeLimitMs, killAfterMs } = spec;
  const shim = identifyProcess(process.pid) as ProcessIdentity;
  const holder = identifyProcess(process.ppid);
  return {
    version: 1,
    id,
    name,
    labels,
    logFile,
    timeLimitMs,
    killAfterMs,
    startedAt,
    holder,
    shim,
    command: null,
    exit: null,
  };
}

async function saveRecord(spec: ShimSpec, record: ShimRecord, durable: boolean): Promise<void> {
  await writeAtomically(spec.recordFile, `${JSON.stringify(record)}\n`, { durable });
}

/** In a session and process group of its own, so that a time limit reaches all of it and nothing else. */
function startCommand(spec: ShimSpec, output: OutputPipe): ChildProcess {
  const [program = '', ...args] = spec.command;
  return spawn(program, args, {
    env: spec.env,
    cwd: spec.cwd,
    detached: true,
    stdio: ['ignore', output.writeEnd, output.writeEnd],
    ...spec.owner,
  });
}

/** Ends with 127, as a shell would, when the command cannot be started. */
function endOf(child: ChildProcess, log: BoundedLog): Promise<Ended> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      log.write(`cannot start: ${messageOf(error)}\n`);
      resolve({ code: 127, signal: null });
    });
  });
}

/** Ends the command's whole process group at the limit or when the shim is told to. */
function limitTime(spec: ShimSpec, child: ChildProcess): { stop(): Promise<void>; reached(): boolean } {
  let timedOut = false;
  let ending: Promise<void> | undefined;
  const end = (): void => {
    if (child.pid !== undefined)
      ending ??= terminateGroup(child.pid, { clock: systemClock, killAfterMs: spec.killAfterMs });
  };
  const atLimit = (): void => {
    timedOut = true;
    end();
  };
  const timer = spec.timeLimitMs === null ? undefined : systemClock.after(spec.timeLimitMs, atLimit);
  process.on('SIGTERM', end);
  const stop = async (): Promise<void> => {
    timer?.cancel();
    // What is left of a group that was told to end has its time to do so, and does not get to stay.
    await ending;
  };
  return { stop, reached: () => timedOut };
}

/** Tells the one who started it that the record stands; it may be gone by now. */
function announce(): void {
  try {
    writeSync(1, 'started\n');
    closeSync(1);
  } catch {
    // Then a later one finds the record.
  }
}

process.on('SIGHUP', () => undefined);
process.on('SIGINT', () => undefined);
await main().then(
  () => process.exit(0),
  () => process.exit(1),
);
