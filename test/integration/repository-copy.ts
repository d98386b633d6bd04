import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = path.resolve(import.meta.dirname, '../..');
const ENV = {
  ...process.env,
  DROVER_NO_APT: '1',
  PATH: `${path.join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}`,
};

/** A copy of the repository as git has it, with the packages that are installed: what a fresh clone is after its set-up. */
export class RepositoryCopy {
  readonly directory: string;
  readonly #started = new Set<ChildProcess>();

  constructor() {
    this.directory = mkdtempSync(path.join(tmpdir(), 'drover-copy-'));
    const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
      cwd: ROOT,
      encoding: 'utf8',
    }).split('\0');
    for (const file of files.filter((one) => one !== '')) {
      cpSync(path.join(ROOT, file), path.join(this.directory, file), { force: true });
    }
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(this.directory, 'node_modules'));
  }

  /** Starts a command in the copy; its output is collected. */
  start(command: string, ...args: string[]): { readonly child: ChildProcess; output(): string } {
    const child = spawn(command, args, {
      cwd: this.directory,
      env: ENV,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#started.add(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (output += String(chunk)));
    return { child, output: () => output };
  }

  /** Runs a command in the copy to its end. */
  async run(command: string, ...args: string[]): Promise<{ readonly status: number | null; readonly output: string }> {
    const started = this.start(command, ...args);
    const [status] = (await once(started.child, 'close')) as [number | null];
    return { status, output: started.output() };
  }

  /** Command lines of processes that work in the copy or on its state. */
  processes(): { readonly pid: number; readonly command: string }[] {
    return readdirSync('/proc').flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return /^\d+$/.test(name) && command.includes(this.directory) ? [{ pid: Number(name), command }] : [];
      } catch {
        return [];
      }
    });
  }

  /** Kills whatever is left and removes the copy. */
  async dispose(): Promise<void> {
    for (const child of this.#started) killGroup(child.pid);
    for (const { pid } of this.processes()) killGroup(pid);
    await sleep(100);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function killGroup(pid: number | undefined): void {
  for (const target of [-(pid ?? 0), pid ?? 0]) {
    try {
      if (pid !== undefined) process.kill(target, 'SIGKILL');
    } catch {
      // Gone already, or not the leader of a group.
    }
  }
}
