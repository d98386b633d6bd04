import { readFileSync } from 'node:fs';

/** One process and no other: pids are used again, also after a reboot. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot (proc(5), `stat` field 22). */
  readonly startTicks: number;
  /** The kernel's id of this boot. */
  readonly boot: string;
}

/** Who runs under this pid now; null when nobody does, or only a zombie. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The command name in field 2 may hold spaces and parentheses: fields are counted after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  return { pid, startTicks: Number(fields[19]), boot: bootId() };
}

/** True while the very process that was identified still lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = identifyProcess(identity.pid);
  return now !== null && now.startTicks === identity.startTicks && now.boot === identity.boot;
}

/** When a process started, in wall-clock ms and to about a second; null when it is gone. */
export function processStartedAt(pid: number): number | null {
  const identity = identifyProcess(pid);
  const boot = /^btime (\d+)$/m.exec(readOrNull('/proc/stat') ?? '');
  if (identity === null || boot === null) return null;
  // USER_HZ is 100 on every architecture that Node runs on.
  return Number(boot[1]) * 1_000 + identity.startTicks * 10;
}

/** How long a process has run, in ms and whatever the wall clock did meanwhile; null when it is gone. */
export function processAgeMs(identity: ProcessIdentity): number | null {
  const uptime = Number.parseFloat(readOrNull('/proc/uptime') ?? '');
  return isAlive(identity) && Number.isFinite(uptime) ? Math.max(0, uptime * 1_000 - identity.startTicks * 10) : null;
}

function bootId(): string {
  return (readOrNull('/proc/sys/kernel/random/boot_id') ?? '').trim();
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
