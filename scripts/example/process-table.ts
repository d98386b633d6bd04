import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROCESSES, STATE } from './layout.ts';

/** A process that is surely the one that was started: a pid alone may be somebody else's by now. */
interface Known {
  readonly pid: number;
  readonly startedAt: string;
  readonly what: string;
}

const GRACE_MS = 3_000;

/** Remembers on disk which processes the example runs. */
export class ProcessTable {
  readonly #known = new Map<number, Known>();

  add(pid: number, what: string): void {
    const startedAt = startOf(pid);
    if (startedAt !== null) this.#known.set(pid, { pid, startedAt, what });
    this.#save();
  }

  remove(pid: number): void {
    this.#known.delete(pid);
    this.#save();
  }

  /** Everything ended in order: nothing is left for the next start to clean up. */
  finish(): void {
    this.#known.clear();
    rmSync(PROCESSES, { force: true });
  }

  #save(): void {
    mkdirSync(path.dirname(PROCESSES), { recursive: true, mode: 0o700 });
    writeFileSync(PROCESSES, JSON.stringify([...this.#known.values()]));
  }
}

/** Ends what an earlier run that was killed left behind, its HAProxy and provisions too; says what it found. */
export async function cleanUpLeftovers(): Promise<string[]> {
  const listed = existsSync(PROCESSES) ? (JSON.parse(readFileSync(PROCESSES, 'utf8')) as Known[]).filter(isAlive) : [];
  const known = new Set(listed.map((one) => one.pid));
  const left = [...listed, ...processesOfTheExample().filter((one) => !known.has(one.pid))];
  for (const { pid } of left) signal(pid, 'SIGTERM');
  const deadline = Date.now() + GRACE_MS;
  while (left.some(isAlive) && Date.now() < deadline) await sleep(50);
  for (const one of left.filter(isAlive)) signal(one.pid, 'SIGKILL');
  rmSync(PROCESSES, { force: true });
  return left.map(({ what, pid }) => `${what} (pid ${pid})`);
}

/** What the agent starts on the example's state: HAProxy, and provisions under their shim. An editor there is nobody's leftover. */
const STARTED: ReadonlySet<string> = new Set(['haproxy', 'flock', 'node', 'drover']);

/** Processes that the agent started on the example's state: they name it among their arguments. */
function processesOfTheExample(): Known[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || pid === process.ppid) return [];
    const [program = '', ...words] = argumentsOf(pid);
    const startedAt = startOf(pid);
    const isOurs = STARTED.has(path.basename(program)) && words.some((word) => word.startsWith(`${STATE}/`));
    return isOurs && startedAt !== null ? [{ pid, startedAt, what: path.basename(program) }] : [];
  });
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function isAlive({ pid, startedAt }: Known): boolean {
  return startOf(pid) === startedAt;
}

/** Start time of a process in ticks since boot (proc(5), field 22); null when it is gone or a zombie. */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}
