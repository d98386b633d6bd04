import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type Clock, systemClock } from './clock.ts';
import { startDeadline } from './deadline.ts';
import { signalGroup, terminateGroup } from './kill-group.ts';
import { openPipe } from './open-pipe.ts';
import { OutputReader } from './output-reader.ts';

/** What to run and within which bounds; exactly one of `args` and `shell` is given. */
export interface RunProcessOptions {
  /** The program, found by the environment's PATH, and its arguments. */
  readonly args?: readonly string[];
  /** A line for `/bin/sh -c`. */
  readonly shell?: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to its stdin, which then ends; without it stdin is empty. A program need not read it. */
  readonly input?: string | Uint8Array;
  readonly uid?: number;
  readonly gid?: number;
  /** After this the process group gets TERM. */
  readonly timeoutMs: number;
  /** From TERM to KILL; 2 s unless told. */
  readonly killAfterMs?: number;
  /** How many bytes of output are kept, the last ones as Consul does; 4096 unless told. */
  readonly outputLimit?: number;
  /** What the process left running in its group when it ended lives on; otherwise it is killed. */
  readonly leaveChildren?: boolean;
  /** Ends the process as its time limit does. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** How a process ended; `exitCode` and `signal` are null when it never started or could not be killed in time. */
export interface ProcessResult {
  readonly ending: 'exited' | 'timeout' | 'aborted' | 'not-started';
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it did not start, such as ENOENT. */
  readonly error: NodeJS.ErrnoException | null;
  /** The end of stdout and stderr, in the order they were written. */
  readonly output: string;
  /** How many bytes it wrote in all. */
  readonly outputBytes: number;
  readonly durationMs: number;
  /** Resolves when the process is gone: before the result, unless the kernel holds it in an uninterruptible sleep. */
  readonly gone: Promise<void>;
}

/** How something runs a process: `runProcess`, or what a test gives in its place. */
export type RunProcess = (options: RunProcessOptions) => Promise<ProcessResult>;

interface Exit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Started {
  readonly child: ChildProcess;
  readonly streams: readonly Readable[];
  readonly exit: Promise<Exit>;
}

/**
 * Runs a program in a session and process group of its own, without terminal, and resolves when it has ended;
 * never rejects. At the time limit, or when aborted, the whole group is told to end, then killed. A grandchild that left
 * the group (a daemon) is not killed, nor waited for when it holds the output open.
 */
export async function runProcess(options: RunProcessOptions): Promise<ProcessResult> {
  if (options.signal?.aborted === true) return { ...NOT_STARTED, ending: 'aborted' };
  try {
    return await follow(await start(options), options);
  } catch (error) {
    return { ...NOT_STARTED, error: error as NodeJS.ErrnoException };
  }
}

const NOT_STARTED: ProcessResult = Object.freeze({
  ending: 'not-started',
  exitCode: null,
  signal: null,
  error: null,
  output: '',
  outputBytes: 0,
  durationMs: 0,
  gone: Promise.resolve(),
});

async function start(options: RunProcessOptions): Promise<Started> {
  const pipe = openPipe();
  const reader = pipe === null ? null : new Socket({ fd: pipe.read, readable: true, writable: false });
  try {
    const child = spawnDetached(options, pipe?.write ?? 'pipe');
    const exit = new Promise<Exit>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    });
    await spawned(child);
    if (options.input !== undefined) give(child, options.input);
    const streams: (Readable | null)[] = reader === null ? [child.stdout, child.stderr] : [reader];
    return { child, exit, streams: streams.filter((stream) => stream !== null) };
  } catch (error) {
    reader?.destroy();
    throw error;
  } finally {
    if (pipe !== null) closeSync(pipe.write);
  }
}

function spawnDetached(options: RunProcessOptions, output: number | 'pipe'): ChildProcess {
  const { args, shell, env, cwd, uid, gid, input } = options;
  const [program, ...rest] = shell === undefined ? (args ?? []) : ['/bin/sh', '-c', shell];
  if (program === undefined) throw new TypeError('no program to run');
  return spawn(program, rest, {
    env,
    detached: true,
    stdio: [input === undefined ? 'ignore' : 'pipe', output, output],
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
}

function give({ stdin }: ChildProcess, input: string | Uint8Array): void {
  // A program that does not read its input, or ends before it has, breaks the pipe: nobody's error.
  stdin?.on('error', () => undefined);
  stdin?.end(input);
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    // The listener stays: an error without one would end this process.
    child.on('error', reject);
    if (child.pid !== undefined) resolve();
  });
}

async function follow({ child, exit, streams }: Started, options: RunProcessOptions): Promise<ProcessResult> {
  const { clock = systemClock, killAfterMs = 2_000, outputLimit = 4_096 } = options;
  const startedAt = clock.now();
  const groupId = child.pid as number;
  const output = new OutputReader(streams, { limit: outputLimit, clock });
  const ending = await firstOf(exit, options, clock);
  if (ending !== 'exited') await terminateGroup(groupId, { clock, killAfterMs });
  else if (options.leaveChildren !== true) signalGroup(groupId, 'SIGKILL');
  const ended = await within(exit, killAfterMs, clock);
  if (ended === null) child.unref();
  await output.finish();
  return {
    ending,
    exitCode: ended?.exitCode ?? null,
    signal: ended?.signal ?? null,
    error: null,
    output: output.tail.text(),
    outputBytes: output.tail.totalBytes,
    durationMs: clock.now() - startedAt,
    gone: exit.then(() => {}),
  };
}

/** What comes first: the end, the time limit or the caller's signal. */
function firstOf(
  exit: Promise<Exit>,
  options: RunProcessOptions,
  clock: Clock,
): Promise<'exited' | 'timeout' | 'aborted'> {
  return new Promise((resolve) => {
    const deadline = startDeadline(clock, options.timeoutMs, () => settle('timeout'));
    const onAbort = (): void => settle('aborted');
    const settle = (ending: 'exited' | 'timeout' | 'aborted'): void => {
      deadline.cancel();
      options.signal?.removeEventListener('abort', onAbort);
      resolve(ending);
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });
    void exit.then(() => settle('exited'));
  });
}

/** What the promise gives within a time, else null. */
async function within<T>(promise: Promise<T>, timeMs: number, clock: Clock): Promise<T | null> {
  const inTime = new AbortController();
  const late = clock.sleep(timeMs, inTime.signal).then(
    () => null,
    () => null,
  );
  const first = await Promise.race([promise, late]);
  inTime.abort();
  return first;
}
