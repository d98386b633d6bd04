import { readdirSync, readFileSync } from 'node:fs';

/** The pids of every HAProxy process, master or worker, that was started with this configuration file. */
export function processesOf(configuration: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isStartedWith(pid, configuration));
}

/** Kills what a HAProxy that is gone left behind: no process leaks, and no port stays shared with one. */
export function killLeftovers(configuration: string): void {
  for (const pid of processesOf(configuration)) signal(pid, 'SIGKILL');
}

/** Sends a signal; false when there is no such process any more. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

function isStartedWith(pid: number, configuration: string): boolean {
  const [program = '', ...args] = commandLine(pid);
  const at = args.lastIndexOf('-f');
  return program.endsWith('haproxy') && !args.includes('-c') && at !== -1 && args[at + 1] === configuration;
}

/** The words a process was started with; empty when it is gone, a zombie or not ours to see. */
export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
