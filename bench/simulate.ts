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

/** @throws an Error when the process ends before all are linked */
export async function simulate(simulation: Simulation): Promise<Simulated> {
  const child = fork(path.join(import.meta.dirname, 'simulated-agents.ts'), [JSON.stringify(simulation)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const exited = once(child, 'exit');
  const ended = exited.then(() => Promise.reject(new Error('the simulated agents ended')));
  ended.catch(() => undefined);
  await Promise.race([once(child, 'message'), ended]);
  return {
    async sent() {
      child.send('sent');
      const [{ sent }] = (await Promise.race([once(child, 'message'), ended])) as [{ sent: Sent }];
      return sent;
    },
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await exited;
    },
  };
}

/** Links with nothing behind them, in two processes of their own: what is compared with. `pid` is that of their server's end. */
export async function bareLinks(count: number, beatMs: number): Promise<{ readonly pid: number } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const start = async (...words: string[]): Promise<{ readonly pid: number; readonly said: string }> => {
    const child = fork(path.join(import.meta.dirname, 'bare-links.ts'), [...words, String(beatMs)]);
    stack.defer(async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    });
    const [said] = (await once(child, 'message')) as [string];
    return { pid: child.pid ?? 0, said };
  };
  const { pid, said: url } = await start('server');
  await start('client', url, String(count));
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
