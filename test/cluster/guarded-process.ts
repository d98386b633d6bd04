import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * A guard beside the program reads descriptor 3, which only the starter holds: when the starter ends without a word, however it
 * ends, the program goes, with its group, its folder and what works there. The program keeps the shell's pid, so that it alone can be stopped.
 */
const GUARD =
  '(read -r word || { kill -9 $$; [ -z "$FOLDER_OF_GUARD" ] || ' +
  '{ pkill -9 -f -- "$FOLDER_OF_GUARD/"; rm -rf -- "$FOLDER_OF_GUARD"; }; }; kill -9 -$$) ' +
  '<&3 >/dev/null 2>&1 & exec "$@" 3<&-';

/** What is kept of what it said, in characters. */
const SAID_LENGTH = 65_536;

/** How it is started: its words, and what differs from the test's own process. */
export interface GuardedProcessOptions {
  readonly program: string;
  readonly words: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A folder that goes when the starter ends without having ended the process. */
  readonly removes?: string;
}

/** A process in a group of its own that never outlives the process that started it, not even when that is killed. */
export class GuardedProcess implements AsyncDisposable {
  readonly pid: number;
  /** Resolves when it has ended and said everything. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  #said = '';
  #running = true;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', this.#hear);
    child.stdio[3]?.on('error', () => undefined);
    this.ended = new Promise((resolve) => child.once('close', () => resolve()));
    child.once('exit', () => {
      this.#running = false;
      (child.stdio[3] as Socket | null)?.end('ended\n');
    });
  }

  /** @throws when the program cannot be started at all */
  static start({ program, words, cwd, env = {}, removes = '' }: GuardedProcessOptions): GuardedProcess {
    const child = spawn('/bin/sh', ['-c', GUARD, 'guard', program, ...words], {
      cwd,
      detached: true,
      env: { ...process.env, ...env, FOLDER_OF_GUARD: removes },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    child.once('error', () => undefined);
    if (child.pid === undefined) throw new Error(`${program} cannot be started`);
    return new GuardedProcess(child, child.pid);
  }

  get running(): boolean {
    return this.#running;
  }

  /** The end of what it said on both streams. */
  get said(): string {
    return this.#said;
  }

  /** Sends it a signal, and nobody else of its group. */
  signal(name: NodeJS.Signals): void {
    if (this.#running) this.#child.kill(name);
  }

  /** Stops it where it is, as a long pause of its machine would. */
  pause(): void {
    this.signal('SIGSTOP');
  }

  /** Lets it go on. */
  resume(): void {
    this.signal('SIGCONT');
  }

  /** Kills it with all of its group, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#running) killGroup(this.pid);
    await this.ended;
  }

  /** Asks it to end; kills it when it has not within `withinMs`. */
  async end(withinMs = 10_000): Promise<void> {
    this.resume();
    this.signal('SIGTERM');
    const late = setTimeout(() => killGroup(this.pid), withinMs);
    await this.ended;
    clearTimeout(late);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  readonly #hear = (text: string): void => {
    this.#said = (this.#said + text).slice(-SAID_LENGTH);
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has gone meanwhile.
  }
}
