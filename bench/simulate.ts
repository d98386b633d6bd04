import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Sent, Simulation } from './simulated-agents.ts';

/** A process of simulated agents, all of them linked. */
export interface Simulated extends AsyncDisposable {
  /** What its agents were sent since the last time. */
  sent(): Promise<Sent>;
}

/** A process of this folder that says by IPC when it is ready, and ends when the channel does. */
interface Forked extends AsyncDisposable {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly said: unknown;
  /** Its answer to a message. */
  ask(message: string): Promise<unknown>;
}

/** @throws an Error when the process ends before it is ready */
async function forked(file: string, words: readonly string[]): Promise<Forked> {
  const child = fork(path.join(import.meta.dirname, file), words, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const exited = once(child, 'exit');
  const ended = exited.then(() => Promise.reject(new Error(`${file} ended`)));
  ended.catch(() => undefined);
  const next = async (): Promise<unknown> => ((await Promise.race([once(child, 'message'), ended])) as unknown[])[0];
  const said = await next();
  return {
    pid: child.pid ?? 0,
    said,
    ask(message) {
      child.send(message);
      return next();
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** @throws an Error when the process ends before all are linked */
export async function simulate(simulation: Simulation): Promise<Simulated> {
  const process = await forked('simulated-agents.ts', [JSON.stringify(simulation)]);
  return {
    sent: async () => ((await process.ask('sent')) as { sent: Sent }).sent,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** Links with nothing behind them, in two processes of their own: what is compared with. `pid` is that of their server's end. */
export async function bareLinks(count: number, beatMs: number): Promise<{ readonly pid: number } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const { pid, said: url } = stack.use(await forked('bare-links.ts', ['server', String(beatMs)]));
  stack.use(await forked('bare-links.ts', ['client', String(url), String(count), String(beatMs)]));
  const ends = stack.move();
  return { pid, [Symbol.asyncDispose]: () => ends.disposeAsync() };
}

/** User and system time of a process with all its threads, in ms; proc(5): fields 14 and 15, in ticks of 10 ms. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What of a process is in memory, in MB. */
export async function rssMbOf(pid: number): Promise<number> {
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(rss) / 1_024);
}
