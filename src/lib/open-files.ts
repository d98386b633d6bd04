import { readFileSync } from 'node:fs';

/** How many files and sockets this process may have open (`RLIMIT_NOFILE`); Infinity where the kernel does not say. */
export function openFilesLimit(): number {
  try {
    return parseOpenFiles(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The soft limit in a text of proc_pid_limits(5). Pure. */
export function parseOpenFiles(limits: string): number {
  const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
