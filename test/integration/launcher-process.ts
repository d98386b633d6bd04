import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FreePorts } from '../cluster/free-ports.ts';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');
/** A busy machine with two cores keeps this. */
const START_MS = 30_000;

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly tookMs: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with a link called `consul`, and everything that is started in it; gone when disposed of. */
export class Launcher implements AsyncDisposable {
  readonly folder: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Launcher> {
    const folder = await mkdtemp(path.join(tmpdir(), 'drover-launcher-'));
    await symlink(DROVER, path.join(folder, 'consul'));
    return new Launcher(folder);
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  /** Writes files that only their owner can write. */
  async write(files: Readonly<Record<string, string | object>>): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(this.at(name)), { recursive: true, mode: 0o755 });
      await writeFile(this.at(name), typeof content === 'string' ? content : JSON.stringify(content));
      await chmod(this.at(name), 0o644);
    }
  }

  /** Starts `consul WORD…`. */
  start(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Launched {
    const child = spawn(this.at('consul'), [...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.folder,
      // One that is killed cannot remove what it keeps for a run with -dev: it goes with this folder.
      env: { ...process.env, TMPDIR: this.folder, ...environment },
    });
    this.#children.add(child);
    return new Launched(child);
  }

  /** Runs `consul WORD…` to its end. */
  run(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return this.start(words, environment).ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A process that was started. */
export class Launched {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  #begun = performance.now();

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => (this.stdout += String(chunk)));
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += String(chunk)));
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        const { stdout, stderr } = this;
        resolve({ code, signal, stdout, stderr, tookMs: performance.now() - this.#begun });
      });
    });
  }

  /** Resolves when the url answers with one of these statuses, as a harness waits. @throws when the process ends before */
  async answers(url: string): Promise<Response> {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const answer = await fetch(url).catch(() => null);
      if (answer !== null) return answer;
      if (this.child.exitCode !== null || Date.now() > deadline) throw new Error(`${url}: ${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Sends a signal; `tookMs` counts from it. */
  end(signal: NodeJS.Signals): Promise<Ended> {
    this.#begun = performance.now();
    this.child.kill(signal);
    return this.ended;
  }
}

const ports = new FreePorts();

/** A port that is free on each of the addresses, for TCP. */
export function freePort(addresses: readonly string[] = ['127.0.0.1']): Promise<number> {
  return ports.next(...addresses);
}
