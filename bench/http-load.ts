import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const SECONDS = 1;
const CONNECTIONS = 16;
/** Linux counts the time of processes in hundredths of a second. */
const TICKS_PER_SECOND = 100;

const exec = promisify(execFile);

/** A server under test in a process of its own, on core 0. */
export interface LoadedHost extends Disposable {
  readonly child: ChildProcess;
  readonly origin: string;
}

/** Starts `bench/FILE ARGS…`, which says its port over IPC and ends when it is disconnected. */
export async function startLoadedHost(file: string, ...args: string[]): Promise<LoadedHost> {
  const child = fork(path.join(import.meta.dirname, file), args, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  await exec('taskset', ['-a', '-cp', '0', String(child.pid)]);
  return { child, origin: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void child.kill() };
}

/** Requests per second of the server's CPU time, all its threads; wrk on core 1, with a Lua script if one is given. */
export async function requestsPerCpuSecond(host: LoadedHost, urlPath: string, script?: string): Promise<number> {
  const { child, origin } = host;
  const before = cpuSeconds(child.pid as number);
  const load = ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, ...(script === undefined ? [] : ['-s', script])];
  const { stdout } = await exec('taskset', ['-c', '1', ...load, origin + urlPath]);
  const used = cpuSeconds(child.pid as number) - before;
  const [, requests = '0'] = /(\d+) requests in/.exec(stdout) ?? [];
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk met errors:\n${stdout}`);
  return Number(requests) / used;
}

/** User and system time of a process, all its threads (proc(5): fields 14 and 15 of its stat). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
